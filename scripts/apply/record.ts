import { hostname } from 'node:os';
import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import { type Desired, historyService } from '../plan/desired.ts';
import type { ConfigFiles } from '../state/config-files.ts';
import { hashFiles } from '../state/files-hash.ts';
import { addToHistory, type RecordedRelease } from '../state/history.ts';
import { userName } from '../state/lock.ts';
import type { ReleaseFolder } from '../state/release-folder.ts';

/** Adds the desired revision to the stack's history; `previous` tells which files are new to it. */
export async function recordRevision(
  files: ConfigFiles,
  desired: Desired,
  told: {
    readonly previous: Desired;
    readonly command: string;
    readonly at: Date;
    /** The folder of each service's release. */
    readonly folders: ReadonlyMap<string, ReleaseFolder>;
    /** Why it was taken back; it counts as confirmed without. */
    readonly refused?: string;
  },
): Promise<void> {
  const keeper = historyService(desired);
  if (keeper === undefined) return;
  const { previous, command, at, folders, refused } = told;
  await addToHistory(files, keeper, {
    revision: desired.revision,
    at: at.toISOString(),
    who: `${userName()}@${hostname()}`,
    command,
    changed: changedFiles(previous, desired),
    services: Object.fromEntries(
      desired.services.flatMap(({ service: { name }, release }): [string, RecordedRelease][] => {
        const folder = folders.get(name);
        return release === undefined || folder === undefined
          ? []
          : [[name, { folder, hash: hashFiles(release.files) }]];
      }),
    ),
    ...(refused === undefined ? {} : { refused }),
  });
}

/** `service/path` of each file that one state has and the other has not, or has otherwise; a mere stamp does not count. */
function changedFiles(previous: Desired, desired: Desired): string[] {
  const before = filesOf(previous);
  const after = filesOf(desired);
  const isSame = (path: string): boolean => {
    const [one, other] = [before.get(path), after.get(path)];
    if (one === undefined || other === undefined || one.file.mode !== other.file.mode) return one === other;
    return (
      one.file.content === other.file.content ||
      withoutRevision(one.file, one.revision) === withoutRevision(other.file, other.revision)
    );
  };
  return [...new Set([...before.keys(), ...after.keys()])].filter((path) => !isSame(path)).sort();
}

function filesOf(state: Desired): ReadonlyMap<string, { readonly file: RenderedFile; readonly revision: string }> {
  return new Map(
    state.services.flatMap(({ service, release }) =>
      (release?.files ?? []).map((file) => [
        `${service.name}/${file.path}`,
        { file, revision: release?.revision ?? '' },
      ]),
    ),
  );
}

/** A file's text without the revision that is stamped into it: files that differ in nothing else are the same to a person. */
function withoutRevision({ content }: Pick<RenderedFile, 'content'>, revision: string): string {
  const text = content instanceof Secret ? content.reveal() : content;
  return text.replaceAll(revision, 'REVISION');
}
