import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import { revealed, shown } from '../render/show.ts';
import { unifiedDiff } from './unified-diff.ts';

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
  const old = textsOf(before);
  const now = textsOf(after);
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return paths.flatMap((path): FileChange[] => {
    const [one, other] = [old.get(path), now.get(path)];
    if (one === undefined || other === undefined) {
      const kind = one === undefined ? 'added' : 'removed';
      return [{ service, path, kind, diff: unifiedDiff(one?.shown ?? '', other?.shown ?? ''), hasOtherSecret: false }];
    }
    if (one.whole === other.whole) return [];
    const hasOtherSecret = other.secrets.some((secret) => !one.whole.includes(secret));
    return [{ service, path, kind: 'changed', diff: unifiedDiff(one.shown, other.shown), hasOtherSecret }];
  });
}

/** A file's text: the whole of it to compare, what may be shown of it, and the secrets in it. */
interface Text {
  readonly whole: string;
  readonly shown: string;
  readonly secrets: readonly string[];
}

function textsOf(release: ReleaseFiles | undefined): ReadonlyMap<string, Text> {
  const plain = (text: string): string => text.replaceAll(release?.revision ?? '', 'REVISION');
  return new Map(
    (release?.files ?? []).map((file) => {
      const masked = release?.masked?.get(file.path);
      const visible = file.content instanceof Secret && masked !== undefined ? masked : shown(file);
      const whole = `${file.mode} ${plain(revealed(file))}`;
      return [file.path, { whole, shown: plain(visible), secrets: (file.secrets ?? []).map((one) => one.reveal()) }];
    }),
  );
}
