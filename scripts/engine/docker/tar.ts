import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Extract, extract, type Header, pack } from 'tar-stream';
import { unreachable } from '../../util/unreachable.ts';
import type { ArchiveEntry } from '../engine.ts';
import { packQuickly } from './pack.ts';

/** A tar archive of the entries, in their order. */
export async function packEntries(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  return packQuickly(entries) ?? packAtLength(entries);
}

/** By pax headers, which take paths of any length. */
async function packAtLength(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const entry of entries) archive.entry(toHeader(entry), entry.kind === 'file' ? entry.content : Buffer.alloc(0));
  archive.finalize();
  return buffer(archive);
}

/** The files, directories and links of a tar archive; anything else in it is passed over. */
export async function unpackEntries(archive: NodeJS.ReadableStream): Promise<readonly ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  for await (const entry of unpacking(archive)) {
    const content = await buffer(entry);
    const told = fromHeader(entry.header, content);
    if (told !== undefined) entries.push(told);
  }
  return entries;
}

/** The header of the first entry of a tar archive that is wanted; what comes after it is not read. */
export async function findEntry(
  archive: NodeJS.ReadableStream,
  isWanted: (header: Header) => boolean,
): Promise<Header | undefined> {
  for await (const entry of unpacking(archive)) {
    if (isWanted(entry.header)) {
      (archive as Readable).destroy();
      return entry.header;
    }
    entry.resume();
  }
  return undefined;
}

function unpacking(archive: NodeJS.ReadableStream): Extract {
  const unpacked = extract();
  // pipe() does not hand on errors: an answer cut short would otherwise wait for ever.
  archive.once('error', (error) => unpacked.destroy(error));
  archive.pipe(unpacked as unknown as NodeJS.WritableStream);
  return unpacked;
}

function toHeader(entry: ArchiveEntry): Partial<Header> & Pick<Header, 'name'> {
  const owner = { uid: entry.uid, gid: entry.gid };
  switch (entry.kind) {
    case 'file':
      return { ...owner, name: entry.path, mode: entry.mode, size: entry.content.length, type: 'file' };
    case 'directory':
      return { ...owner, name: entry.path, mode: entry.mode, type: 'directory' };
    case 'link':
      return { ...owner, name: entry.path, mode: 0o777, type: 'symlink', linkname: entry.to };
    default:
      return unreachable(entry);
  }
}

function fromHeader(header: Header, content: Buffer): ArchiveEntry | undefined {
  const path = header.name.replace(/\/$/, '');
  const owner = { uid: header.uid, gid: header.gid };
  const mode = header.mode & 0o7777;
  switch (header.type) {
    case 'file':
    case 'contiguous-file':
      return { kind: 'file', path, content, mode, ...owner };
    case 'directory':
      return { kind: 'directory', path, mode, ...owner };
    case 'symlink':
      return { kind: 'link', path, to: header.linkname, ...owner };
    default:
      return undefined;
  }
}
