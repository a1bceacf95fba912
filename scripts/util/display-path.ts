import { isAbsolute, relative } from 'node:path';

/** A path as the user would type it in `cwd`: relative below it, absolute elsewhere. */
export function displayPath(path: string, cwd: string): string {
  const relativePath = relative(cwd, path);
  return relativePath.startsWith('..') || isAbsolute(relativePath) ? path : relativePath || '.';
}
