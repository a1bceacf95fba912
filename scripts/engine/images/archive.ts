import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { Report } from '../../util/event.ts';
import { StackError } from '../../util/stack-error.ts';
import { type Engine, EngineError } from '../engine.ts';
import { type ArchiveTarget, openArchiveFile } from './archive-target.ts';

/** Writes images into one archive, pressed together where its target is. */
export async function saveImages(
  engine: Engine,
  references: readonly string[],
  target: ArchiveTarget,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { name, isGzip, stream, isOwn } = target;
  const gzip = isGzip ? createGzip() : new PassThrough();
  const count = countBytes(report, `save:${name}`, `saving to ${name}`);
  try {
    const source = await engine.saveImages(references);
    await pipeline(source, count.through, gzip, stream, { signal, end: isOwn });
    await target.keep();
    count.done();
  } catch (error) {
    throw fileError(savingTo(name), error);
  }
}

/** Opens the file of this name to save images to; a StackError where that cannot be. */
export async function openTargetFile(name: string): Promise<ArchiveTarget> {
  try {
    return await openArchiveFile(name);
  } catch (error) {
    throw fileError(savingTo(name), error);
  }
}

const savingTo = (name: string): string => `saving images to ${name}`;

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
    const doing = `loading images from ${file}`;
    throw isUnreadable(error) ? noArchive(doing, error) : fileError(doing, error);
  }
}

/** The engine refuses only what it cannot read, unless its own disk is full; what cannot be unpacked breaks by zlib's word. */
function isUnreadable(error: unknown): error is EngineError {
  if (!(error instanceof EngineError)) return false;
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  return code?.startsWith('Z_') === true || (error.code === 'refused' && !/no space left/i.test(error.message));
}

function noArchive(doing: string, cause: EngineError): StackError {
  return new StackError({
    doing,
    why: `it is not an image archive, or not a complete one (${cause.message})`,
    tryThis: 'a file that `promstack images save` or `docker save` wrote, copied to its end',
    cause,
  });
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

/** Files fail in ways a person can mend, which come as a StackError; everything else is given back as it is. */
function fileError(doing: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  // The system's own codes; those of Node are told apart by an underscore, and are mistakes of ours.
  if (!(error instanceof Error) || code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  return new StackError({ doing, why: sentences[code] ?? message, cause: error });
}

const sentences: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read or write it',
  ECONNRESET: 'the engine ended the connection',
  EISDIR: 'it is a folder',
  ELOOP: 'its symlinks lead round in a circle',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'there is no room left on it',
  ENOTDIR: 'what should be a folder on the way to it is a file',
  EPERM: 'this user may not read or write it',
  EPIPE: 'nobody reads it any more',
  EROFS: 'it is on a disk that can only be read',
};
