import { isAbsolute, relative } from 'node:path';

/** A path as a person standing in a folder would type it: relative below it, absolute elsewhere. */
export function displayPath(path: string, cwd: string): string {
  const fromHere = relative(cwd, path);
  return fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere || '.';
}
