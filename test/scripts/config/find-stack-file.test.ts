import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { printDiagnostics } from '../../../scripts/cli/print/diagnostics.ts';
import { loadStack } from '../../../scripts/config/load.ts';
import { findStackFiles } from '../../../scripts/config/stack-file.ts';
import { folderWith } from '../../support/config.ts';

describe('stack.yml', () => {
  test('must be found from a folder below it', async () => {
    await using folder = await folderWith({ 'stack.yml': '', 'rules/deep/a.yml': '' });
    const stackFile = await findStackFiles({ env: {}, cwd: join(folder.path, 'rules', 'deep') });
    expect(stackFile).toMatchObject({ ok: true, value: { paths: [join(folder.path, 'stack.yml')] } });
  });

  test.each(['stack.yaml', 'promstack.yml', 'promstack.yaml'])(
    'may be named %s; the nearest is taken',
    async (name) => {
      await using folder = await folderWith({ 'stack.yml': '', [`inner/${name}`]: '', 'inner/below/x': '' });
      const stackFile = await findStackFiles({ env: {}, cwd: join(folder.path, 'inner', 'below') });
      expect(stackFile).toMatchObject({ ok: true, value: { paths: [join(folder.path, 'inner', name)] } });
    },
  );

  test.each([
    ['stack.yml', 'promstack.yml'],
    ['stack.yml', 'stack.yaml'],
  ])('must not be guessed where there are both %s and %s', async (...names) => {
    await using folder = await folderWith(Object.fromEntries(names.map((name) => [name, ''])));
    expect(await findStackFiles({ env: {}, cwd: folder.path })).toMatchObject({
      ok: false,
      error: [{ message: `${folder.path} has more than one stack file: ${names.join(', ')}` }],
    });
    const file = join(folder.path, names[1] ?? '');
    expect(await findStackFiles({ env: {}, cwd: folder.path, file: names[1] })).toMatchObject({
      ok: true,
      value: { paths: [file] },
    });
  });

  test('must be taken from -f, a file or a folder', async () => {
    await using folder = await folderWith({ 'stack.yml': '', 'other/mine.yml': '', 'other/stack.yml': '' });
    const cwd = folder.path;
    expect(await findStackFiles({ env: {}, cwd, file: 'other/mine.yml' })).toMatchObject({
      value: { paths: [join(cwd, 'other', 'mine.yml')] },
    });
    expect(await findStackFiles({ env: {}, cwd, file: 'other' })).toMatchObject({
      value: { paths: [join(cwd, 'other', 'stack.yml')] },
    });
  });

  test.each([
    ['stack.yml', 'stack.yml', 'it is a symbolic link that leads back to itself'],
    ['stack.yml', 'nowhere.yml', 'it is a symbolic link to nowhere.yml, which does not exist'],
  ])('that is a link %s -> %s must not be reported as missing', async (name, target, because) => {
    await using folder = await folderWith({ 'below/x': '' });
    await symlink(target, join(folder.path, name));
    for (const options of [
      { cwd: join(folder.path, 'below') },
      { cwd: folder.path },
      { cwd: folder.path, file: name },
      { cwd: folder.path, file: '.' },
    ]) {
      await expect(loadStack({ ...options, env: {} })).rejects.toThrow(
        `reading ${join(folder.path, name)}: ${because}`,
      );
    }
  });

  test.each([
    ['x'.repeat(300), 'it is too long for a path'],
    ['/proc/self/mem', 'it cannot be read: i/o error (EIO)'],
  ])('%s must be reported with the reason', async (file, because) => {
    await using folder = await folderWith({});
    await expect(loadStack({ cwd: folder.path, file, env: {} })).rejects.toThrow(because);
  });

  test.each([
    [undefined, 'there is no stack.yml or promstack.yml in HERE/empty or any folder above it'],
    ['no.yml', 'there is no file no.yml'],
    ['empty', 'there is no stack.yml or promstack.yml in the folder empty'],
  ])('must be reported as missing with %s', async (file, message) => {
    await using folder = await folderWith({ 'empty/x': '' });
    const cwd = file === undefined ? join(folder.path, 'empty') : folder.path;
    const loaded = await loadStack({ cwd, file, env: {} });
    const diagnostics = loaded.ok ? [] : loaded.error;
    const printed = printDiagnostics(diagnostics, () => undefined, false);
    expect(printed.replaceAll(folder.path, 'HERE')).toBe(
      `✖ ${message}\n  "promstack init" writes one; "-f FILE" names one in another place; "promstack -p NAME status" and other commands about a running stack need none\n1 problem. Nothing was changed.\n`,
    );
  });
});
