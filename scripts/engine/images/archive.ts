import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { Report } from '../../report/event.ts';
import { StackError } from '../../util/stack-error.ts';
import type { Engine } from '../engine.ts';

/** Writes images into one file, pressed together when its name ends in `.gz`; a file of that name is there in whole or not at all. */
export async function saveImages(
  engine: Engine,
  references: readonly string[],
  file: string,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const part = `${file}.part`;
  const gzip = file.endsWith('.gz') ? createGzip() : new PassThrough();
  const count = countBytes(report, `save:${file}`, `saving to ${file}`);
  try {
    const source = await engine.saveImages(references);
    await pipeline(source, count.through, gzip, createWriteStream(part), { signal });
    await rename(part, file);
    count.done();
  } catch (error) {
    await rm(part, { force: true });
    throw fileError(`saving images to ${file}`, error);
  }
}

/** Loads the images of a file that `saveImages` or `docker save` wrote, pressed together or not; gives their references. */
export async function loadImages(
  engine: Engine,
  file: string,
  report: Report,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const { size } = await stat(file);
    const count = countBytes(report, `load:${file}`, `loading ${file}`, size);
    // Not every Podman takes an archive that is pressed together.
    const plain = (await isGzip(file)) ? createGunzip() : new PassThrough();
    // A file that cannot be read to its end breaks the stream, which the engine's call then tells.
    const reading = pipeline(createReadStream(file), count.through, plain, { signal }).catch(() => undefined);
    try {
      const loaded = await engine.loadImages(plain);
      count.done();
      return loaded;
    } finally {
      plain.destroy();
      await reading;
    }
  } catch (error) {
    throw fileError(`loading images from ${file}`, error);
  }
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.readUInt16BE(0) === 0x1f8b;
  } finally {
    await file.close();
  }
}

/** Files fail in ways a person can mend; everything else goes on as it is. */
function fileError(doing: string, error: unknown): unknown {
  const errno = (error as NodeJS.ErrnoException).code;
  const why = errno === undefined ? undefined : sentences[errno];
  return why === undefined ? error : new StackError({ doing, why, cause: error });
}

const sentences: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'this user may not read or write it',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full',
};

/** A stream that hands on what it gets and tells how many bytes that were. */
function countBytes(report: Report, id: string, what: string, total?: number): { through: Transform; done(): void } {
  const startedAt = performance.now();
  let bytes = 0;
  let toldAt = 0;
  report({ kind: 'started', id, what });
  const through = new Transform({
    transform(chunk: Buffer, _encoding, handOn) {
      bytes += chunk.length;
      if (bytes - toldAt >= tellEveryBytes) {
        toldAt = bytes;
        report({ kind: 'progress', id, what, ...sayBytes(bytes, total) });
      }
      handOn(null, chunk);
    },
  });
  const done = () => report({ kind: 'done', id, what, tookMs: performance.now() - startedAt });
  return { through, done };
}

const tellEveryBytes = 4e6;

function sayBytes(bytes: number, total: number | undefined): { detail: string; fraction?: number } {
  const megabytes = Math.round(bytes / 1e6);
  if (total === undefined) return { detail: `${megabytes} MB` };
  return { detail: `${megabytes} of ${Math.round(total / 1e6)} MB`, fraction: bytes / total };
}
