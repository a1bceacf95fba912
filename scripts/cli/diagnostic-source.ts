import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** Reads the files that diagnostics point into, by the path a person would type where they stand; undefined when that fails. */
export function sourceReader(cwd: string): (file: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (file) => {
    if (!known.has(file)) known.set(file, readText(resolve(cwd, file)));
    return known.get(file);
  };
}

function readText(path: string): string | undefined {
  try {
    // A pipe has been read already.
    return statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
