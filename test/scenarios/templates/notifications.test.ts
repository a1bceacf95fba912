import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shippedFiles } from '../../support/shipped.ts';
import { openTools, type Tools } from '../../support/tools.ts';

/** One folder a case: `notification.json` is what Alertmanager hands to templates, the other files are what comes out. */
const folder = fileURLToPath(new URL('notifications', import.meta.url));
const cases = readdirSync(folder);

/** Each template a receiver may name, with the way Alertmanager fills it for that receiver. */
const named = [
  { template: 'promstack.title', type: 'text', as: 'title.txt' },
  { template: 'promstack.text', type: 'text', as: 'text.txt' },
  { template: 'promstack.slack.title', type: 'text', as: 'slack-title.txt' },
  { template: 'promstack.slack.text', type: 'text', as: 'slack-text.txt' },
  { template: 'promstack.slack.color', type: 'text', as: 'slack-color.txt' },
  { template: 'promstack.telegram.message', type: 'html', as: 'telegram-message.html' },
  { template: 'promstack.email.subject', type: 'text', as: 'email-subject.txt' },
  { template: 'promstack.email.html', type: 'html', as: 'email.html' },
  { template: 'promstack.email.text', type: 'text', as: 'email-text.txt' },
] as const;

const templateFiles = Object.fromEntries(
  Object.entries(shippedFiles(/^alertmanager\/templates\/[^/]+\.tmpl$/)).map(([path, text]) => [
    path.replace('alertmanager/', ''),
    text,
  ]),
);
const notifications = Object.fromEntries(
  cases.map((name) => [`${name}.json`, readFileSync(join(folder, name, 'notification.json'), 'utf8')]),
);

describe('notification templates', () => {
  let tools: Tools;
  beforeAll(async () => {
    tools = await openTools({ service: 'alertmanager', files: { ...templateFiles, ...notifications } });
  });
  afterAll(async () => {
    await tools?.[Symbol.asyncDispose]();
  });

  const fill = async (template: string, type: string, name: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await tools.run(
      ...['amtool', 'template', 'render', '--template.glob=/files/templates/*.tmpl', `--template.type=${type}`],
      ...[`--template.text={{ template "${template}" . }}`, `--template.data=/files/${name}.json`],
    );
    expect(exitCode, stderr).toBe(0);
    return stdout;
  };

  it.each(cases.flatMap((name) => named.map((template) => ({ ...template, name }))))(
    'must write $as of $name as it stands in the golden file',
    async ({ template, type, as, name }) => {
      await expect(await fill(template, type, name)).toMatchFileSnapshot(join(folder, name, as));
    },
  );

  it('must all be named promstack.*, so that they do not replace others', () => {
    const names = Object.values(templateFiles).flatMap((text) =>
      [...text.matchAll(/\{\{-? *define "([^"]+)"/g)].map(([, name]) => name ?? ''),
    );
    expect(names.filter((name) => !name.startsWith('promstack.'))).toEqual([]);
    expect(names).toEqual([...new Set(names)]);
    expect(names).toEqual(expect.arrayContaining(named.map((one) => one.template)));
  });

  it('must be used correctly in the examples of their comments', async () => {
    const examples = Object.values(templateFiles).flatMap((text) =>
      [...text.matchAll(/'\{\{ template "([^"]+)" \. \}\}'/g)].map(([, name]) => name ?? ''),
    );
    expect(examples.length).toBeGreaterThan(0);
    for (const example of new Set(examples)) await fill(example, 'text', 'one-firing');
  });

  it('must never print missing values', async () => {
    for (const { template, type } of named) {
      expect(await fill(template, type, 'nameless')).not.toMatch(/<no value>|&lt;no value&gt;|^[A-Za-z ]+: *$/m);
    }
  });
});
