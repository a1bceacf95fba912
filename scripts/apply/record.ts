import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import { targetName } from '../config/user-files.ts';
import { type Desired, historyService } from '../plan/desired.ts';
import type { Observed } from '../plan/observed.ts';
import { type Plan, switchedReleases } from '../plan/plan.ts';
import { type ConfigFiles, checkFolder, clearing } from '../state/config-files.ts';
import { hashFiles } from '../state/files-hash.ts';
import {
  addToHistory,
  type History,
  lastConfirmed,
  newestFolders,
  type RecordedRelease,
  readHistory,
} from '../state/history.ts';
import { type ReleaseFolder, slotOf } from '../state/release-folder.ts';
import { userAtHost } from '../util/user.ts';

/** Adds the desired revision to the stack's history; the changed files are those that differ from `previous`. */
export async function recordRevision(options: {
  readonly files: ConfigFiles;
  readonly desired: Desired;
  /** The state before the change, with the history if it could be read. */
  readonly observed: Pick<Observed, 'history'>;
  readonly previous: Desired;
  readonly command: string;
  readonly at: Date;
  /** The folder of each service's release. */
  readonly folders: ReadonlyMap<string, ReleaseFolder>;
  /** Why it was rolled back; undefined when it was confirmed. */
  readonly refused: string | undefined;
}): Promise<void> {
  const { files, desired, observed, previous, command, at, folders, refused } = options;
  const historyOwner = historyService(desired);
  if (historyOwner === undefined) return;
  const releases = desired.services.flatMap(({ service: { name }, release }): [string, RecordedRelease][] => {
    const folder = folders.get(name);
    return release === undefined || folder === undefined ? [] : [[name, { folder, hash: hashFiles(release.files) }]];
  });
  // Before the change, a stack that was down had no container to read the history through.
  const history = observed.history.sequence > 0 ? observed.history : await readHistory(files, historyOwner);
  const entry = {
    revision: desired.revision,
    at: at.toISOString(),
    who: userAtHost(),
    command,
    changed: changedFiles(previous, desired, history),
    services: Object.fromEntries(releases),
    without: desired.without ?? lastConfirmed(history)?.without,
    refused,
  };
  // What no revision needs any more may have secrets in it.
  await addToHistory(files, historyOwner, history, entry, (after) =>
    desired.services.flatMap(({ service: { name }, release }) => {
      if (release === undefined) return [];
      const before = previous.services.find(({ service }) => service.name === name)?.folder;
      const written = folders.get(name);
      const running = refused === undefined ? written : before;
      const slotsOf = (...used: readonly (ReleaseFolder | undefined)[]): readonly string[] =>
        used.flatMap((folder) => (folder === undefined ? [] : [slotOf(folder)]));
      const needed = new Set(slotsOf(running, ...newestFolders(after, name)));
      const known = new Set(slotsOf(before, written, ...newestFolders(history, name)));
      const obsolete = [...known].filter((slot) => !needed.has(slot)).map((slot) => `${name}/releases/${slot}`);
      return [...obsolete, `${name}/${checkFolder}`].map(clearing);
    }),
  );
}

/** The folder of each service's release after the plan. */
export function foldersAfter(plan: Plan, { services }: Observed): ReadonlyMap<string, ReleaseFolder> {
  const before = [...services].flatMap(([name, { folder }]) => (folder === undefined ? [] : [[name, folder] as const]));
  return new Map([...before, ...switchedReleases(plan).map(({ service, folder }) => [service, folder] as const)]);
}

/** The name of each file that was added, removed or changed in more than its stamped revision. */
function changedFiles(previous: Desired, desired: Desired, history: History): string[] {
  const before = filesOf(previous);
  const after = filesOf(desired);
  const isSame = (path: string): boolean => {
    const [old, now] = [before.get(path), after.get(path)];
    if (old === undefined || now === undefined || old.file.mode !== now.file.mode) return old === now;
    return (
      old.file.content === now.file.content ||
      withoutRevision(old.file, old.revision) === withoutRevision(now.file, now.revision)
    );
  };
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter((path) => !isSame(path));
  return changed.map((path) => nameOf(path, after.get(path)?.file, history)).sort();
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

/**
 * A file that is the user's as it is has the path that they know; a removed or restored one has the name that it has in the history.
 * Others have the path that `render` prints.
 */
function nameOf(path: string, file: RenderedFile | undefined, { entries }: History): string {
  if (file?.isVerbatim === true && file.isShipped !== true) return file.origin;
  const names = entries.toReversed().flatMap(({ changed }) => changed);
  const isName = (name: string): boolean =>
    name === `templates/${path}` || path.endsWith(`/user/${targetName(name, [])}`);
  return names.find(isName) ?? path;
}

/** A file's content without the stamped revision, to compare it. */
function withoutRevision({ content }: Pick<RenderedFile, 'content'>, revision: string): string {
  const text = content instanceof Secret ? content.reveal() : content;
  return text.replaceAll(revision, 'REVISION');
}
