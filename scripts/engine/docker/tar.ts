import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Extract, extract, type Header, pack } from 'tar-stream';
import type { ArchiveEntry } from '../engine.ts';

/** A tar archive of the entries, in their order. */
export async function packEntries(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  const archive = pack();
  const chunks: Buffer[] = [];
  archive.on('data', (chunk) => chunks.push(chunk as Buffer));
  for (const entry of entries) {
    const { path: name, uid, gid } = entry;
    const mtime = entry.kind === 'file' ? entry.modified : undefined;
    if (entry.kind === 'file')
      archive.entry({ name, uid, gid, mode: entry.mode, ...(mtime && { mtime }) }, entry.content);
    else if (entry.kind === 'link') archive.entry({ name, uid, gid, mode: 0o777, type: 'symlink', linkname: entry.to });
    else archive.entry({ name, uid, gid, mode: entry.mode, type: 'directory' });
  }
  archive.finalize();
  await once(archive, 'end');
  return Buffer.concat(chunks);
}

/** The files, directories and links of a tar archive; entries of other types are skipped. */
export async function unpackEntries(archive: NodeJS.ReadableStream): Promise<readonly ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  for await (const entry of unpack(archive)) {
    const content = await buffer(entry);
    const { name, type, uid, gid, linkname } = entry.header;
    const path = name.replace(/\/$/, '');
    const mode = entry.header.mode & 0o7777;
    const modified = entry.header.mtime;
    if (type === 'file' || type === 'contiguous-file')
      entries.push({ kind: 'file', path, content, mode, uid, gid, modified });
    else if (type === 'directory') entries.push({ kind: 'directory', path, mode, uid, gid });
    else if (type === 'symlink') entries.push({ kind: 'link', path, to: linkname, uid, gid });
  }
  return entries;
}

/** The header of the first matching entry of a tar archive; the rest is not read. */
export async function findEntry(
  archive: NodeJS.ReadableStream,
  matches: (header: Header) => boolean,
): Promise<Header | undefined> {
  for await (const entry of unpack(archive)) {
    if (matches(entry.header)) {
      (archive as Readable).destroy();
      return entry.header;
    }
    entry.resume();
  }
  return undefined;
}

function unpack(archive: NodeJS.ReadableStream): Extract {
  const unpacked = extract();
  // pipe() does not forward errors: without this, a response that breaks off would be waited for forever.
  archive.once('error', (error) => unpacked.destroy(error));
  archive.pipe(unpacked as unknown as NodeJS.WritableStream);
  return unpacked;
}
