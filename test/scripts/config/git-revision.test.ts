import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { checkOut } from '../../../scripts/config/git-revision.ts';
import { pathExists } from '../../../scripts/util/path-exists.ts';
import { folderWith } from '../../support/config.ts';

const git = (cwd: string, ...args: readonly string[]) =>
  execa('git', ['-c', 'protocol.file.allow=always', '-c', 'user.email=a@example.com', '-c', 'user.name=a', ...args], {
    cwd,
  });

/** A repository with all files of its folder committed. */
async function commitAll(path: string): Promise<void> {
  await git(path, 'init', '-q', '-b', 'main');
  await git(path, 'add', '-A');
  await git(path, 'commit', '-qm', 'one');
}

test('a revision must have the files of submodules as it pins them, also of nested ones', async () => {
  await using inner = await folderWith({ 'deep.yml': 'inner 1' });
  await commitAll(inner.path);
  await using outer = await folderWith({ 'a.yml': 'outer 1' });
  await commitAll(outer.path);
  await git(outer.path, 'submodule', 'add', '-q', inner.path, 'more rules');
  await git(outer.path, 'commit', '-qm', 'two');
  await using stack = await folderWith({ 'stack.yml': 'name: a' });
  await commitAll(stack.path);
  await git(stack.path, 'submodule', 'add', '-q', outer.path, 'mon/rules');
  await git(stack.path, 'submodule', 'add', '-q', inner.path, 'absent');
  await git(stack.path, 'submodule', 'update', '-q', '--init', '--recursive');
  await git(stack.path, 'commit', '-qam', 'two');
  await git(stack.path, 'submodule', 'deinit', '-q', '-f', 'absent');
  // What is not committed, and what the submodule has committed since, is not of the revision.
  const sub = join(stack.path, 'mon/rules');
  await writeFile(join(sub, 'a.yml'), 'outer 2');
  await git(sub, 'commit', '-qam', 'three');
  await writeFile(join(sub, 'more rules/deep.yml'), 'inner 2');

  await using commit = await checkOut('HEAD', stack.path);
  expect(await readFile(join(commit.folder, 'mon/rules/a.yml'), 'utf8')).toBe('outer 1');
  expect(await readFile(join(commit.folder, 'mon/rules/more rules/deep.yml'), 'utf8')).toBe('inner 1');
  expect(await pathExists(join(commit.folder, 'absent/deep.yml'))).toBe(false);
  expect((await git(stack.path, 'status', '--porcelain')).stdout).toBe(' M mon/rules');
});

test('a commit of a submodule that was not fetched must be an error with what to do', async () => {
  await using sub = await folderWith({ 'a.yml': '1' });
  await commitAll(sub.path);
  await using stack = await folderWith({ 'stack.yml': 'name: a' });
  await commitAll(stack.path);
  await git(stack.path, 'submodule', 'add', '-q', sub.path, 'rules');
  await git(stack.path, 'update-index', '--cacheinfo', `160000,${'1'.repeat(40)},rules`);
  await git(stack.path, 'commit', '-qm', 'two');
  await expect(checkOut('HEAD', stack.path)).rejects.toMatchObject({
    doing: 'reading the files of HEAD',
    why: expect.stringContaining('git read-tree in the submodule rules: '),
    tryThis: 'git submodule update --init --recursive',
  });
});
