import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertRule, containerIds, expectFine, expectSettled, type Running, running } from '../support/revisions.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

const keys = {
  prometheus: {
    rules: ['rules/*.yml'],
    scrape_configs: [{ job_name: 'own', static_configs: [{ targets: ['127.0.0.1:1'] }] }],
  },
  alertmanager: {
    route: { receiver: 'default', routes: [{ receiver: 'pager', matchers: ['severity="page"'] }] },
    receivers: [{ name: 'default' }, { name: 'pager' }],
  },
};

interface BadEdit {
  readonly what: string;
  readonly edit: (stack: StackFolder) => Promise<void>;
  /** The output, in order. */
  readonly says: readonly string[];
}

const edits: readonly BadEdit[] = [
  {
    what: 'invalid YAML',
    edit: (stack) => stack.write('stack.yml', 'name: [\n'),
    says: ['stack.yml:'],
  },
  {
    what: 'an unknown key',
    edit: (stack) => stack.configure({ ...keys, prometheus: { ...keys.prometheus, scrape_intervall: '5s' } }),
    says: ['unknown key "scrape_intervall"', 'did you mean "scrape_interval"?'],
  },
  {
    what: 'invalid PromQL',
    edit: (stack) => stack.write('rules/a.yml', alertRule('TestBad', { expr: 'sum(' })),
    says: ['rules/a.yml:5:', 'this "(" is not closed'],
  },
  {
    what: 'a rule file without rules',
    edit: (stack) => stack.write('rules/a.yml', 'receivers: []\n'),
    says: ['expected a rule file'],
  },
  {
    what: 'two groups with the same name in a file',
    edit: (stack) =>
      stack.write('rules/a.yml', `${alertRule('TestTwice')}${alertRule('TestTwice').replace('groups:\n', '')}`),
    says: ['rules/a.yml:', 'there are two groups named "TestTwice"'],
  },
  {
    what: 'an unknown receiver',
    edit: (stack) =>
      stack.configure({ ...keys, alertmanager: { ...keys.alertmanager, route: { receiver: 'defualt' } } }),
    says: ['unknown receiver "defualt"', 'did you mean "default"?'],
  },
  {
    what: 'an invalid matcher',
    edit: (stack) =>
      stack.configure({
        ...keys,
        alertmanager: {
          ...keys.alertmanager,
          route: { receiver: 'default', routes: [{ receiver: 'pager', matchers: ['severity: page'] }] },
        },
      }),
    says: ['not a matcher: "severity: page"', 'write severity="page"'],
  },
  {
    what: 'an invalid Go template',
    edit: async (stack) => {
      await stack.write('messages/a.tmpl', '{{ define "a" }}{{ .Status }\n');
      await stack.configure({ ...keys, alertmanager: { ...keys.alertmanager, templates: ['messages/*.tmpl'] } });
    },
    says: ['messages/a.tmpl:'],
  },
  {
    what: 'a missing secret file',
    edit: async (stack) => stack.write('stack.yml', withSecret(stack)),
    says: ['the secret file secrets/nowhere does not exist'],
  },
  {
    what: 'an invalid regular expression in a relabelling',
    edit: (stack) =>
      stack.configure({
        ...keys,
        prometheus: {
          ...keys.prometheus,
          scrape_configs: [
            {
              job_name: 'own',
              static_configs: [{ targets: ['127.0.0.1:1'] }],
              relabel_configs: [{ source_labels: ['a'], regex: '(', target_label: 'b' }],
            },
          ],
        },
      }),
    says: ['stack.yml:', 'missing closing )'],
  },
  {
    what: 'a failing rule test',
    edit: (stack) =>
      stack.write(
        'tests/rules.yml',
        [
          'rule_files: [../rules/a.yml]',
          'tests:',
          '  - interval: 1m',
          '    input_series: []',
          '    alert_rule_test:',
          '      - eval_time: 5m',
          '        alertname: TestBefore',
          '        exp_alerts: [{exp_labels: {severity: page}}]',
          '',
        ].join('\n'),
      ),
    says: ['tests/rules.yml', 'TestBefore'],
  },
  {
    what: 'a failing route test',
    edit: (stack) =>
      stack.write(
        'tests/routes.yml',
        'routes:\n  - name: pages\n    labels: {severity: page}\n    receivers: [default]\n',
      ),
    says: ['tests/routes.yml:', 'pager'],
  },
];

describe('an invalid edit', () => {
  let stack: StackFolder;
  let before: Running;
  let containers: Readonly<Record<string, string>>;

  beforeAll(async () => {
    stack = await stackFolder(keys);
    await stack.write('rules/a.yml', alertRule('TestBefore'));
    expectFine(await stack.run('up'));
    before = await running(stack);
    containers = await containerIds(stack);
  });

  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
  });

  it.each(edits)(
    'must change nothing that runs, and be reported at its position: $what',
    async ({ what, edit, says }) => {
      await edit(stack);
      // Tests run before a change, so that there has to be one.
      if (what.includes('test')) await stack.write('rules/b.yml', alertRule('TestOther'));
      const { exitCode, stdout, stderr } = await stack.run('reload');
      expect(exitCode, `${stdout}\n${stderr}`).toBe(2);
      expect(stdout).toBe('');
      for (const text of says) expect(stderr).toContain(text);
      expect(await running(stack)).toEqual(before);
      expect(await containerIds(stack)).toEqual(containers);

      await stack.configure(keys);
      await stack.write('rules/a.yml', alertRule('TestBefore'));
      for (const path of ['tests', 'rules/b.yml']) await rm(join(stack.path, path), { recursive: true, force: true });
      await expectSettled(stack);
    },
  );
});

function withSecret({ name, ports }: StackFolder): string {
  return [
    `name: ${name}`,
    'images: {source: auto}',
    'grafana: {enabled: false}',
    `pushgateway: {port: ${ports.pushgateway}}`,
    `prometheus: {port: ${ports.prometheus}, rules: [rules/*.yml]}`,
    'alertmanager:',
    `  port: ${ports.alertmanager}`,
    '  route: {receiver: hook}',
    '  receivers:',
    '    - name: hook',
    '      webhook_configs: [{url: !file secrets/nowhere}]',
    '',
  ].join('\n');
}
