import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readOwnTests } from '../../scripts/own-tests/read.ts';
import { folderWith } from '../config/support.ts';

test('a pipe among the tests must be told, not waited for', async () => {
  await using folder = await folderWith({ 'tests/a.yml': '' });
  const pipe = join(folder.path, 'tests', 'pipe.yml');
  execFileSync('mkfifo', [pipe]);
  await expect(readOwnTests(folder.path, folder.path)).rejects.toMatchObject({
    doing: `reading the test ${pipe}`,
    why: 'it is no regular file',
  });
});
