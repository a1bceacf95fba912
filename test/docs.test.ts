import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../scripts/cli/commands/index.ts';
import { parse } from '../scripts/cli/program.ts';
import { coloursFor } from '../scripts/cli/terminal-output.ts';
import { loadStack } from '../scripts/config/load.ts';
import { packageRoot } from '../scripts/util/package-root.ts';
import { folderWith } from './support/config.ts';
import { exampleSecret } from './support/example-secret.ts';
import { blocksOf, commandsIn, isAsShown } from './support/page.ts';

// test/scenarios/docs.test.ts runs the `console` blocks; here every other command line is parsed.

const pages = [
  'README.md',
  ...readdirSync(join(packageRoot(), 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const lines = pages.flatMap((page) =>
  blocksOf(page)
    .filter(({ language }) => language === 'bash')
    .flatMap(({ text }) => text.split('\n').map((line) => ({ page, line }))),
);

test.each(lines.filter(({ line }) => /\bpromstack /.test(line)))('$page: $line', async ({ line }) => {
  const [, words = ''] = /\bpromstack (?:-- )?([^#|&)]*)/.exec(line) ?? [];
  const argv = [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
  const colours = coloursFor({ isTerminal: false, env: {}, noColourFlag: true });
  expect(await parse(argv, commands, { columns: 80, colours })).toMatchObject({ kind: 'run' });
});

const fragments = pages.flatMap((page) =>
  blocksOf(page)
    .filter(({ language, file }) => language === 'yaml' && file === undefined)
    .map(({ text, line }) => ({ place: `${page}:${line}`, text })),
);

test.each(fragments)('the YAML of $place must be a valid part of stack.yml', async ({ text }) => {
  await using folder = await folderWith({ 'stack.yml': text });
  const env = Object.fromEntries([...text.matchAll(/!env (\w+)/g)].map(([, name = '']) => [name, exampleSecret(name)]));
  const loaded = await loadStack({ cwd: folder.path, env });
  const codes = (loaded.ok ? loaded.warnings : loaded.error).map(({ code }) => code);
  // The files that it names are not there.
  expect(codes.filter((code) => !['nothing-matches', 'cannot-read', 'secret-file'].includes(code))).toEqual([]);
});

test('README must have at most 250 lines, a tour that is run, and the two commands', () => {
  expect(readFileSync(join(packageRoot(), 'README.md'), 'utf8').split('\n').length).toBeLessThanOrEqual(251);
  expect(blocksOf('README.md').filter(({ language }) => language === 'console').length).toBeGreaterThan(5);
  expect(lines.filter(({ page }) => page === 'README.md').map(({ line }) => line)).toEqual([
    'npm ci && npm run demo',
    'npm ci && npm test',
  ]);
});

test('shown output must be compared but for times, ids and images; `…` stands for lines', () => {
  const shown = 'shop  revision b885fe96858b\n…\nready, up 29 seconds  prom/prometheus:v3.13.2\n';
  const actual = 'shop revision 0123456789ab\nany\nlines\nready, up 3 minutes  promstack/prometheus:3.5.3-debian';
  expect(isAsShown(actual, shown)).toBe(true);
  expect(isAsShown(actual.replace('ready', 'exited'), shown)).toBe(false);
  expect(isAsShown(`${actual}\nmore`, shown)).toBe(false);
  expect(isAsShown('a\nb', 'a')).toBe(false);
});

test('a command must be read with its output', () => {
  const block = { language: 'console', file: undefined, line: 1, text: '$ a \\\n  --b\nout\n\n$ c\n' };
  expect(commandsIn(block)).toEqual([
    { command: 'a \\\n  --b', output: 'out' },
    { command: 'c', output: '' },
  ]);
});
