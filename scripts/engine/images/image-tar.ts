import { createReadStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Header, type Pack, pack } from 'tar-stream';
import { unreachable } from '../../util/unreachable.ts';
import type { TreeEntry } from './root-tree.ts';

/** A root file system as a tar stream, file by file as it is read. */
export function toTarStream(entries: readonly TreeEntry[]): Readable {
  const archive = pack();
  const tar = Readable.from(archive as unknown as AsyncIterable<Buffer>, { objectMode: false });
  write(archive, entries).catch((error: unknown) => {
    archive.destroy(error as Error);
  });
  return tar;
}

async function write(archive: Pack, entries: readonly TreeEntry[]): Promise<void> {
  for (const entry of entries) await writeEntry(archive, entry);
  archive.finalize();
}

async function writeEntry(archive: Pack, entry: TreeEntry): Promise<void> {
  const root = { name: entry.path, uid: 0, gid: 0, mtime: new Date(0) };
  switch (entry.kind) {
    case 'copy': {
      const header = { ...root, type: 'file' as const, mode: entry.mode, size: entry.size };
      await new Promise<void>((resolve, reject) => {
        const sink = archive.entry(header, (error) => (error ? reject(error) : resolve()));
        pipeline(createReadStream(entry.from), sink as unknown as Writable).catch(reject);
      });
      return;
    }
    case 'text':
      archive.entry({ ...root, type: 'file', mode: 0o644 }, entry.content);
      return;
    case 'directory':
      archive.entry(owned(root, entry.owner, entry.mode));
      return;
    case 'link':
      archive.entry({ ...root, type: 'symlink', mode: 0o777, linkname: entry.to });
      return;
    default:
      return unreachable(entry);
  }
}

function owned(root: { name: string; mtime: Date }, owner: number, mode: number): Partial<Header> & { name: string } {
  return { ...root, type: 'directory', mode, uid: owner, gid: owner };
}
