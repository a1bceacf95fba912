import { execFileSync } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readOwnTests } from '../../../scripts/config/user-files.ts';
import { folderWith } from '../../support/config.ts';

test('a stack without a folder of tests must have no tests', async () => {
  await using folder = await folderWith({});
  expect(await readOwnTests(folder.path, folder.path)).toEqual([]);
});

test('an unreadable folder of tests must be an error', async () => {
  await using folder = await folderWith({});
  await symlink('tests', join(folder.path, 'tests'));
  await expect(readOwnTests(folder.path, folder.path)).rejects.toMatchObject({
    name: 'StackError',
    why: `the folder ${folder.path}/tests cannot be read (ELOOP)`,
  });
});

test('a pipe among the tests must be refused without waiting', async () => {
  await using folder = await folderWith({ 'tests/a.yml': '' });
  const pipe = join(folder.path, 'tests', 'pipe.yml');
  execFileSync('mkfifo', [pipe]);
  await expect(readOwnTests(folder.path, folder.path)).rejects.toMatchObject({
    doing: `reading the test ${pipe}`,
    why: 'it is not a regular file',
  });
});
