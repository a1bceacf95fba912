import { formatPatch, OMIT_HEADERS, structuredPatch } from 'diff';
import type { RenderedFile } from '../../stack/model.ts';
import { hidden, revealed } from '../render/show.ts';

/** One file that a service will have otherwise; the revision stamped into it does not count. */
export interface FileChange {
  readonly service: string;
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** In the unified form, secrets masked; empty when nothing that may be shown differs. */
  readonly diff: string;
  /** Whether a secret in it changed, which the diff does not show. */
  readonly hasOtherSecret: boolean;
}

/** The files of one service in one release; `masked` says how those with secrets may be shown. */
export interface ReleaseFiles {
  readonly files: readonly RenderedFile[];
  readonly revision: string;
  readonly masked?: ReadonlyMap<string, string>;
}

/** How the files of a service change from one release to another; undefined for one that is not there. */
export function fileChanges(
  service: string,
  before: ReleaseFiles | undefined,
  after: ReleaseFiles | undefined,
): readonly FileChange[] {
  const old = wholeTexts(before);
  const now = wholeTexts(after);
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return paths.flatMap((path): FileChange[] => {
    const [one, other] = [old.get(path), now.get(path)];
    if (one?.whole === other?.whole && one?.file.mode === other?.file.mode) return [];
    const [was, will] = [one && textOf(one, before), other && textOf(other, after)];
    if (was === undefined || will === undefined) {
      const kind = was === undefined ? 'added' : 'removed';
      return [{ service, path, kind, diff: unifiedDiff(was?.shown ?? '', will?.shown ?? ''), hasOtherSecret: false }];
    }
    const hasOtherSecret =
      will.secrets.some((secret) => !was.whole.includes(secret) && !was.secrets.includes(secret)) ||
      (was.shown === will.shown && was.whole !== will.whole);
    return [{ service, path, kind: 'changed', diff: unifiedDiff(was.shown, will.shown), hasOtherSecret }];
  });
}

/** A file and the whole of its text, to compare. */
interface Whole {
  readonly file: RenderedFile;
  readonly whole: string;
}

/** The same with what may be shown of it, which takes longer to find out, and the secrets in it. */
interface Text extends Whole {
  readonly shown: string;
  readonly secrets: readonly string[];
}

function wholeTexts(release: ReleaseFiles | undefined): ReadonlyMap<string, Whole> {
  return new Map(
    (release?.files ?? []).map((file) => [file.path, { file, whole: unstamped(revealed(file), release) }]),
  );
}

function textOf({ file, whole }: Whole, release: ReleaseFiles | undefined): Text {
  const { text, secrets: written } = hidden(file, release?.masked?.get(file.path) ?? file.masked);
  const secrets = [...(file.secrets ?? []).map((one) => one.reveal()), ...written];
  return { file, whole, shown: unstamped(text, release), secrets };
}

const unstamped = (text: string, release: ReleaseFiles | undefined): string =>
  text.replaceAll(release?.revision ?? '', 'REVISION');

/** Texts that differ by more lines than this are shown as replaced: the time to compare them grows with the square. */
const maxEditLength = 1_500;

/** The hunks of a unified diff, without file names; empty for equal texts. */
export function unifiedDiff(before: string, after: string): string {
  if (before === after) return '';
  const isWhole = before === '' || after === '';
  const options = isWhole ? { context: 3 } : { context: 3, maxEditLength };
  const patch = structuredPatch('', '', before, after, undefined, undefined, options);
  return patch === undefined ? unifiedDiff(before, '') + unifiedDiff('', after) : formatPatch(patch, OMIT_HEADERS);
}
