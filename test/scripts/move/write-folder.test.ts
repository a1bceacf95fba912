import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type OwnFile, writeFolder } from '../../../scripts/move/write-folder.ts';

const root = await mkdtemp(join(tmpdir(), 'promstack-folder-'));
let folder = '';
beforeEach(async () => {
  folder = join(await mkdtemp(join(root, 'case-')), 'out');
});
afterAll(() => rm(root, { recursive: true, force: true }));

const file = (path: string, text = 'a\n', rest: Partial<OwnFile> = {}): OwnFile => {
  return { path, content: Buffer.from(text), ...rest };
};
const secret = (text: string, rest: Partial<OwnFile> = {}): OwnFile =>
  file('secrets/a/b', text, { isSecret: true, ...rest });
const textAt = (path: string): Promise<string> => readFile(join(folder, path), 'utf8');

async function filesIn(): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

describe('an exported folder', () => {
  it('must be written again with what has changed, and without what is no longer exported', async () => {
    await writeFolder(folder, [file('a.yml'), file('rules/b.yml'), file('c.yml')]);
    const removed = await writeFolder(folder, [file('a.yml', 'new\n'), file('c.yml')]);
    expect(removed).toEqual(['rules/b.yml']);
    expect(await filesIn()).toEqual(['.promstack-export', 'a.yml', 'c.yml']);
    expect(await textAt('a.yml')).toBe('new\n');
  });

  it.each([
    [
      'a file of others',
      async () => writeFile(join(folder, 'a.yml'), 'mine'),
      'it already contains a.yml, which promstack did not write',
    ],
    ['a link', async () => symlink('/etc/hostname', join(folder, 'a.yml')), 'a.yml in it is a link, or not a file'],
    ['a folder', async () => mkdir(join(folder, 'a.yml')), 'a.yml in it is a link, or not a file'],
    [
      'a folder that is a link',
      async () => symlink('/tmp', join(folder, 'rules')),
      'rules/b.yml in it is a link, or not a file',
    ],
  ])('must not be written over %s, nor in part', async (_, put, why) => {
    await mkdir(folder);
    await put();
    const before = await filesIn();
    await expect(writeFolder(folder, [file('0.yml'), file('a.yml'), file('rules/b.yml')])).rejects.toThrow(why);
    expect(await filesIn()).toEqual(before);
  });

  it('must keep what a user has changed, and say so', async () => {
    await writeFolder(folder, [file('a.yml'), file('b.yml'), file('old.yml')]);
    await writeFile(join(folder, 'b.yml'), 'mine');
    await writeFile(join(folder, 'old.yml'), 'mine');
    const again = writeFolder(folder, [file('a.yml', 'new'), file('b.yml', 'new')]);
    await expect(again).rejects.toThrow('its b.yml was changed since promstack wrote it');
    expect([await textAt('a.yml'), await textAt('b.yml')]).toEqual(['a\n', 'mine']);
    await rm(join(folder, 'b.yml'));
    expect(await writeFolder(folder, [file('a.yml', 'new'), file('b.yml', 'new')])).toEqual([]);
    expect(await textAt('old.yml')).toBe('mine');
  });

  it('must replace no secret, and take a new one only where there is none', async () => {
    await writeFolder(folder, [secret('one')]);
    await writeFolder(folder, [secret('one')]);
    await expect(writeFolder(folder, [secret('two')])).rejects.toThrow(
      'its secrets/a/b is not the secret of the stack',
    );
    await writeFolder(folder, [secret('two', { isKept: true })]);
    expect(await textAt('secrets/a/b')).toBe('one');
    // An export without secrets leaves those of earlier ones.
    await writeFolder(folder, [file('a.yml')]);
    expect(await textAt('secrets/a/b')).toBe('one');
    // Nothing about a secret is recorded, such as a hash by which it could be guessed.
    expect(await textAt('.promstack-export')).not.toContain('secrets');
  });

  it('must be readable for all users of containers, and its secrets for nobody else', async () => {
    const umask = process.umask(0o077);
    try {
      await writeFolder(folder, [file('config/a/b.yml'), file('run.sh', '', { isExecutable: true }), secret('x')]);
    } finally {
      process.umask(umask);
    }
    const modes = ['config/a', 'config/a/b.yml', 'run.sh', 'secrets', 'secrets/a', 'secrets/a/b'].map(async (path) =>
      ((await stat(join(folder, path))).mode & 0o777).toString(8),
    );
    expect(await Promise.all(modes)).toEqual(['755', '644', '755', '700', '755', '644']);
  });

  it('must be completed after an export that stopped in between', async () => {
    await writeFolder(folder, [file('b.yml', 'one')]);
    // The second file cannot be written, since the first has the name of its folder.
    const stopped = writeFolder(folder, [file('b.yml', 'two'), file('a', 'two'), file('a/c', 'two')]);
    await expect(stopped).rejects.toThrow('a is a file, not a folder');
    expect([await textAt('a'), await textAt('b.yml')]).toEqual(['two', 'two']);
    expect(await writeFolder(folder, [file('b.yml', 'three'), file('a', 'three')])).toEqual([]);
    expect([await textAt('a'), await textAt('b.yml')]).toEqual(['three', 'three']);
  });

  it('must ignore a record of files outside of it', async () => {
    await writeFolder(folder, [file('a.yml')]);
    const outside = join(folder, '..', 'mine');
    await writeFile(outside, 'a\n');
    const line = (await textAt('.promstack-export')).replace('a.yml', '../mine');
    await writeFile(join(folder, '.promstack-export'), line);
    await writeFolder(folder, []);
    expect(await readFile(outside, 'utf8')).toBe('a\n');
  });
});
