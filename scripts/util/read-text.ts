import {
  close,
  constants,
  createReadStream,
  fstat,
  open,
  readFileSync,
  readlinkSync,
  type Stats,
  statSync,
} from 'node:fs';
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
    return failure(error, path);
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
    return failure(error, path);
  }
}

function decodeUtf8(bytes: Uint8Array): string | Unreadable {
  try {
    if (!isUtf16(bytes)) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // The hint says what else it may be.
  }
  return { because: 'is not UTF-8 text', hint: conversionHint(bytes) };
}

/** A hint how to convert bytes to UTF-8 text. */
export function conversionHint(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 6)).toString('latin1');
  const compressed = compressions.find(([magic]) => start.startsWith(magic));
  if (compressed !== undefined) return `it is compressed: decompress it with ${compressed[1]}`;
  if (bytes.subarray(0, 8000).includes(0) && !isUtf16(bytes)) return 'it is a binary file: name a text file';
  return `convert it with iconv -f ${isUtf16(bytes) ? utf16Name(bytes) : 'ISO-8859-1'} -t UTF-8`;
}

/** The first bytes of compressed files, and the program that decompresses them. */
const compressions: readonly (readonly [magic: string, program: string])[] = [
  ['\x1f\x8b', 'gunzip'],
  ['PK\x03\x04', 'unzip'],
  ['\x28\xb5\x2f\xfd', 'unzstd'],
  ['\xfd7zXZ\x00', 'unxz'],
  ['BZh', 'bunzip2'],
];

/** Whether bytes are UTF-16: by the byte order mark, or because every second byte of the start is NUL. */
function isUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  const start = bytes.subarray(0, 64);
  return start.length >= 4 && start.filter((byte) => byte === 0).length * 3 > start.length;
}

/** iconv takes UTF-16 without a byte order mark for the byte order of the host. */
function utf16Name([first, second]: Uint8Array): string {
  if (first === 0) return 'UTF-16BE';
  return second === 0 ? 'UTF-16LE' : 'UTF-16';
}

function refuse(stats: Stats): Unreadable | undefined {
  if (stats.isDirectory()) return { because: isFolder };
  if (!stats.isFile()) return { because: 'is not a regular file' };
  return stats.size > maxFileBytes ? tooLarge(maxFileBytes) : undefined;
}

function tooLarge(limit: number): Unreadable {
  return { because: `is larger than ${limit / mebibyte} MiB` };
}

const hints: Readonly<Record<string, string>> = {
  EACCES: 'check its owner and mode, and those of the folders above it',
  EPERM: 'check its owner and mode, and those of the folders above it',
  EMFILE: 'raise the limit of open files, such as with ulimit -n 4096',
  ENFILE: 'close other programs: this host has too many open files',
  EIO: 'check the disk, or the connection to it',
  ESTALE: 'check the connection to the file server',
};

function failure(error: unknown, path: string): Unreadable {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    const target = linkTarget(path);
    return { because: target === undefined ? notFound : `is a symbolic link to ${target}, which does not exist` };
  }
  if (code === 'ELOOP') return { because: 'is a symbolic link that leads back to itself' };
  if (code === 'ENAMETOOLONG') return { because: 'is too long for a path' };
  // Node's messages are like `EACCES: permission denied, open 'x'`.
  const [, why = message] = /^\w+: (.*?)(?:, \w+(?: '.*')?)?$/s.exec(message) ?? [];
  return { because: `cannot be read: ${why} (${code})`, hint: hints[code] };
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
