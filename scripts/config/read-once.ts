import { statSync } from 'node:fs';
import { readText, type Unreadable } from '../util/read-text.ts';
import { StackError } from '../util/stack-error.ts';

/** How files that the user named are read. */
export interface ReadOptions {
  readonly cwd: string;
  readonly signal?: AbortSignal | undefined;
  /** Texts of pipes, by path: a pipe can be read only once. */
  readonly pipes?: Map<string, string> | undefined;
}

/** Reads a file, or a pipe that may have been read before. */
export async function readOnce(path: string, { signal, pipes }: ReadOptions): Promise<string | Unreadable> {
  const known = pipes?.get(path);
  if (known !== undefined) return known;
  const text = await readText(path, { signal });
  if (typeof text === 'string' && isPipe(path)) pipes?.set(path, text);
  return text;
}

/** Whether a path is a pipe, or an open file, whose path is different each time. */
export function isPipe(path: string): boolean {
  return /^\/(?:dev|proc)\//.test(path) || !statSync(path, { throwIfNoEntry: false })?.isFile();
}

export function cannotRead(path: string, { because, hint }: Unreadable): StackError {
  return new StackError({ doing: `reading ${path}`, why: `it ${because}`, tryThis: hint });
}
