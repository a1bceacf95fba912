import { close, constants, createReadStream, fstat, open, readFileSync, type Stats, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { promisify } from 'node:util';

/** Why a path could not be read, as the end of a sentence that starts with the path. */
export interface Unreadable {
  readonly because: string;
  /** What to do, if known. */
  readonly hint?: string | undefined;
}

export const notFound = 'does not exist';
export const isFolder = 'is a folder';

const mebibyte = 2 ** 20;
/** The limit for a regular file. */
const maxFileBytes = 64 * mebibyte;
/** The limit for a pipe, whose size is not known in advance. */
const maxPipeBytes = mebibyte;

interface ReadOptions {
  /** The maximum number of bytes; more are an error. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a path that the user named: a regular file, or a pipe to its end. The wait for a pipe's writer ends with the signal.
 * Folders, devices, sockets, and files and pipes beyond `limit` bytes are refused.
 */
export async function readBytes(path: string, options: ReadOptions = {}): Promise<Buffer | Unreadable> {
  const { signal } = options;
  try {
    // Without O_NONBLOCK, opening a pipe without a writer would block a thread and the exit of the process.
    const fd = await promisify(open)(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await promisify(fstat)(fd);
    const refusal = refuse(stats);
    if (refusal !== undefined && !stats.isFIFO()) {
      await promisify(close)(fd);
      return refusal;
    }
    const { limit = stats.isFIFO() ? maxPipeBytes : maxFileBytes } = options;
    const stream = stats.isFIFO() ? new Socket({ fd, writable: false }) : createReadStream(path, { fd, end: limit });
    return await readStream(stream, { limit, signal });
  } catch (error) {
    signal?.throwIfAborted();
    return failure(error);
  }
}

/** Reads a stream to its end. */
export async function readStream(
  stream: Readable,
  { limit = maxFileBytes, signal }: ReadOptions = {},
): Promise<Buffer | Unreadable> {
  if (signal !== undefined) addAbortSignal(signal, stream);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) return tooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Reads a path as UTF-8 text, including a byte order mark. */
export async function readText(path: string, options: ReadOptions = {}): Promise<string | Unreadable> {
  const bytes = await readBytes(path, options);
  return 'because' in bytes ? bytes : decodeUtf8(bytes);
}

/** The text of a regular file. Synchronous, which is several times faster for a thousand small files. */
export function readTextSync(path: string): string | Unreadable {
  try {
    return refuse(statSync(path)) ?? decodeUtf8(readFileSync(path));
  } catch (error) {
    return failure(error);
  }
}

function decodeUtf8(bytes: Uint8Array): string | Unreadable {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { because: 'is not UTF-8 text', hint: conversionHint(bytes) };
  }
}

/** A hint how to convert bytes to UTF-8 text. */
export function conversionHint([first, second]: Uint8Array): string {
  if (first === 0x1f && second === 0x8b) return 'it is compressed: gunzip it';
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return `convert it with iconv -f ${isUtf16 ? 'UTF-16' : 'ISO-8859-1'} -t UTF-8`;
}

function refuse(stats: Stats): Unreadable | undefined {
  if (stats.isDirectory()) return { because: isFolder };
  if (!stats.isFile()) return { because: 'is not a regular file' };
  return stats.size > maxFileBytes ? tooLarge(maxFileBytes) : undefined;
}

function tooLarge(limit: number): Unreadable {
  return { because: `is larger than ${limit / mebibyte} MiB` };
}

function failure(error: unknown): Unreadable {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { because: notFound };
  if (code === 'EACCES' || code === 'EPERM')
    return { because: `cannot be read (${code})`, hint: 'check its owner and mode' };
  return { because: `cannot be read (${code ?? String(error)})` };
}
