import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { unpackEntries } from '../../../../scripts/engine/docker/tar.ts';
import { toTarStream } from '../../../../scripts/engine/images/built-image.ts';
import { RootTree, type TreeEntry } from '../../../../scripts/engine/images/root-tree.ts';
import { emptyFolder } from '../../../support/promstack.ts';

/** A folder of unpacked packages: texts are files, `-> x` is a link. */
async function unpacked(files: Readonly<Record<string, string>>) {
  const folder = await emptyFolder();
  for (const [path, text] of Object.entries(files)) {
    const full = join(folder.path, path);
    await mkdir(dirname(full), { recursive: true });
    if (text.startsWith('-> ')) await symlink(text.slice(3), full);
    else await writeFile(full, text);
  }
  return folder;
}

const paths = (entries: readonly TreeEntry[]) => entries.map((entry) => `${entry.kind} ${entry.path}`);

test('a folder must come with its parents and all that is in it', async () => {
  await using folder = await unpacked({ 'usr/share/zone/Asia/Shanghai': 'tz', 'usr/share/doc/x': 'x' });
  const tree = new RootTree(folder.path);
  expect(await tree.include('usr/share/zone')).toBe(true);
  expect(paths(tree.entries())).toEqual([
    'directory usr',
    'directory usr/share',
    'directory usr/share/zone',
    'directory usr/share/zone/Asia',
    'copy usr/share/zone/Asia/Shanghai',
  ]);
});

test('what a link leads to must come with it, through more links', async () => {
  await using folder = await unpacked({
    'usr/share/web/jquery': '-> ../javascript/jquery',
    'usr/share/javascript/jquery/jquery.js': '-> ../../nodejs/jquery.js',
    'usr/share/nodejs/jquery.js': 'code',
    'usr/share/web/absolute': '-> /usr/share/other',
    'usr/share/other': 'text',
  });
  const tree = new RootTree(folder.path);
  await tree.include('usr/share/web');
  expect(paths(tree.entries()).filter((one) => !one.startsWith('directory'))).toEqual([
    'link usr/share/javascript/jquery/jquery.js',
    'copy usr/share/nodejs/jquery.js',
    'copy usr/share/other',
    'link usr/share/web/absolute',
    'link usr/share/web/jquery',
  ]);
});

test('a folder must come whole though a link led into it before', async () => {
  await using folder = await unpacked({ 'zone/A': '-> Z/one', 'zone/Z/one': '1', 'zone/Z/two': '2' });
  const tree = new RootTree(folder.path);
  await tree.include('zone');
  expect([tree.has('zone/Z/one'), tree.has('zone/Z/two')]).toEqual([true, true]);
});

test('a link that leads nowhere must be left out, and a circle of links must end', async () => {
  await using folder = await unpacked({ 'web/gone': '-> ../absent', 'web/a': '-> b', 'web/b': '-> a', 'web/x': 'x' });
  const tree = new RootTree(folder.path);
  await tree.include('web');
  expect(tree.has('web/gone')).toBe(false);
  expect(tree.has('web/x')).toBe(true);
});

test('what no package has must be an answer', async () => {
  await using folder = await unpacked({});
  const tree = new RootTree(folder.path);
  expect(await tree.include('usr/share/nothing')).toBe(false);
  expect(await tree.addProgram('bin/thing', 'usr/bin/thing')).toBe(false);
});

test('a tree must become a tar of the same files, owners and modes', async () => {
  await using folder = await unpacked({ 'usr/bin/thing': 'program' });
  await chmod(join(folder.path, 'usr/bin/thing'), 0o711);
  const tree = new RootTree(folder.path);
  await tree.addProgram('bin/thing', 'usr/bin/thing');
  tree.add({ kind: 'text', path: 'etc/passwd', content: 'root\n' });
  tree.add({ kind: 'link', path: 'bin/sh', to: 'thing' });
  tree.add({ kind: 'directory', path: 'tmp', mode: 0o1777, owner: 0 });
  tree.add({ kind: 'directory', path: 'data', mode: 0o755, owner: 65534 });
  const tar = await buffer(toTarStream(tree.entries()));
  const root = { uid: 0, gid: 0 };
  expect(await unpackEntries(Readable.from([tar]))).toEqual([
    { kind: 'directory', path: 'bin', mode: 0o755, ...root },
    { kind: 'link', path: 'bin/sh', to: 'thing', ...root },
    { kind: 'file', path: 'bin/thing', content: Buffer.from('program'), mode: 0o755, ...root },
    { kind: 'directory', path: 'data', mode: 0o755, uid: 65534, gid: 65534 },
    { kind: 'directory', path: 'etc', mode: 0o755, ...root },
    { kind: 'file', path: 'etc/passwd', content: Buffer.from('root\n'), mode: 0o644, ...root },
    { kind: 'directory', path: 'tmp', mode: 0o1777, ...root },
  ]);
});

test('a file that vanishes while it is packed must break the tar, not shorten it', async () => {
  const entry: TreeEntry = { kind: 'copy', path: 'bin/x', from: '/nowhere/x', size: 10, mode: 0o755 };
  await expect(buffer(toTarStream([entry]))).rejects.toThrow('ENOENT');
});
