import { createHash } from 'node:crypto';
import { Secret } from '../../stack/secret.ts';
import { fromBytes } from '../util/file-bytes.ts';

/** The properties of a file that its hash covers. */
export interface HashedFile {
  readonly path: string;
  readonly mode: number;
  readonly content: string | Secret | Buffer;
}

/** A hash of the files in a release folder: their paths, modes and contents, in any order. */
export function hashFiles(files: readonly HashedFile[]): string {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const hash = createHash('sha256');
  for (const { path, mode, content } of sorted) {
    const text = textOf(content);
    // The length separates the end of one file from the beginning of the next.
    hash.update(`${path}\0${mode.toString(8)}\0${text.length}\0`).update(text);
  }
  return hash.digest('hex').slice(0, 12);
}

function textOf(content: string | Secret | Buffer): string {
  if (typeof content === 'string') return content;
  return content instanceof Secret ? content.reveal() : fromBytes(content).content;
}
