import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeFolder } from '../../../scripts/util/make-folder.ts';
import { writeFailure } from '../../../scripts/util/write-failure.ts';

const root = await mkdtemp(join(tmpdir(), 'promstack-write-'));
afterAll(() => rm(root, { recursive: true }));
await writeFile(join(root, 'file'), '');
await symlink('nowhere', join(root, 'broken'));
await symlink('file', join(root, 'link'));
await symlink('loop', join(root, 'loop'));
await mkdir(join(root, 'folder'));

test.each([
  ['file/a.yml', 'ROOT/file is a file, not a folder'],
  ['file/below/a.yml', 'ROOT/file is a file, not a folder'],
  ['link/a.yml', 'ROOT/link is a link to a file, not a folder'],
  ['broken/a.yml', 'ROOT/broken is a link to a path that does not exist, not a folder'],
  ['loop/a.yml', 'ROOT/loop is a symbolic link that leads back to itself'],
  ['folder', 'ROOT/folder already exists'],
  ['file', 'ROOT/file already exists'],
  [`${'a'.repeat(300)}/a.yml`, 'a name in the path is too long'],
  // The kernel denies it by an error that says that the new folder does not exist.
  ['../../proc/promstack/below/a.yml', expect.stringMatching(/^ENOENT: .* mkdir '\/proc\/promstack'$/)],
  ['../../sys/promstack/a.yml', expect.stringMatching(/^permission denied: \/sys\/promstack \(E(?:PERM|ACCES)\)$/)],
])('a file that cannot be written must be explained: %s', async (path, why) => {
  const target = join(root, path);
  const write = async (): Promise<void> => {
    await makeFolder(dirname(target));
    await writeFile(target, '', { flag: 'wx' });
  };
  const error = await write().then(
    () => undefined,
    (failure: unknown) => failure,
  );
  const explained = await writeFailure(error, target);
  expect(explained.why.replaceAll(root, 'ROOT')).toEqual(why);
});

test('a folder in place of a file must be explained', async () => {
  const error = await writeFile(join(root, 'folder'), '').catch((failure: unknown) => failure);
  expect((await writeFailure(error, root)).why).toBe(`${join(root, 'folder')} is a folder`);
});
