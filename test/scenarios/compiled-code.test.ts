import { chmod, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, promstack } from '../support/promstack.ts';

/** Runs `promstack schema` with its cache in a folder; returns the compiled code cached there afterwards. */
async function runIn(cache: string, env: Readonly<Record<string, string>> = {}) {
  const { exitCode, stdout, stderr } = await promstack('/', ['schema'], { XDG_CACHE_HOME: cache, ...env });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ type: 'object' });
  return keptIn(cache);
}

async function keptIn(cache: string): Promise<readonly string[]> {
  const root = join(cache, 'promstack', 'compiled');
  const all = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  return all.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

test('compiled code must be cached by the first run, for this user only, and not rewritten by the next', async () => {
  await using folder = await emptyFolder();
  const [kept = '', ...more] = await runIn(folder.path);
  expect(more).toEqual([]);
  expect(kept).toMatch(new RegExp(`/${process.version}-${process.arch}-[0-9a-f]{16}/schema$`));
  const { mode, mtimeMs, ino } = await stat(kept);
  expect(mode & 0o777).toBe(0o600);
  expect(await runIn(folder.path)).toEqual([kept]);
  expect(await stat(kept)).toMatchObject({ mtimeMs, ino });
});

test('compiled code that is truncated, of a different program or writable by others must be ignored and rewritten', async () => {
  await using folder = await emptyFolder();
  const [kept = ''] = await runIn(folder.path);
  const spoilings: (() => Promise<unknown>)[] = [
    () => truncate(kept, 1_000),
    () => truncate(kept, 0),
    () => writeFile(kept, 'console.log("not mine")'),
    () => chmod(kept, 0o666),
  ];
  for (const spoil of spoilings) {
    const { ino } = await stat(kept);
    await spoil();
    expect(await runIn(folder.path)).toEqual([kept]);
    const after = await stat(kept);
    expect(after.ino).not.toBe(ino);
    expect(after.mode & 0o777).toBe(0o600);
  }
});

test('compiled code with a byte changed must not run', async () => {
  await using folder = await emptyFolder();
  const [kept = ''] = await runIn(folder.path);
  const code = await readFile(kept);
  const middle = code.length >> 1;
  code.writeUInt8(code.readUInt8(middle) ^ 0xff, middle);
  await writeFile(kept, code);
  expect(await runIn(folder.path)).toEqual([kept]);
  expect(await readFile(kept)).not.toEqual(code);
});

test('a cache that cannot be written, or is disabled, must not be an error', async () => {
  await using folder = await emptyFolder();
  const file = join(folder.path, 'a-file');
  await writeFile(file, '');
  expect(await runIn(file)).toEqual([]);
  expect(await runIn(join(folder.path, 'off'), { NODE_DISABLE_COMPILE_CACHE: '1' })).toEqual([]);
});

test('the compiled code of only the newest builds must be kept', async () => {
  await using folder = await emptyFolder();
  const compiled = join(folder.path, 'promstack', 'compiled');
  for (const build of ['one', 'two', 'three', 'four']) await mkdir(join(compiled, build), { recursive: true });
  const [kept = ''] = await runIn(folder.path);
  const builds = await readdir(compiled);
  expect(builds).toHaveLength(3);
  expect(builds).toContain(kept.split('/').at(-2));
});
