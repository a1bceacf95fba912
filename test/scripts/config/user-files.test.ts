import { execFileSync } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadStack } from '../../../scripts/config/load.ts';
import { type CheckedFiles, readUserFiles } from '../../../scripts/config/user-files.ts';
import { stackSchema } from '../../../stack/config.ts';
import { folderWith } from '../../support/config.ts';

describe('files that are read again and again', () => {
  const loki = { name: 'Loki', type: 'loki', uid: 'loki', url: 'http://loki:3100' };
  const named = { prometheus: { rules: ['a.yml'] }, grafana: { dashboards: ['logs.json'] } };
  const before = stackSchema.parse(named);
  const after = stackSchema.parse({ ...named, grafana: { ...named.grafana, datasources: [loki] } });
  const files = {
    'a.yml': 'groups: 1\n',
    'logs.json': JSON.stringify({ title: 'Logs', uid: 'logs', panels: [{ datasource: { uid: 'loki' } }] }),
  };

  test('must be judged anew by what has changed in stack.yml', async () => {
    await using folder = await folderWith(files);
    const judged: CheckedFiles = new Map();
    const told = async (config: typeof before): Promise<readonly string[]> =>
      (await readUserFiles(config, folder.path, folder.path, judged)).diagnostics.map(({ message }) => message);
    const unknown = 'the stack has no datasource with the uid "loki"';
    expect(await told(before)).toContain(unknown);
    expect(await told(after)).not.toContain(unknown);
    expect(await told(before)).toContain(unknown);
  });

  test('must not be looked into again for what they do not depend on', async () => {
    await using folder = await folderWith(files);
    const judged: CheckedFiles = new Map();
    await readUserFiles(before, folder.path, folder.path, judged);
    const rules = judged.get(join(folder.path, 'a.yml'))?.diagnostics;
    expect(rules).toHaveLength(1);
    await readUserFiles(after, folder.path, folder.path, judged);
    expect(judged.get(join(folder.path, 'a.yml'))?.diagnostics).toBe(rules);
  });
});

/** What is told of a stack with these rules, the folder's own path left out. */
async function printed(folder: string, rules: string): Promise<readonly unknown[]> {
  const loaded = await loadStack({ cwd: folder, env: {} });
  expect(loaded.ok, rules).toBe(false);
  const told = loaded.ok ? [] : loaded.error;
  return told.map(({ message, hint, where }) => [where?.line, message.replace(folder, 'HERE'), hint]);
}

const stackWith = (rules: string) => ({ 'stack.yml': `prometheus:\n  rules: [${rules}]\n` });

test.each(['pipe.yml', '"*.yml"'])('a pipe among the rules named by %s must be told, not waited for', async (rules) => {
  await using folder = await folderWith(stackWith(rules));
  execFileSync('mkfifo', [join(folder.path, 'pipe.yml')]);
  expect(await printed(folder.path, rules)).toContainEqual([
    2,
    'the file pipe.yml is not a regular file',
    'paths are relative to the folder of stack.yml',
  ]);
});

test('a folder of rules that cannot be read must not be taken for an empty one', async () => {
  await using folder = await folderWith(stackWith('"rules/*.yml"'));
  await symlink('rules', join(folder.path, 'rules'));
  expect(await printed(folder.path, 'rules')).toEqual([
    [2, 'the folder HERE/rules cannot be read (ELOOP)', 'make it readable for this user, or name files elsewhere'],
  ]);
});
