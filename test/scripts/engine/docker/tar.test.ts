import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { findEntry, packEntries, unpackEntries } from '../../../../scripts/engine/docker/tar.ts';
import type { ArchiveEntry } from '../../../../scripts/engine/engine.ts';

const entries: readonly ArchiveEntry[] = [
  { kind: 'directory', path: 'releases/a', mode: 0o750, uid: 65534, gid: 0 },
  { kind: 'file', path: 'releases/a/x.yml', content: Buffer.from('héllo\n'), mode: 0o440, uid: 65534, gid: 65534 },
  { kind: 'file', path: `releases/${'long/'.repeat(60)}empty`, content: Buffer.alloc(0), mode: 0o644, uid: 0, gid: 0 },
  { kind: 'link', path: 'current', to: 'releases/a', uid: 65534, gid: 65534 },
];

test('entries must come out of an archive as they went in', async () => {
  expect(await unpackEntries(Readable.from([await packEntries(entries)]))).toEqual(entries);
});

test('a wanted entry must be had without the rest', async () => {
  const archive = await packEntries(entries);
  const cut = Readable.from([archive.subarray(0, 512)]);
  expect(await findEntry(cut, () => true)).toMatchObject({ name: 'releases/a', type: 'directory' });
});

test('an archive that is cut short must be an error, not fewer files', async () => {
  const archive = await packEntries(entries);
  await expect(unpackEntries(Readable.from([archive.subarray(0, 700)]))).rejects.toThrow();
});

test('an archive that breaks must be an error, not a wait', async () => {
  const archive = await packEntries(entries);
  async function* broken(): AsyncGenerator<Buffer> {
    yield archive.subarray(0, 600);
    throw new Error('the connection is gone');
  }
  await expect(unpackEntries(Readable.from(broken()))).rejects.toThrow('the connection is gone');
});
