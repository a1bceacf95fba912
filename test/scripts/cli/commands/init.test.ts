import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, parseDocument } from 'yaml';
import type * as z from 'zod';
import { starterText } from '../../../../scripts/cli/commands/init.ts';
import { loadStack } from '../../../../scripts/config/load.ts';
import { knownKeys, readSchema, stackJsonSchemaText } from '../../../../scripts/config/schema.ts';
import { packageRoot } from '../../../../scripts/util/package-root.ts';
import { stackSchema } from '../../../../stack/config.ts';
import { schemaVersion } from '../../../../stack/schema-version.ts';
import { exampleSecret } from '../../../support/example-secret.ts';
import { emptyFolder } from '../../../support/promstack.ts';
import { runInProcess } from '../../../support/test-process.ts';

test.each(['2024', '0123', 'true', 'null', '1e3', '0x1f', 'yes', 'shop', '2024-01-31'])(
  'a stack named %s must be called so by a reader of YAML',
  async (name) => {
    expect(parse(await starterText(name))).toMatchObject({ name });
  },
);

test('init must write a valid stack file with the name of its folder', async () => {
  await using folder = await emptyFolder();
  const { exitCode, stdout, stderr } = await runInProcess(folder.path, ['init', 'My Shop']);
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: "wrote My Shop/stack.yml and My Shop/stack.schema.json; next: promstack up -f 'My Shop/stack.yml'\n",
  });
  const text = await readFile(join(folder.path, 'My Shop', 'stack.yml'), 'utf8');
  expect(text).toContain('\nname: myshop\n');
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./stack.schema.json');
  expect(text.split('\n').length).toBeLessThanOrEqual(32);
  const schema = await readFile(join(folder.path, 'My Shop', 'stack.schema.json'), 'utf8');
  expect(schema).toBe(stackJsonSchemaText());
  const rendered = await runInProcess(join(folder.path, 'My Shop'), ['render', '--json']);
  expect(rendered.exitCode).toBe(0);
});

test.each([
  [['init'], 'promstack up'],
  [['init', 'sub/deep'], 'promstack up -f sub/deep/stack.yml'],
  [['init', '-f', 'x.yml'], 'promstack up -f x.yml'],
  [['init', '-f', 'stack.yaml'], 'promstack up'],
])('the next step after %j must be %s', async (args, next) => {
  await using folder = await emptyFolder();
  const { stderr } = await runInProcess(folder.path, args);
  expect(stderr).toContain(`; next: ${next}\n`);
});

test('init must write neither the schema nor its comment with --no-schema, and every key with --full', async () => {
  await using folder = await emptyFolder();
  const { stderr } = await runInProcess(folder.path, ['init', '--no-schema', '--full', '--name', 'x']);
  expect(stderr).toBe('wrote stack.yml; next: promstack up\n');
  expect(await readFile(join(folder.path, 'stack.yml'), 'utf8')).toBe(written.replace(/^name: .*$/m, 'name: x'));
});

test('init must keep an existing schema, and write no second stack file', async () => {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.schema.json'), 'mine');
  const { stderr } = await runInProcess(folder.path, ['init', '-f', 'promstack.yml']);
  expect(stderr).toBe(
    'stack.schema.json already exists; it was not changed\nwrote promstack.yml; next: promstack up\n',
  );
  expect(await readFile(join(folder.path, 'stack.schema.json'), 'utf8')).toBe('mine');
  const second = await runInProcess(folder.path, ['init']);
  expect([second.exitCode, second.stderr]).toEqual([2, expect.stringContaining('promstack.yml already exists')]);
});

test('init must print the written files or the content as JSON', async () => {
  await using folder = await emptyFolder();
  const written = await runInProcess(folder.path, ['init', 'sub', '--json']);
  const files = ['stack.yml', 'stack.schema.json'].map((name) => join(folder.path, 'sub', name));
  expect(JSON.parse(written.stdout)).toMatchObject({ files });
  const printed = await runInProcess(folder.path, ['init', 'sub', '--print', '--json']);
  const content = await readFile(join(folder.path, 'sub', 'stack.yml'), 'utf8');
  expect(JSON.parse(printed.stdout)).toMatchObject({ files: [], content });
});

test('init must never overwrite a file, however it is named', async () => {
  await using folder = await emptyFolder();
  const path = join(folder.path, 'stack.yml');
  await writeFile(path, 'mine\n');
  for (const args of [['init'], ['init', '.'], ['init', '-f', 'stack.yml']]) {
    const { exitCode, stderr } = await runInProcess(folder.path, args);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: '✖ stack.yml already exists\n  it was not changed; --print shows a new one\n',
    });
  }
  expect(await readFile(path, 'utf8')).toBe('mine\n');
  expect((await runInProcess(folder.path, ['init', '--print', '--name', 'shown'])).stdout).toContain('\nname: shown\n');
});

test('init must refuse an invalid name', async () => {
  await using folder = await emptyFolder();
  const { exitCode, stderr } = await runInProcess(folder.path, ['init', '--name', 'Not A Name']);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^✖ --name Not A Name: expected a name/);
});

test('init must reject a reserved name', async () => {
  await using folder = await emptyFolder();
  const { exitCode, stderr } = await runInProcess(folder.path, ['init', '--name', 'host']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('--name host: a stack cannot be named "host"');
});

const written = readFileSync(join(packageRoot(), 'templates', 'init', 'full.yml'), 'utf8');
/** The file with every key uncommented: a `#` without a space comments out a key. */
const uncomment = (text: string): string => text.replaceAll(/^( *)#(?=[^\s#])/gm, '$1');
const uncommented = uncomment(written);

async function loadText(text: string) {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'stack.yml'), text);
  // Any name the examples take from the environment.
  const env = Object.fromEntries(
    [...text.matchAll(/!env (?:\{name: )?(\w+)/g)].map(([, name]) => [String(name), exampleSecret(String(name))]),
  );
  return await loadStack({ cwd: folder.path, env });
}

const short = readFileSync(join(packageRoot(), 'templates', 'init', 'stack.yml'), 'utf8');

test.each([short, written])('the stack.yml of init must be valid, with only defaults', async (text) => {
  const loaded = await loadText(text);
  expect(loaded).toMatchObject({ ok: true, warnings: [] });
  expect(loaded.ok && loaded.value.config).toEqual(stackSchema.parse({ version: schemaVersion }));
});

test.each<[text: string, alternatives: readonly string[]]>([
  [short, []],
  // Prometheus's own keys have two places each; a size and a percentage, two stores, two logins and two kinds of certificates
  // are alternatives.
  [written, ['set-twice', 'ignored-key', 'two-stores', 'two-logins', 'access-names', 'secret-file', 'cannot-read']],
])('with every line uncommented, only the files of the examples must be missing', async (text, alternatives) => {
  const loaded = await loadText(uncomment(text));
  const diagnostics = loaded.ok ? loaded.warnings : loaded.error;
  // The files that the examples name are not there; nothing else may be wrong.
  expect(new Set(diagnostics.map(({ code }) => code))).toEqual(new Set(['nothing-matches', ...alternatives]));
});

test('it must contain every key of the schema', () => {
  const document = parseDocument(uncommented, { logLevel: 'error' });
  const missing = knownKeys(stackSchema)
    .map(({ path }) => path)
    // The items of lists are in the programs' own syntax; examples of them are enough.
    .filter((path) => !path.includes('[]') && !document.hasIn(path))
    .map((path) => path.join('.'));
  expect(missing).toEqual([]);
});

test('it must show each key with its default', () => {
  const document = parseDocument(uncommented, { logLevel: 'error' });
  for (const { path, schema } of knownKeys(stackSchema)) {
    const preset = defaultOf(schema);
    if (preset === undefined || path.includes('[]') || readSchema(schema).kind !== 'value') continue;
    expect.soft(document.getIn(path), path.join('.')).toEqual(preset);
  }
});

function defaultOf(schema: z.core.$ZodType): unknown {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'default' ? def.defaultValue : undefined;
}
