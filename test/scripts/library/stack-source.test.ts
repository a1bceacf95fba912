import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileSource, objectSource, type StackFiles, type StackInput } from '../../../scripts/library/stack-source.ts';
import { withTestDefaults } from '../../../scripts/library/start-stack.ts';
import type { Event } from '../../../scripts/util/event.ts';
import { InputError } from '../../../scripts/util/stack-error.ts';

const options = { env: {}, report: () => undefined, signal: new AbortController().signal };

async function prometheusConfig(config: StackInput, files: StackFiles = {}): Promise<string> {
  const source = await objectSource(config, files, options);
  try {
    const { services } = await source.render({ name: 'test-source' });
    return String(services.flatMap((each) => each.files).find(({ path }) => path === 'prometheus.yml')?.content);
  } finally {
    await source.remove();
  }
}

test('keys whose value is undefined must count as absent', async () => {
  const rules = ['rules/*.yml'] as const;
  const config = {
    labels: { team: undefined },
    prometheus: { scrape_interval: undefined, evaluation_interval: '7s', rules },
    alertmanager: { route: undefined },
    sink: { enabled: undefined },
  } satisfies StackInput;
  const defaults = withTestDefaults(config);
  expect(defaults.prometheus).toMatchObject({ scrape_interval: '1s', evaluation_interval: '7s' });
  expect(defaults.alertmanager).toMatchObject({ route: { receiver: 'sink' } });
  expect(defaults.sink).toEqual({ enabled: true });
  const text = await prometheusConfig(defaults, { 'rules/a.yml': 'groups: []\n' });
  expect(text).toContain('scrape_interval: 1s');
  expect(text).toContain('rules/user/');
});

test('strings that YAML could take for other types must remain strings', async () => {
  const labels = { a: 'yes', b: '010', c: '1:30', d: '1e3', e: 'null', f: '2001-01-01' };
  const text = await prometheusConfig({ prometheus: { external_labels: labels } });
  for (const [name, value] of Object.entries(labels)) {
    expect(text).toMatch(new RegExp(`^ +${name}: (?:"${value}"|'${value}'|${value})$`, 'm'));
  }
});

test.each([
  [{ prometheus: { rules: () => [] } }, {}, 'the config cannot be written as YAML'],
  [{ prometheus: { scrape_interval: Symbol('5s') } }, {}, 'the config cannot be written as YAML'],
  [{}, { 'rules/a.yml': 5 }, 'the file "rules/a.yml" cannot be written'],
  [{}, { 'a\0b': '' }, 'the file "a\\u0000b" cannot be written'],
  [{}, { a: '', 'a/b': '' }, 'the file "a/b" cannot be written'],
  [{}, { '../a.yml': '' }, 'not below the folder of the stack'],
])('%j with the files %j must be refused as a mistake', async (config, files, message) => {
  const error = await prometheusConfig(config as StackInput, files as StackFiles).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).message).toContain(message);
});

test.each<[string, StackInput, StackFiles]>([
  ['empty-file', { prometheus: { rules: ['rules/*.yml'] } }, { 'rules/a.yml': '# nothing yet\n' }],
  ['template-of-no-service', {}, { 'templates/promtheus/prometheus.yml': 'global: {}\n' }],
])('the warning %s must be reported at each rendering, and not fail it', async (code, config, files) => {
  const events: Event[] = [];
  const source = await objectSource(config, files, { ...options, report: (event) => void events.push(event) });
  try {
    for (const times of [1, 2]) {
      await source.render({ name: 'test-source' });
      const codes = events.flatMap((event) => (event.kind === 'diagnostic' ? [event.diagnostic.code] : []));
      expect(codes).toEqual(Array.from({ length: times }, () => code));
    }
    await source.config();
    expect(events).toHaveLength(2);
  } finally {
    await source.remove();
  }
});

test('a stack.yml must not be given files that it would not use', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'promstack-source-'));
  try {
    const file = join(folder, 'stack.yml');
    await writeFile(file, 'name: shop\n');
    expect(() => fileSource(file, { 'rules/a.yml': '' }, { ...options, cwd: folder })).toThrow(InputError);
    const source = fileSource(file, {}, { ...options, cwd: folder });
    expect((await source.render({})).config.name).toBe('shop');
    await expect(source.change(undefined, { 'rules/a.yml': '' })).rejects.toThrow(
      'takes its config and files from there',
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
