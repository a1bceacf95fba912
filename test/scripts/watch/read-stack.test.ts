import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stackReader } from '../../../scripts/watch/read-stack.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-stack-'));
  await writeFile(join(folder, 'stack.yml'), 'name: read\n');
  await mkdir(join(folder, 'tests'));
});

const nameOf = ({ rendering }: Awaited<ReturnType<ReturnType<typeof stackReader>['read']>>): string =>
  rendering.ok ? rendering.value.config.name : 'wrong';

afterEach(() => rm(folder, { recursive: true }));

describe('the files of a watched stack', () => {
  it('must be those of the stack file found first, even while it is missing', async () => {
    const child = join(folder, 'child');
    await mkdir(child);
    await writeFile(join(child, 'stack.yml'), 'name: child\n');
    const reader = stackReader({ file: undefined, cwd: child, env: {} });
    expect(nameOf(await reader.read())).toBe('child');
    await rm(join(child, 'stack.yml'));
    const { rendering, paths } = await reader.read();
    expect(rendering).toMatchObject({
      ok: false,
      error: [{ message: `reading ${child}/stack.yml: it does not exist` }],
    });
    expect(paths?.shallow).toContain(child);
    await writeFile(join(child, 'stack.yml'), 'name: child-again\n');
    expect(nameOf(await reader.read())).toBe('child-again');
  });

  it('must be an error when there never was a stack file', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'no-stack-'));
    try {
      await expect(stackReader({ file: undefined, cwd: empty, env: {} }).read()).rejects.toThrow(
        'there is no stack.yml or promstack.yml',
      );
    } finally {
      await rm(empty, { recursive: true });
    }
  });

  it('must be invalid while one of them cannot be read, and valid again afterwards', async () => {
    const reader = stackReader({ file: undefined, cwd: folder, env: {} });
    await symlink('/nowhere/a.yml', join(folder, 'tests/a.yml'));
    const { rendering, paths } = await reader.read();
    expect(rendering).toEqual({
      ok: false,
      error: [
        {
          severity: 'error',
          code: 'unreadable',
          message: `reading the test ${folder}/tests/a.yml: it is a symbolic link to /nowhere/a.yml, which does not exist`,
          hint: 'make it a readable file, or move it out of the folder tests',
        },
      ],
    });
    expect(paths?.deep).toContain(join(folder, 'tests'));

    await rm(join(folder, 'tests/a.yml'));
    expect((await reader.read()).rendering.ok).toBe(true);
  });
});
