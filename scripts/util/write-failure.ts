import { lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Why a path could not be written, and what to try. */
export interface WriteFailure {
  readonly why: string;
  readonly tryThis: string;
}

/** Explains the error of a call that writes to a file or creates a folder. */
export async function writeFailure(error: unknown, path: string): Promise<WriteFailure> {
  const { code = '', message, syscall, path: at = path } = error as NodeJS.ErrnoException;
  const other = 'name a different one';
  if (code === 'EEXIST' && syscall === 'open') return { why: `${at} already exists`, tryThis: other };
  switch (code) {
    case 'EEXIST':
    case 'ENOTDIR':
    case 'ENOENT': {
      const obstacle = await firstObstacle(at);
      if (obstacle !== undefined) return { why: `${obstacle.path} is ${obstacle.what}, not a folder`, tryThis: other };
      return { why: message, tryThis: other };
    }
    case 'EISDIR':
      return { why: `${at} is a folder`, tryThis: other };
    case 'ELOOP':
      return { why: `${at} is a symbolic link that leads back to itself`, tryThis: other };
    case 'ENAMETOOLONG':
      return { why: 'a name in the path is too long', tryThis: 'use shorter names' };
    case 'EACCES':
    case 'EPERM':
      return { why: `permission denied: ${at} (${code})`, tryThis: 'use a folder that you may write to' };
    case 'EROFS':
      return { why: `the file system of ${at} is read-only`, tryThis: 'use a folder of another file system' };
    case 'ENOSPC':
    case 'EDQUOT':
      return { why: `there is no space left for ${at} (${code})`, tryThis: 'free some space, or use another disk' };
    default:
      return {
        why: error instanceof Error ? message : String(error),
        tryThis: 'use a folder that you can read and write',
      };
  }
}

/** The first part of a path that is something else than a folder: a file, or a link to nothing. */
async function firstObstacle(path: string): Promise<{ readonly path: string; readonly what: string } | undefined> {
  const parts = [path];
  while (dirname(parts[0] as string) !== parts[0]) parts.unshift(dirname(parts[0] as string));
  for (const part of parts) {
    const stats = await lstat(part).catch(() => undefined);
    if (stats === undefined) return undefined;
    if (stats.isSymbolicLink()) {
      const wrong = await stat(part).then(
        (target) => (target.isDirectory() ? undefined : 'a link to a file'),
        () => 'a link to a path that does not exist',
      );
      if (wrong !== undefined) return { path: part, what: wrong };
    } else if (!stats.isDirectory()) return { path: part, what: 'a file' };
  }
  return undefined;
}
