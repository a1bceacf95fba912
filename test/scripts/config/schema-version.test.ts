import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NotEditableError, withTopNumber } from '../../../scripts/config/edit-yaml.ts';
import { loadStack } from '../../../scripts/config/load.ts';
import { schemaVersion } from '../../../stack/schema-version.ts';
import { emptyFolder } from '../../support/promstack.ts';
import { runInProcess } from '../../support/test-process.ts';

describe('the version of the schema', () => {
  test.each([
    [
      'above the first key and its comment',
      '# head\n\n# the name\nname: a # b\n',
      '# head\n\nversion: 1\n# the name\nname: a # b\n',
    ],
    ['below the comment that begins the file', '# head\n# more\nname: a\n', '# head\n# more\nversion: 1\nname: a\n'],
    ['in a file without comments', 'name: a\nsink: {}\n', 'version: 1\nname: a\nsink: {}\n'],
    ['below the start of a document', '---\n# head\nname: a\n', '---\nversion: 1\n# head\nname: a\n'],
    ['in place of another', 'name: a\nversion:   0 # old\nsink: {}\n', 'name: a\nversion:   1 # old\nsink: {}\n'],
    ['in a mapping of one line', '{name: a} # x\n', '{version: 1, name: a} # x\n'],
    ['in an empty file', '# nothing yet\n', '# nothing yet\nversion: 1\n'],
  ])('must be written %s, and nothing else changed', (_, text, expected) => {
    expect(withTopNumber(text, 'version', 1)).toBe(expected);
  });

  test('must not be written where that would change another key', () => {
    expect(() => withTopNumber('x-v: &v 0\nversion: *v\n', 'version', 1)).toThrow(NotEditableError);
  });
});

async function folderWith(text: string) {
  const folder = await emptyFolder();
  const file = join(folder.path, 'stack.yml');
  await writeFile(file, text);
  return {
    run: (...args: readonly string[]) => runInProcess(folder.path, args),
    load: () => loadStack({ cwd: folder.path, env: {} }),
    text: () => readFile(file, 'utf8'),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

test('fix must write the version once, beside new names of keys', async () => {
  await using stack = await folderWith(
    '# a\n\n# b\nname: shop\nprometheus:\n  image: prom/prometheus:v3.5.0\n  scrape_configs:\n    - job_name: a\n      scrape_classic_histograms: true # c\n',
  );
  const checked = await stack.run('fix', '--check', '--json');
  expect([checked.exitCode, JSON.parse(checked.stdout)]).toMatchObject([
    1,
    { renamed: [{}], version: { from: null, to: schemaVersion, file: 'stack.yml' } },
  ]);
  const fixed = await stack.run('fix');
  expect([fixed.exitCode, fixed.stderr]).toEqual([0, expect.stringContaining('wrote version: 1 to stack.yml')]);
  const text =
    '# a\n\nversion: 1\n# b\nname: shop\nprometheus:\n  image: prom/prometheus:v3.5.0\n  scrape_configs:\n    - job_name: a\n      always_scrape_classic_histograms: true # c\n';
  expect(await stack.text()).toBe(text);
  const again = await stack.run('fix', '--json');
  expect([again.exitCode, JSON.parse(again.stdout)]).toMatchObject([0, { renamed: [] }]);
  expect(await stack.text()).toBe(text);
});

test('a file without a version must have the current one, and pass fix --check', async () => {
  await using stack = await folderWith('name: shop\n');
  expect(await stack.load()).toMatchObject({ ok: true, warnings: [] });
  expect((await stack.run('fix', '--check')).exitCode).toBe(0);
});

test('a newer version must be refused by one sentence, before all that it may mean, and never be written over', async () => {
  const text = 'version: 2\nname: shop\nunknown: 1\nprometheus: {every: 15s}\n';
  await using stack = await folderWith(text);
  expect(await stack.load()).toMatchObject({
    ok: false,
    error: [
      {
        code: 'newer-schema',
        message: expect.stringMatching(
          /^it has version 2 of the schema of stack\.yml, and promstack \S+ knows none above 1$/,
        ),
        where: { line: 1, column: 10 },
      },
    ],
  });
  for (const command of ['check', 'config', 'render', 'fix']) {
    const { exitCode, stderr } = await stack.run(command);
    expect([command, exitCode, stderr]).toEqual([
      command,
      2,
      expect.stringContaining('✖ stack.yml:1:10 it has version 2'),
    ]);
    expect(stderr).toContain('1 problem');
  }
  expect(await stack.text()).toBe(text);
});

test('init must write the current version', async () => {
  for (const flags of [[], ['--full']]) {
    await using folder = await emptyFolder();
    const { exitCode } = await runInProcess(folder.path, ['init', ...flags]);
    expect(exitCode).toBe(0);
    expect(await readFile(join(folder.path, 'stack.yml'), 'utf8')).toMatch(/^version: 1\b/m);
  }
});
