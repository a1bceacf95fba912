import { Secret } from '../../stack/secret.ts';
import { shortHash } from '../util/hash.ts';

/** A file as its hash sees it. */
export interface HashedFile {
  readonly path: string;
  readonly mode: number;
  readonly content: string | Secret | Buffer;
}

/** A hash over files as they lie in a release folder: paths, modes and bytes, in any order. */
export function hashFiles(files: readonly HashedFile[]): string {
  const lines = files.map(({ path, mode, content }) => `${path}\0${mode.toString(8)}\0${shortHash(textOf(content))}`);
  return shortHash(lines.sort().join('\n'));
}

function textOf(content: string | Secret | Buffer): string {
  if (typeof content === 'string') return content;
  return content instanceof Secret ? content.reveal() : content.toString('utf8');
}
