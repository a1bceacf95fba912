import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PassThrough, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { Report } from '../../util/event.ts';
import { StackError } from '../../util/stack-error.ts';
import type { Engine } from '../engine.ts';
import { EngineError } from '../engine-error.ts';

/** The destination of an archive. Disposing it before `commit` deletes an incomplete file. */
export interface ArchiveTarget extends AsyncDisposable {
  /** For messages. */
  readonly name: string;
  readonly isGzip: boolean;
  readonly stream: Writable;
  /** Whether to end the stream after the archive; stdout stays open. */
  readonly endsStream: boolean;
  /** Renames the complete file to its final name. */
  commit(): Promise<void>;
}

/** Writes images to one archive, compressed if the target is. */
export async function saveImages(
  engine: Engine,
  references: readonly string[],
  target: ArchiveTarget,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { name, isGzip, stream, endsStream } = target;
  const gzip = isGzip ? createGzip() : new PassThrough();
  const count = countBytes(report, `save:${name}`, `saving to ${name}`);
  try {
    const source = await engine.saveImages(references);
    await pipeline(source, count.through, gzip, stream, { signal, end: endsStream });
    await target.commit();
    count.done();
  } catch (error) {
    throw fileError(savingTo(name), error);
  }
}

const savingTo = (name: string): string => `saving images to ${name}`;

/**
 * Opens a file to save images to, compressed if its name ends in `.gz`. The file is created or replaced only once the
 * archive is complete; a device or a pipe is written to directly. Rejects with a StackError.
 */
export async function openTargetFile(name: string): Promise<ArchiveTarget> {
  try {
    return (await isDeviceOrPipe(name)) ? await openDevice(name) : await openFile(name);
  } catch (error) {
    throw fileError(savingTo(name), error);
  }
}

async function openDevice(name: string): Promise<ArchiveTarget> {
  const stream = (await open(name, 'w')).createWriteStream();
  return {
    name,
    isGzip: name.endsWith('.gz'),
    stream,
    endsStream: true,
    commit: async () => {},
    [Symbol.asyncDispose]: async () => void stream.destroy(),
  };
}

async function openFile(name: string): Promise<ArchiveTarget> {
  const path = await linkTarget(name);
  const part = `${path}.${randomBytes(4).toString('hex')}.part`;
  const stream = (await open(part, 'wx')).createWriteStream();
  return {
    name,
    isGzip: name.endsWith('.gz'),
    stream,
    endsStream: true,
    commit: () => rename(part, path),
    [Symbol.asyncDispose]: async () => {
      stream.destroy();
      await rm(part, { force: true });
    },
  };
}

/** Writes an archive to this process's own output. */
export function archiveToStdout(stdout: Writable): ArchiveTarget {
  const noop = async () => {};
  return {
    name: 'stdout',
    isGzip: false,
    stream: stdout,
    endsStream: false,
    commit: noop,
    [Symbol.asyncDispose]: noop,
  };
}

async function isDeviceOrPipe(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** The target of symlinks, which need not exist yet. */
async function linkTarget(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const link = await readlink(path).catch(() => undefined);
    return link === undefined ? path : linkTarget(resolve(dirname(path), link));
  }
}

/** Loads the images of a file written by `saveImages` or `docker save`, compressed or not; returns their references. */
export async function loadImages(
  engine: Engine,
  file: string,
  report: Report,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const { size } = await stat(file);
    const count = countBytes(report, `load:${file}`, `loading ${file}`, size);
    // Some versions of Podman do not accept a compressed archive.
    const plain = (await isGzip(file)) ? createGunzip() : new PassThrough();
    // An error of the file destroys the stream, so the engine's call rejects with it.
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
    if (!isBadArchive(error)) throw fileError(doing, error);
    throw new StackError({
      doing,
      why: `it is not a complete image archive (${error.message})`,
      tryThis: 'use a complete file written by `promstack images save` or `docker save`',
      cause: error,
    });
  }
}

/** The engine rejects an invalid archive, but also any when its disk is full; invalid gzip is an error of zlib. */
function isBadArchive(error: unknown): error is EngineError {
  if (!(error instanceof EngineError)) return false;
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  return code?.startsWith('Z_') === true || (error.code === 'refused' && !/no space left/i.test(error.message));
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

/** A stream that passes its input through and reports the number of bytes. */
function countBytes(report: Report, id: string, what: string, total?: number): { through: Transform; done(): void } {
  const startedAt = performance.now();
  let bytes = 0;
  let reportedBytes = 0;
  report({ kind: 'started', id, what });
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes - reportedBytes >= reportEveryBytes) {
        reportedBytes = bytes;
        report({ kind: 'progress', id, what, ...formatBytes(bytes, total) });
      }
      done(null, chunk);
    },
  });
  const done = () => report({ kind: 'done', id, what, tookMs: performance.now() - startedAt });
  return { through, done };
}

const reportEveryBytes = 4e6;

function formatBytes(bytes: number, total: number | undefined): { detail: string; fraction?: number } {
  const megabytes = Math.round(bytes / 1e6);
  if (total === undefined) return { detail: `${megabytes} MB` };
  return { detail: `${megabytes} of ${Math.round(total / 1e6)} MB`, fraction: bytes / total };
}

/** Converts a file system error to a StackError; returns any other error unchanged. */
function fileError(doing: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  // System error codes have no underscore, unlike Node's own.
  if (!(error instanceof Error) || code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  return new StackError({ doing, why: reasons[code] ?? message, cause: error });
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  ECONNRESET: 'the engine closed the connection',
  EISDIR: 'it is a folder',
  ELOOP: 'its symlinks form a loop',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of its path is not a folder',
  EPERM: 'permission denied',
  EPIPE: 'the reader closed the pipe',
  EROFS: 'the file system is read-only',
};
