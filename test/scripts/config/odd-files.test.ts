import { execFileSync } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadStack } from '../../../scripts/config/load.ts';
import { folderWith } from '../../support/config.ts';

/** What is told of a stack with these rules, the folder's own path left out. */
async function toldOf(folder: string, rules: string): Promise<readonly unknown[]> {
  const loaded = await loadStack({ cwd: folder, env: {} });
  expect(loaded.ok, rules).toBe(false);
  const told = loaded.ok ? [] : loaded.error;
  return told.map(({ message, hint, where }) => [where?.line, message.replace(folder, 'HERE'), hint]);
}

const stackWith = (rules: string) => ({ 'stack.yml': `prometheus:\n  rules: [${rules}]\n` });

test.each(['pipe.yml', '"*.yml"'])('a pipe among the rules named by %s must be told, not waited for', async (rules) => {
  await using folder = await folderWith(stackWith(rules));
  execFileSync('mkfifo', [join(folder.path, 'pipe.yml')]);
  expect(await toldOf(folder.path, rules)).toContainEqual([
    2,
    'the file pipe.yml is no regular file',
    'paths are relative to the folder of stack.yml',
  ]);
});

test('a folder of rules that cannot be read must not be taken for an empty one', async () => {
  await using folder = await folderWith(stackWith('"rules/*.yml"'));
  await symlink('rules', join(folder.path, 'rules'));
  expect(await toldOf(folder.path, 'rules')).toEqual([
    [2, 'the folder HERE/rules cannot be read (ELOOP)', 'let this user read it, or name files elsewhere'],
  ]);
});
