import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renameKeys } from '../../../scripts/config/edit-files.ts';
import { withoutFormerNames } from '../../../scripts/config/former-names.ts';
import { loadStack } from '../../../scripts/config/load.ts';
import { mergeYaml } from '../../../scripts/config/merge.ts';
import { readYaml } from '../../../scripts/config/yaml-source.ts';
import type { RenamedKey } from '../../../stack/renamed-keys.ts';
import { emptyFolder } from '../../support/promstack.ts';

const table: readonly RenamedKey[] = [
  { path: ['web', 'old_port'], to: 'port', by: 'promstack 2' },
  { path: ['jobs', '[]', 'every'], to: 'interval', by: 'promstack 2' },
];

const merge = (...texts: readonly [string, ...string[]]) => {
  const [first, ...further] = texts.map((text, at) => readYaml(text, `${at}.yml`));
  if (first === undefined) throw new Error('there is no file');
  return withoutFormerNames(mergeYaml([first, ...further]), table);
};

describe('a key with its former name', () => {
  test('must have its new name, with a warning at its place', () => {
    const { value, diagnostics, renamed } = merge(
      'web:\n  a: 1\n  old_port: 2\n  b: 3\njobs: [{every: 1m}, {interval: 2m}]\n',
    );
    expect(value).toEqual({ web: { a: 1, port: 2, b: 3 }, jobs: [{ interval: '1m' }, { interval: '2m' }] });
    expect(Object.keys((value as { web: object }).web)).toEqual(['a', 'port', 'b']);
    expect(renamed).toHaveLength(2);
    expect(diagnostics).toEqual([
      expect.objectContaining({
        severity: 'warning',
        message: 'promstack 2 has renamed "old_port" to "port", by which it is used',
        where: expect.objectContaining({ file: '0.yml', line: 3, column: 3 }),
      }),
      expect.objectContaining({ where: expect.objectContaining({ line: 5 }) }),
    ]);
  });

  test('must be found in the file that has it, and its mistakes too', () => {
    const merged = merge('web: {a: 1}\n', 'web:\n  old_port: wrong\n');
    expect(merged.locate(['web', 'port'])).toMatchObject({ file: '1.yml', line: 2, column: 13 });
    expect(merged.toDiagnostic({ code: 'x', path: ['web', 'port'], message: 'm' }).where).toMatchObject({ line: 2 });
  });

  test.each([
    ['beside its new name', 'web: {old_port: 1, port: 2}\n'],
    ['elsewhere', 'other: {old_port: 1}\nold_port: 2\n'],
    ['in a section that is none', 'web: [old_port]\njobs: {every: 1m}\n'],
  ])('must be left as it is %s', (_, text) => {
    const { value, diagnostics } = merge(text);
    expect([value, diagnostics]).toEqual([readYaml(text, '0.yml').value, []]);
  });
});

test('former names must be rewritten in place, with all comments', async () => {
  await using folder = await emptyFolder();
  const text =
    '# a\nweb:\n  old_port: 1   # old_port\nx-j: &j\n  "every": 1m # b\njobs:\n  - {every: 2m}\n  - *j\n  - *j\n';
  await writeFile(join(folder.path, '0.yml'), text);
  const { renamed, locate } = merge(text);
  await renameKeys(renamed, { locate, cwd: folder.path });
  const rewritten = await readFile(join(folder.path, '0.yml'), 'utf8');
  expect(rewritten).toBe(
    text.replace('old_port', 'port').replace('"every"', '"interval"').replace('{every', '{interval'),
  );
  expect(merge(rewritten).renamed).toEqual([]);
});

describe('what Prometheus 3 has renamed', () => {
  const load = async (image: string) => {
    await using folder = await emptyFolder();
    const job = '{job_name: a, scrape_classic_histograms: true, static_configs: [{targets: ["a:1"]}]}';
    await writeFile(
      join(folder.path, 'stack.yml'),
      `name: a\nprometheus:\n  image: ${image}\n  scrape_configs: [${job}]\n`,
    );
    const loaded = await loadStack({ cwd: folder.path, env: {} });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
    return { jobs: loaded.value.config.prometheus.scrape_configs, warnings: loaded.warnings.map(({ code }) => code) };
  };

  test.each(['prom/prometheus:v3.0.1', 'prom/prometheus:latest'])('must be used with %s', async (image) => {
    const { jobs, warnings } = await load(image);
    expect(jobs[0]).toMatchObject({ always_scrape_classic_histograms: true });
    expect(warnings).toContain('former-key');
  });

  test('must not be used with an older version', async () => {
    const { jobs, warnings } = await load('prom/prometheus:v2.55.1');
    expect([jobs[0], warnings]).toEqual([expect.objectContaining({ scrape_classic_histograms: true }), []]);
  });
});
