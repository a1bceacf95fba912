import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { printDiagnostics } from '../../../scripts/cli/print/diagnostics.ts';
import { findStackFile, loadStack } from '../../../scripts/config/load.ts';
import { folderWith } from '../../support/config.ts';

describe('stack.yml', () => {
  test('must be found from a folder below it', async () => {
    await using folder = await folderWith({ 'stack.yml': '', 'rules/deep/a.yml': '' });
    const stackFile = await findStackFile({ cwd: join(folder.path, 'rules', 'deep') });
    expect(stackFile).toMatchObject({ ok: true, value: join(folder.path, 'stack.yml') });
  });

  test.each(['stack.yaml', 'promstack.yml', 'promstack.yaml'])(
    'may be named %s; the nearest is taken',
    async (name) => {
      await using folder = await folderWith({ 'stack.yml': '', [`inner/${name}`]: '', 'inner/below/x': '' });
      const stackFile = await findStackFile({ cwd: join(folder.path, 'inner', 'below') });
      expect(stackFile).toMatchObject({ ok: true, value: join(folder.path, 'inner', name) });
    },
  );

  test.each([
    ['stack.yml', 'promstack.yml'],
    ['stack.yml', 'stack.yaml'],
  ])('must not be guessed where there are both %s and %s', async (...names) => {
    await using folder = await folderWith(Object.fromEntries(names.map((name) => [name, ''])));
    expect(await findStackFile({ cwd: folder.path })).toMatchObject({
      ok: false,
      error: [{ message: `${folder.path} has more than one stack file: ${names.join(', ')}` }],
    });
    const file = join(folder.path, names[1] ?? '');
    expect(await findStackFile({ cwd: folder.path, file: names[1] })).toMatchObject({ ok: true, value: file });
  });

  test('must be taken from -f, a file or a folder', async () => {
    await using folder = await folderWith({ 'stack.yml': '', 'other/mine.yml': '', 'other/stack.yml': '' });
    const cwd = folder.path;
    expect(await findStackFile({ cwd, file: 'other/mine.yml' })).toMatchObject({
      value: join(cwd, 'other', 'mine.yml'),
    });
    expect(await findStackFile({ cwd, file: 'other' })).toMatchObject({ value: join(cwd, 'other', 'stack.yml') });
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
