import { execFileSync } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadStack } from '../../../scripts/config/load.ts';
import { type CheckedFiles, readUserFiles } from '../../../scripts/config/user-files.ts';
import { stackSchema } from '../../../stack/config.ts';
import { folderWith } from '../../support/config.ts';

describe('files that are loaded repeatedly', () => {
  const loki = { name: 'Loki', type: 'loki', uid: 'loki', url: 'http://loki:3100' };
  const named = { prometheus: { rules: ['a.yml'] }, grafana: { dashboards: ['logs.json'] } };
  const before = stackSchema.parse(named);
  const after = stackSchema.parse({ ...named, grafana: { ...named.grafana, datasources: [loki] } });
  const files = {
    'a.yml': 'groups: 1\n',
    'logs.json': JSON.stringify({ title: 'Logs', uid: 'logs', panels: [{ datasource: { uid: 'loki' } }] }),
  };

  test('must be checked again when the keys that they depend on change', async () => {
    await using folder = await folderWith(files);
    const judged: CheckedFiles = new Map();
    const problemsWith = async (config: typeof before): Promise<readonly string[]> =>
      (await readUserFiles(config, folder.path, folder.path, judged)).diagnostics.map(({ message }) => message);
    const unknown = 'the stack has no datasource with the uid "loki"';
    expect(await problemsWith(before)).toContain(unknown);
    expect(await problemsWith(after)).not.toContain(unknown);
    expect(await problemsWith(before)).toContain(unknown);
  });

  test('must not be checked again for other changes', async () => {
    await using folder = await folderWith(files);
    const judged: CheckedFiles = new Map();
    await readUserFiles(before, folder.path, folder.path, judged);
    const rules = judged.get(join(folder.path, 'a.yml'))?.diagnostics;
    expect(rules).toHaveLength(1);
    await readUserFiles(after, folder.path, folder.path, judged);
    expect(judged.get(join(folder.path, 'a.yml'))?.diagnostics).toBe(rules);
  });
});

/** The problems of a stack with these rules, without the path of the folder. */
async function printed(folder: string, rules: string): Promise<readonly unknown[]> {
  const loaded = await loadStack({ cwd: folder, env: {} });
  expect(loaded.ok, rules).toBe(false);
  const diagnostics = loaded.ok ? [] : loaded.error;
  return diagnostics.map(({ message, hint, where }) => [where?.line, message.replace(folder, 'HERE'), hint]);
}

const stackWith = (rules: string) => ({ 'stack.yml': `prometheus:\n  rules: [${rules}]\n` });

test.each(['pipe.yml', '"*.yml"'])(
  'a pipe among the rules named by %s must be reported without waiting',
  async (rules) => {
    await using folder = await folderWith(stackWith(rules));
    execFileSync('mkfifo', [join(folder.path, 'pipe.yml')]);
    expect(await printed(folder.path, rules)).toContainEqual([
      2,
      'the file pipe.yml is not a regular file',
      'paths are relative to the folder of stack.yml',
    ]);
  },
);

test('an unreadable folder of rules must be an error', async () => {
  await using folder = await folderWith(stackWith('"rules/*.yml"'));
  await symlink('rules', join(folder.path, 'rules'));
  expect(await printed(folder.path, 'rules')).toEqual([
    [
      2,
      'the folder HERE/rules cannot be read (ELOOP)',
      'make it readable for this user, or use files in another folder',
    ],
  ]);
});

describe('files of any kind', () => {
  const stack = (files: string) => ({ 'stack.yml': `prometheus:\n  files: [${files}]\n` });

  test.each<[files: string, message: string, hint: string]>([
    [
      'out.pem',
      'out.pem is a symbolic link to a file outside the folder of stack.yml, so it would be different on another machine',
      'copy it into that folder, in place of the link',
    ],
    [
      '"*.pem"',
      'out.pem is a symbolic link to a file outside the folder of stack.yml, so it would be different on another machine',
      'copy it into that folder, in place of the link',
    ],
    [
      'through/hostname',
      'through/hostname is a symbolic link to a file outside the folder of stack.yml, so it would be different on another machine',
      'copy it into that folder, in place of the link',
    ],
    [
      'large.bin',
      'the file large.bin is larger than 8 MiB',
      'leave it out: each release in the config volume has a copy of all files',
    ],
  ])('must be refused when they cannot be placed: %s', async (files, message, hint) => {
    await using folder = await folderWith({ ...stack(files), 'large.bin': 'x'.repeat(8 * 2 ** 20 + 1) });
    await symlink('/etc/hostname', join(folder.path, 'out.pem'));
    await symlink('/etc', join(folder.path, 'through'));
    expect(await printed(folder.path, files)).toEqual([[2, message, hint]]);
  });

  test('must be read byte for byte, through links inside the folder too', async () => {
    await using folder = await folderWith({ ...stack('"*/**", link'), 'a/text.txt': '\uFEFFgrün\r\n' });
    await writeFile(join(folder.path, 'a/store.p12'), Buffer.from([0, 255, 10]));
    await symlink('a/text.txt', join(folder.path, 'link'));
    const loaded = await loadStack({ cwd: folder.path, env: {} });
    expect(loaded.ok && loaded.value.userFiles.map(({ path, content, isBinary }) => [path, content, isBinary])).toEqual(
      [
        ['a/store.p12', '\0\xff\n', true],
        ['a/text.txt', '\uFEFFgrün\r\n', undefined],
        ['link', '\uFEFFgrün\r\n', undefined],
      ],
    );
  });
});
