import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findEntry, packEntries, unpackEntries } from '../../../../scripts/engine/docker/tar.ts';
import type { ArchiveEntry } from '../../../../scripts/engine/engine.ts';

const part = fc.stringMatching(/^[\wäö.-]{1,60}$/).filter((text) => text !== '.' && text !== '..');
const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
const owner = { uid: fc.nat(65_534), gid: fc.nat(65_534) };
const mode = fc.constantFrom(0o444, 0o400, 0o755);
const entry: fc.Arbitrary<ArchiveEntry> = fc.oneof(
  fc.record({
    kind: fc.constant('file' as const),
    path,
    content: fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
    mode,
    modified: fc.integer({ min: 1, max: 2_147_483_647 }).map((seconds) => new Date(seconds * 1_000)),
    ...owner,
  }),
  fc.record({ kind: fc.constant('directory' as const), path, mode, ...owner }),
  fc.record({ kind: fc.constant('link' as const), path, to: path, ...owner }),
);

const entries: readonly ArchiveEntry[] = [
  { kind: 'directory', path: 'releases/a', mode: 0o750, uid: 65534, gid: 0 },
  fileEntry({ path: 'releases/a/x.yml', content: Buffer.from('héllo\n'), mode: 0o440, uid: 65534, gid: 65534 }),
  fileEntry({ path: `releases/${'long/'.repeat(60)}empty`, content: Buffer.alloc(0), mode: 0o644, uid: 0, gid: 0 }),
  { kind: 'link', path: 'current', to: 'releases/a', uid: 65534, gid: 65534 },
];

function fileEntry(entry: Omit<ArchiveEntry & { readonly kind: 'file' }, 'kind' | 'modified'>): ArchiveEntry {
  return { kind: 'file', modified: new Date('2026-01-02T03:04:05Z'), ...entry };
}

test('an archive must contain the packed entries, however long their paths are', async () => {
  const read = async (packed: readonly ArchiveEntry[]) => unpackEntries(Readable.from([await packEntries(packed)]));
  expect(await read(entries)).toEqual(entries);
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 8 }), async (packed) => {
      expect(await read(packed)).toEqual(packed);
    }),
  );
});

test('a file without a time must be packed as modified now', async () => {
  const packed = await packEntries([
    { kind: 'file', path: 'a', content: Buffer.alloc(0), mode: 0o644, uid: 0, gid: 0 },
  ]);
  const [read] = await unpackEntries(Readable.from([packed]));
  const age = Date.now() - (read?.kind === 'file' ? Number(read.modified) : 0);
  expect(age).toBeGreaterThanOrEqual(0);
  expect(age).toBeLessThan(60_000);
});

test('an entry must be found without reading the rest', async () => {
  const archive = await packEntries(entries);
  const cut = Readable.from([archive.subarray(0, 512)]);
  expect(await findEntry(cut, () => true)).toMatchObject({ name: 'releases/a', type: 'directory' });
});

test('a truncated archive must be an error, not fewer files', async () => {
  const archive = await packEntries(entries);
  await expect(unpackEntries(Readable.from([archive.subarray(0, 700)]))).rejects.toThrow();
});

test('a broken archive stream must be an error, not an endless wait', async () => {
  const archive = await packEntries(entries);
  async function* broken(): AsyncGenerator<Buffer> {
    yield archive.subarray(0, 600);
    throw new Error('the connection is gone');
  }
  await expect(unpackEntries(Readable.from(broken()))).rejects.toThrow('the connection is gone');
});
