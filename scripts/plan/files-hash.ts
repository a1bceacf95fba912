import { Secret } from '../../stack/secret.ts';
import { shortHash } from '../util/hash.ts';

/** A hash over files as they lie in a release folder: paths and bytes, in any order. */
export function hashFiles(files: readonly { readonly path: string; readonly content: string | Secret | Buffer }[]): string {
  const lines = files.map(({ path, content }) => `${path}\0${shortHash(textOf(content))}`);
  return shortHash(lines.sort().join('\n'));
}

function textOf(content: string | Secret | Buffer): string {
  if (typeof content === 'string') return content;
  return content instanceof Secret ? content.reveal() : content.toString('utf8');
}
