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

  test('must be found with either extension, the nearest first', async () => {
    await using folder = await folderWith({ 'stack.yml': '', 'inner/stack.yaml': '', 'inner/below/x': '' });
    const stackFile = await findStackFile({ cwd: join(folder.path, 'inner', 'below') });
    expect(stackFile).toMatchObject({ ok: true, value: join(folder.path, 'inner', 'stack.yaml') });
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
    [undefined, 'there is no stack.yml in HERE/empty or any folder above it'],
    ['no.yml', 'there is no file no.yml'],
    ['empty', 'there is no stack.yml in the folder empty'],
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
