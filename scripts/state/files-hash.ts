import { createHash } from 'node:crypto';
import { Secret } from '../../stack/secret.ts';

/** A file as its hash sees it. */
export interface HashedFile {
  readonly path: string;
  readonly mode: number;
  readonly content: string | Secret | Buffer;
}

/** A hash over files as they lie in a release folder: paths, modes and bytes, in any order. */
export function hashFiles(files: readonly HashedFile[]): string {
  const sorted = files.toSorted((one, other) => (one.path < other.path ? -1 : 1));
  const hash = createHash('sha256');
  for (const { path, mode, content } of sorted) {
    const text = textOf(content);
    // The length keeps one file's end from being taken for the next one's beginning.
    hash.update(`${path}\0${mode.toString(8)}\0${text.length}\0`).update(text);
  }
  return hash.digest('hex').slice(0, 12);
}

function textOf(content: string | Secret | Buffer): string {
  if (typeof content === 'string') return content;
  return content instanceof Secret ? content.reveal() : content.toString('utf8');
}
