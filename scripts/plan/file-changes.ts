import { formatPatch, OMIT_HEADERS, structuredPatch } from 'diff';
import type { RenderedFile } from '../../stack/model.ts';
import { hidden, revealed } from '../render/show.ts';

/** A file of a service that a change adds, removes or changes; the revision stamped into it is ignored. */
export interface FileChange {
  readonly service: string;
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** A unified diff with secrets masked; empty when only secrets or the mode differ. */
  readonly diff: string;
  /** Whether a secret in it changed; the diff does not show that. */
  readonly hasOtherSecret: boolean;
}

/** The files of one service in one release; `masked` has the printable content of those with secrets. */
export interface ReleaseFiles {
  readonly files: readonly RenderedFile[];
  readonly revision: string;
  readonly masked?: ReadonlyMap<string, string>;
}

/** The differences between two releases of a service; a release is undefined when it does not exist. */
export function fileChanges(
  service: string,
  before: ReleaseFiles | undefined,
  after: ReleaseFiles | undefined,
): readonly FileChange[] {
  const oldFiles = contentsOf(before);
  const newFiles = contentsOf(after);
  const paths = [...new Set([...oldFiles.keys(), ...newFiles.keys()])].sort();
  return paths.flatMap((path): FileChange[] => {
    const [oldFile, newFile] = [oldFiles.get(path), newFiles.get(path)];
    if (oldFile?.content === newFile?.content && oldFile?.file.mode === newFile?.file.mode) return [];
    const [old, now] = [oldFile && mask(oldFile, before), newFile && mask(newFile, after)];
    if (old === undefined || now === undefined) {
      const kind = old === undefined ? 'added' : 'removed';
      const diff = unifiedDiff(old?.masked ?? '', now?.masked ?? '');
      return [{ service, path, kind, diff, hasOtherSecret: false }];
    }
    const hasOtherSecret =
      now.secrets.some((secret) => !old.content.includes(secret) && !old.secrets.includes(secret)) ||
      (old.masked === now.masked && old.content !== now.content);
    return [{ service, path, kind: 'changed', diff: unifiedDiff(old.masked, now.masked), hasOtherSecret }];
  });
}

/** A file with its complete content, without the stamped revision. */
interface FileContent {
  readonly file: RenderedFile;
  readonly content: string;
}

/** Masking is slow, so it is done only for files that differ. */
interface MaskedContent extends FileContent {
  readonly masked: string;
  readonly secrets: readonly string[];
}

function contentsOf(release: ReleaseFiles | undefined): ReadonlyMap<string, FileContent> {
  return new Map(
    (release?.files ?? []).map((file) => [file.path, { file, content: unstamped(revealed(file), release) }]),
  );
}

function mask({ file, content }: FileContent, release: ReleaseFiles | undefined): MaskedContent {
  const { text, secrets: inlineSecrets } = hidden(file, release?.masked?.get(file.path) ?? file.masked);
  const secrets = [...(file.secrets ?? []).map((secret) => secret.reveal()), ...inlineSecrets];
  return { file, content, masked: unstamped(text, release), secrets };
}

const unstamped = (text: string, release: ReleaseFiles | undefined): string =>
  text.replaceAll(release?.revision ?? '', 'REVISION');

/** Above this number of changed lines, a file is shown as replaced: the time to compare grows quadratically. */
const maxEditLength = 1_500;

/** The hunks of a unified diff, without file names; empty when the contents are equal. */
export function unifiedDiff(before: string, after: string): string {
  if (before === after) return '';
  const isOneSided = before === '' || after === '';
  const options = isOneSided ? { context: 3 } : { context: 3, maxEditLength };
  const patch = structuredPatch('', '', before, after, undefined, undefined, options);
  return patch === undefined ? unifiedDiff(before, '') + unifiedDiff('', after) : formatPatch(patch, OMIT_HEADERS);
}
