import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stackReader } from '../../scripts/watch/read-stack.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-stack-'));
  await writeFile(join(folder, 'stack.yml'), 'name: read\n');
  await mkdir(join(folder, 'tests'));
});

afterEach(() => rm(folder, { recursive: true }));

describe('the files of a watched stack', () => {
  it('must be wrong while one of them cannot be read, and right again afterwards', async () => {
    const reader = stackReader({ file: undefined, cwd: folder, env: {} });
    await symlink('/nowhere/a.yml', join(folder, 'tests/a.yml'));
    const { rendering, paths } = await reader.read();
    expect(rendering).toEqual({
      ok: false,
      error: [
        {
          severity: 'error',
          code: 'unreadable',
          message: expect.stringContaining(`reading the test ${folder}/tests/a.yml: ENOENT`),
          hint: 'make it a file that you may read, or take it out of the folder of tests',
        },
      ],
    });
    expect(paths?.deep).toContain(join(folder, 'tests'));

    await rm(join(folder, 'tests/a.yml'));
    expect((await reader.read()).rendering.ok).toBe(true);
  });
});
