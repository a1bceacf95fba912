import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isAbsence, pathExists } from './path-exists.ts';

/**
 * Creates a folder and those above it. Node's own `recursive` never returns where the system says that a new folder does not
 * exist, as it does below /proc (Node 20.19).
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  const missing: string[] = [];
  for (let at = path; !(await pathExists(at)); at = dirname(at)) missing.unshift(at);
  for (const folder of missing.length === 0 ? [path] : missing) {
    try {
      await mkdir(folder, { mode });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await isFolder(folder))) throw error;
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}
