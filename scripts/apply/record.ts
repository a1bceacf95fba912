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
import { readRelease } from '../state/release-files.ts';
import { type ReleaseFolder, revisionOf, slotOf } from '../state/release-folder.ts';
import { redact } from '../util/redaction.ts';
import { userAtHost } from '../util/user.ts';
import { version } from '../util/version.ts';

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
    version: version(),
    changed: changedFiles(await releasesBefore(previous, desired, history, files), releasesOf(desired), history),
    services: Object.fromEntries(releases),
    without: desired.without ?? lastConfirmed(history)?.without,
    // It may quote a server's log; later commands may not know the secrets of today.
    refused: refused === undefined ? undefined : redact(refused),
  };
  // What no revision needs any more may have secrets in it.
  await addToHistory(files, historyOwner, history, entry, (after) =>
    desired.services.flatMap(({ service: { name }, release }) => {
      if (release === undefined) return [];
      const before = previous.services.find(({ service }) => service.name === name)?.folder;
      const written = folders.get(name);
      // Without a previous state nothing was rolled back.
      const running = refused === undefined || previous.services.length === 0 ? written : before;
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

interface NamedRelease {
  readonly service: string;
  readonly files: readonly RenderedFile[];
  readonly revision: string;
}

function releasesOf({ services }: Desired): readonly NamedRelease[] {
  return services.flatMap(({ service, release }) =>
    release === undefined ? [] : [{ service: service.name, files: release.files, revision: release.revision }],
  );
}

/** The releases that ran before; those of a service without a container, as after `down`, are the last confirmed ones. */
async function releasesBefore(
  previous: Desired,
  desired: Desired,
  history: History,
  files: ConfigFiles,
): Promise<readonly NamedRelease[]> {
  const running = releasesOf(previous);
  const isAbsent = (name: string) => !running.some(({ service }) => service === name);
  const stored = Object.entries(lastConfirmed(history)?.services ?? {}).filter(([name]) => isAbsent(name));
  const mounted = stored.filter(([name]) => desired.services.some(({ service }) => service.name === name));
  const releases = mounted.map(async ([service, { folder }]) => {
    const release = await readRelease(files, service, folder);
    return release === undefined ? [] : [{ service, files: release.files, revision: revisionOf(folder) }];
  });
  return [...running, ...(await Promise.all(releases)).flat()];
}

/** The name of each file that was added, removed or changed in more than its stamped revision. */
function changedFiles(previous: readonly NamedRelease[], desired: readonly NamedRelease[], history: History): string[] {
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

function filesOf(
  releases: readonly NamedRelease[],
): ReadonlyMap<string, { readonly file: RenderedFile; readonly revision: string }> {
  return new Map(
    releases.flatMap(({ service, files, revision }) =>
      files.map((file) => [`${service}/${file.path}`, { file, revision }] as const),
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
