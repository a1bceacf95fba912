import { lstat } from 'node:fs/promises';

/** Whether a file system error means that the file or folder does not exist. */
export function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Whether anything exists at a path, including a broken symbolic link. */
export async function pathExists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    return !isAbsence(error);
  }
}
