import type { ArchiveEntry } from '../engine.ts';

const block = 512;

/**
 * A tar archive in the ustar form, made at one go: for a thousand small files several times as fast as one that is
 * streamed. Undefined when a path is too long for that form.
 */
export function packQuickly(entries: readonly ArchiveEntry[]): Buffer | undefined {
  const size = entries.reduce((sum, entry) => sum + block + padded(contentOf(entry).length), 2 * block);
  const archive = Buffer.alloc(size);
  let at = 0;
  for (const entry of entries) {
    const content = contentOf(entry);
    if (!writeHeader(archive.subarray(at, at + block), entry, content.length)) return undefined;
    content.copy(archive, at + block);
    at += block + padded(content.length);
  }
  return archive;
}

const none = Buffer.alloc(0);

const contentOf = (entry: ArchiveEntry): Buffer => (entry.kind === 'file' ? entry.content : none);

const padded = (length: number): number => Math.ceil(length / block) * block;

const types: Readonly<Record<ArchiveEntry['kind'], string>> = { file: '0', link: '2', directory: '5' };

/** Fields by their offsets in the header (POSIX.1-1988); answers whether everything fits. */
function writeHeader(header: Buffer, entry: ArchiveEntry, size: number): boolean {
  const path = entry.kind === 'directory' ? `${entry.path.replace(/\/$/, '')}/` : entry.path;
  const name = splitName(path);
  const to = entry.kind === 'link' ? entry.to : '';
  if (name === undefined || Buffer.byteLength(to) > 100) return false;
  header.write(name.name, 0, 'utf8');
  writeOctal(header, 100, 8, entry.kind === 'link' ? 0o777 : entry.mode);
  writeOctal(header, 108, 8, entry.uid);
  writeOctal(header, 116, 8, entry.gid);
  writeOctal(header, 124, 12, size);
  writeOctal(header, 136, 12, Math.floor(Date.now() / 1_000));
  header.write('        ', 148, 'latin1');
  header.write(types[entry.kind], 156, 'latin1');
  header.write(to, 157, 'utf8');
  header.write('ustar\u000000', 257, 'latin1');
  header.write(name.prefix, 345, 'utf8');
  // The checksum counts itself as blanks, which stand there by now.
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1');
  return true;
}

function writeOctal(header: Buffer, offset: number, length: number, value: number): void {
  header.write(value.toString(8).padStart(length - 1, '0'), offset, 'latin1');
}

/** A long path is cut at a slash: up to 100 bytes behind it, up to 155 before. */
function splitName(path: string): { readonly name: string; readonly prefix: string } | undefined {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)];
    if (name !== '' && Buffer.byteLength(name) <= 100)
      return Buffer.byteLength(prefix) <= 155 ? { name, prefix } : undefined;
  }
  return undefined;
}
