import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';

/** A file's text without the revision that is stamped into it: files that differ in nothing else are the same to a person. */
export function withoutRevision({ content }: Pick<RenderedFile, 'content'>, revision: string): string {
  const text = content instanceof Secret ? content.reveal() : content;
  return text.replaceAll(revision, 'REVISION');
}
