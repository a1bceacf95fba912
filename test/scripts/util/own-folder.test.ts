import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { makeOwnFolder, sweepOwnFolders } from '../../../scripts/util/own-folder.ts';

test('only the folders of dead processes of this user must be removed, and no links followed', async () => {
  const before = process.env['TMPDIR'];
  const folder = await mkdtemp(join(tmpdir(), 'promstack-own-folder-'));
  process.env['TMPDIR'] = folder;
  try {
    const own = await makeOwnFolder();
    expect(dirname(own)).toBe(folder);
    const [program = '', machine = '', pid = '', start = '', random = ''] = basename(own).split('-');
    const named = (...parts: readonly string[]): string => join(folder, parts.join('-'));
    const dead = String(2 ** 22 + 1);
    const kept = [
      own,
      named(program, 'ffffffffffff', dead, '1', random),
      named(program, machine, dead, 'x', random),
      named(program, 'demo', random),
      named('other', machine, dead, '1', random),
      join(folder, 'precious'),
    ];
    // The second one is of an earlier process with the pid of this one.
    const removed = [named(program, machine, dead, start, random), named(program, machine, pid, '1', random)];
    for (const path of [...kept, ...removed]) {
      await mkdir(path, { recursive: true });
      await writeFile(join(path, 'config'), 'name: shop\n');
    }
    await symlink(join(folder, 'precious'), join(removed[0] ?? '', 'link'));

    await sweepOwnFolders();
    expect((await readdir(folder)).sort()).toEqual(kept.map((path) => basename(path)).sort());
    for (const path of kept) expect(await readdir(path)).toEqual(['config']);
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    await rm(folder, { recursive: true, force: true });
  }
});
