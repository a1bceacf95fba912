import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { extract, type Header, type Pack, pack } from 'tar-stream';
import { StackError } from '../../util/stack-error.ts';

/**
 * The file of a backup: a tar archive, and after its end a line with the SHA-256 of all bytes before. `tar` ignores the line.
 */
const trailerLength = trailer('0'.repeat(64)).length;

function trailer(sha256: string): string {
  return `promstack-backup sha256 ${sha256}\n`;
}

/** A backup that is being written. */
export interface ArchiveWriter {
  file(name: string, content: Buffer): Promise<void>;
  /** Adds an entry whose content is read from a stream. */
  entry(header: Partial<Header> & { readonly name: string }, content: Readable): Promise<void>;
}

/** Writes a backup to a stream, which it ends. */
export async function writeArchive(
  target: Writable,
  fill: (writer: ArchiveWriter) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const packed: Pack = pack();
  const hash = createHash('sha256');
  const sealed = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
    yield Buffer.from(trailer(hash.digest('hex')));
  };
  const written = pipeline(packed as unknown as Readable, sealed, target, { signal });
  const writer: ArchiveWriter = {
    file: (name, content) =>
      new Promise((resolve, reject) => {
        packed.entry({ name, mode: 0o600 }, content, (error) => (error ? reject(error) : resolve()));
      }),
    entry: async (header, content) => {
      await send(content, packed.entry(header) as unknown as Writable);
    },
  };
  const filled = fill(writer).then(
    () => packed.finalize(),
    (error: unknown) => {
      packed.destroy(error as Error);
      throw error;
    },
  );
  // Whichever fails first is the reason; when the disk is full, nothing more is taken from the pack.
  await Promise.race([Promise.all([filled, written]), written.then(() => filled)]);
}

/** Sends the whole content of an entry; `pipe` does not forward errors. */
export async function send(content: Readable, entry: Writable): Promise<void> {
  content.once('error', (error) => entry.destroy(error));
  content.pipe(entry);
  await finished(entry);
}

/** Throws a StackError for a file that is not a whole and unchanged backup. */
export async function verifyArchive(path: string, onProgress: (bytes: number, of: number) => void): Promise<void> {
  const refuse = (why: string): never => {
    throw new StackError({
      doing: `reading the backup ${path}`,
      why,
      tryThis: 'use another copy of the file; nothing was changed',
    });
  };
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size < trailerLength + 1024) refuse('it is not a backup of promstack, or only the beginning of one');
    const { buffer } = await file.read(Buffer.alloc(trailerLength), 0, trailerLength, size - trailerLength);
    const end = buffer.toString('latin1');
    if (!/^promstack-backup sha256 [0-9a-f]{64}\n$/.test(end)) {
      refuse('its end is missing: it is not a backup of promstack, or it was cut off');
    }
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of contentOf(path, size)) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      onProgress(bytes, size - trailerLength);
    }
    if (end !== trailer(hash.digest('hex'))) refuse('it is damaged: its content does not match its checksum');
  } finally {
    await file.close();
  }
}

/** The entries of a verified backup; each must be read or skipped (`resume`) before the next one. */
export async function* entriesOf(
  path: string,
): AsyncGenerator<{ readonly header: Header; readonly content: Readable }> {
  const file = await open(path);
  const { size } = await file.stat();
  await file.close();
  const unpacked = extract();
  const source = contentOf(path, size);
  source.once('error', (error) => unpacked.destroy(error));
  source.pipe(unpacked as unknown as Writable);
  try {
    for await (const entry of unpacked) yield { header: entry.header, content: entry as unknown as Readable };
  } finally {
    source.destroy();
  }
}

/** A tar archive of the volumes of a helper, as the engine returns it: each entry of a file, directory or link. */
export async function* entriesIn(
  archive: NodeJS.ReadableStream,
): AsyncGenerator<{ readonly header: Header; readonly content: Readable }> {
  const unpacked = extract();
  archive.once('error', (error: Error) => unpacked.destroy(error));
  archive.pipe(unpacked as unknown as Writable);
  for await (const entry of unpacked) {
    if (['file', 'contiguous-file', 'directory', 'symlink'].includes(entry.header.type ?? 'file')) {
      yield { header: entry.header, content: entry as unknown as Readable };
    } else entry.resume();
  }
}

function contentOf(path: string, size: number): Readable {
  return createReadStream(path, { end: size - trailerLength - 1, highWaterMark: 1024 * 1024 });
}
