import { randomBytes } from 'node:crypto';
import { open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';

/** Where an archive goes. Disposing it before it is kept leaves nothing of it behind, where that can be. */
export interface ArchiveTarget extends AsyncDisposable {
  /** As a person calls it. */
  readonly name: string;
  readonly isGzip: boolean;
  readonly stream: Writable;
  /** Whether the stream is ended with the archive; stdout goes on. */
  readonly isOwn: boolean;
  /** Lets the archive stand under its name; to be called once all of it is written. */
  keep(): Promise<void>;
}

/**
 * Opens a file to write an archive to. It is there in whole or not at all, and one of that name stays until then; what is
 * no regular file, such as a device or a pipe, is written to as it is. Rejects with the system's error where that cannot be.
 */
export async function openArchiveFile(name: string): Promise<ArchiveTarget> {
  const isGzip = name.endsWith('.gz');
  if (await isOtherThanFile(name)) {
    const stream = (await open(name, 'w')).createWriteStream();
    const close = async () => void stream.destroy();
    return { name, isGzip, stream, isOwn: true, keep: async () => {}, [Symbol.asyncDispose]: close };
  }
  const path = await leadsTo(name);
  const part = `${path}.${randomBytes(4).toString('hex')}.part`;
  const stream = (await open(part, 'wx')).createWriteStream();
  return {
    name,
    isGzip,
    stream,
    isOwn: true,
    keep: () => rename(part, path),
    [Symbol.asyncDispose]: async () => {
      stream.destroy();
      await rm(part, { force: true });
    },
  };
}

/** Writes an archive to this process's own output. */
export function archiveToStdout(stdout: Writable): ArchiveTarget {
  const nothing = async () => {};
  return { name: 'stdout', isGzip: false, stream: stdout, isOwn: false, keep: nothing, [Symbol.asyncDispose]: nothing };
}

async function isOtherThanFile(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** The file behind symlinks, also where it is not there yet. */
async function leadsTo(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const link = await readlink(path).catch(() => undefined);
    return link === undefined ? path : leadsTo(resolve(dirname(path), link));
  }
}
