import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packQuickly } from '../../../../scripts/engine/docker/pack.ts';
import { packEntries, unpackEntries } from '../../../../scripts/engine/docker/tar.ts';
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
    ...owner,
  }),
  fc.record({ kind: fc.constant('directory' as const), path, mode, ...owner }),
  fc.record({ kind: fc.constant('link' as const), path, to: path, ...owner }),
);

describe('a tar archive', () => {
  it('must hold what was put into it, however long the paths are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 8 }), async (entries) => {
        const read = await unpackEntries(Readable.from([await packEntries(entries)]));
        expect(read).toEqual(entries);
      }),
    );
  });

  it('must be made at one go for paths that the plain form takes, and not for longer ones', () => {
    const file = (at: string): ArchiveEntry => ({
      kind: 'file',
      path: at,
      content: Buffer.from('x'),
      mode: 0o444,
      uid: 0,
      gid: 0,
    });
    const long = 'a'.repeat(100);
    expect(packQuickly([file(`${long}/${long}`)])).toBeDefined();
    expect(packQuickly([file(`${long}b`)])).toBeUndefined();
    expect(packQuickly([{ kind: 'link', path: 'a', to: `${long}b`, uid: 0, gid: 0 }])).toBeUndefined();
  });

  it('must be whole blocks, with two of zeros at the end', () => {
    const archive = packQuickly([]) ?? Buffer.alloc(0);
    expect(archive.equals(Buffer.alloc(1_024))).toBe(true);
  });
});
