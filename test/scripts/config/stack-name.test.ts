import { execFileSync } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type LoadOptions, loadConfig, loadStack } from '../../../scripts/config/load.ts';
import { nameOfFolder } from '../../../scripts/config/stack-name.ts';
import { folderWith } from '../../support/config.ts';

test.each([
  ['/srv/monitoring', 'monitoring'],
  ['/srv/My Stack (old)', 'mystackold'],
  ['/srv/Shop.v2', 'shopv2'],
  ['/srv/_x_', 'x_'],
  ['/srv/--1-a', '1-a'],
  ['/srv/café', 'caf'],
  ['/srv/监控', 'promstack'],
  ['/', 'promstack'],
  ['/srv/default', 'default-stack'],
  [`/srv/${'a'.repeat(60)}`, 'a'.repeat(41)],
])('the stack of the folder %s must be named %s', (folder, name) => {
  expect(nameOfFolder(folder)).toBe(name);
});

describe('a stack.yml', () => {
  const names = async (text: string, more: Partial<LoadOptions> = {}) => {
    await using parent = await folderWith({ 'Shop 1/stack.yml': text });
    const options = { cwd: join(parent.path, 'Shop 1'), env: {}, ...more };
    const [stack, config] = [await loadStack(options), await loadConfig(options)];
    if (!stack.ok || !config.ok) throw new Error(JSON.stringify([stack, config]));
    expect(config.value.config.name).toBe(stack.value.config.name);
    return { name: stack.value.config.name, notes: stack.warnings };
  };

  test.each(['', 'name:\n', 'name: ~\n', 'timezone: UTC\n'])('of %j must be named after its folder', async (text) => {
    expect(await names(text)).toEqual({ name: 'shop1', notes: [] });
  });

  test('with a name must keep it, and not be looked up', async () => {
    const nameUnnamed = () => Promise.reject(new Error('it has a name'));
    expect(await names('name: promstack\n', { nameUnnamed })).toMatchObject({ name: 'promstack' });
  });

  test('without a name must keep the name under which it runs, and say so', async () => {
    const { name, notes } = await names('', { nameUnnamed: async () => 'promstack' });
    expect(name).toBe('promstack');
    expect(notes).toEqual([
      expect.objectContaining({
        severity: 'note',
        message: 'stack.yml has no name; the stack promstack on this engine keeps its name',
      }),
    ]);
  });

  test('with mistakes must not be looked up on the engine', async () => {
    await using folder = await folderWith({ 'stack.yml': 'bogus: 1\n' });
    const nameUnnamed = () => Promise.reject(new Error('no engine'));
    expect((await loadStack({ cwd: folder.path, env: {}, nameUnnamed })).ok).toBe(false);
  });

  test('must have the same name and place through a link to its folder', async () => {
    await using folder = await folderWith({ 'real/stack.yml': '' });
    await symlink(join(folder.path, 'real'), join(folder.path, 'link'));
    const load = (file: string) => loadConfig({ file, cwd: folder.path, env: {} });
    expect(await load('link/stack.yml')).toEqual(await load('real/stack.yml'));
    expect(await load('link')).toMatchObject({ value: { config: { name: 'real' }, origin: { file: 'stack.yml' } } });
  });

  test('from a pipe must be named after the working folder, and have no place', async () => {
    await using folder = await folderWith({ 'a.txt': '' });
    const file = join(folder.path, 'pipe');
    execFileSync('mkfifo', [file]);
    const [loaded] = await Promise.all([loadConfig({ file, cwd: folder.path, env: {} }), writeFile(file, '')]);
    expect(loaded).toMatchObject({ value: { config: { name: nameOfFolder(basename(folder.path)) } } });
    expect(loaded.ok && loaded.value.origin).toBeUndefined();
  });
});
