import * as z from 'zod';
import type { ArchiveEntry } from '../engine/engine.ts';
import type { ConfigFiles } from './config-files.ts';
import type { ReleaseFolder } from './release-folder.ts';

/** The number of revisions that a rollback can restore. */
const maxRevisions = 10;
/** The number of entries to keep: rollbacks between two revisions make many entries of few revisions. */
const maxEntries = 50;

const releaseSchema = z.object({
  /** The folder below `releases/` in the service's config volume. */
  folder: z.string(),
  /** Hash of its files when written (see `hashFiles`); the current one differs after an edit by hand. */
  hash: z.string(),
});

const entrySchema = z.object({
  revision: z.string(),
  /** ISO 8601, UTC. */
  at: z.string(),
  /** `user@host`. */
  who: z.string(),
  /** The command: `up`. */
  command: z.string(),
  /** The version of promstack; absent in entries of versions that did not store it. */
  version: z.string().optional(),
  /** Every file that differs from the previous state: the path of a user's file, else `service/path`. */
  changed: z.array(z.string()),
  /** The release of each service that has one. */
  services: z.record(z.string(), releaseSchema),
  /** The services that were left out, although stack.yml enabled them. */
  without: z.array(z.string()).readonly().optional(),
  /** Why it was rolled back; absent when it was confirmed. */
  refused: z.string().optional(),
});

const stateSchema = z.object({
  /** Counts the writes: the higher of two is the newer. */
  sequence: z.number(),
  history: z.array(entrySchema),
});

export interface History {
  /** Counts the writes: the higher of two is the newer. */
  readonly sequence: number;
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
}

/** A revision that was confirmed, or that was rejected and rolled back. */
export type HistoryEntry = z.infer<typeof entrySchema>;

/** A release in the history. */
export type RecordedRelease = z.infer<typeof releaseSchema>;

/** The folder beside the releases, in the config volume of the service that stores the history. */
const stateFolder = 'state';

/** The last confirmed entry. */
export function lastConfirmed({ entries }: Pick<History, 'entries'>): HistoryEntry | undefined {
  return entries.findLast((entry) => entry.refused === undefined);
}

/** The last confirmed entry of each of the newest revisions, newest first: a rollback can restore these. */
export function newestRevisions({ entries }: Pick<History, 'entries'>): readonly HistoryEntry[] {
  const byRevision = new Map<string, HistoryEntry>();
  for (const entry of entries.toReversed()) {
    if (entry.refused === undefined && !byRevision.has(entry.revision)) byRevision.set(entry.revision, entry);
  }
  return [...byRevision.values()].slice(0, maxRevisions);
}

/** The folders of a service's releases of the newest revisions. */
export function newestFolders(history: Pick<History, 'entries'>, service: string): readonly ReleaseFolder[] {
  return newestRevisions(history).flatMap(({ services }) => services[service]?.folder ?? []);
}

export const noHistory: History = { sequence: 0, entries: [] };

/** The stack's history, without entries when there is none. `owner` is the service whose volume stores it. */
export async function readHistory(files: ConfigFiles, owner: string): Promise<History> {
  const stored = (await files.readAside(owner, stateFolder)) ?? [];
  const states = stored.flatMap((entry) => {
    if (entry.kind !== 'file') return [];
    const parsed = stateSchema.safeParse(parseJson(entry.content.toString('utf8')));
    // An unreadable history must not prevent a change: the servers themselves prove what they run.
    return parsed.success ? [{ sequence: parsed.data.sequence, entries: parsed.data.history }] : [];
  });
  return states.toSorted((a, b) => b.sequence - a.sequence)[0] ?? noHistory;
}

/** Adds an entry to the history. Two files alternate, so that an interrupted write damages only the older one. */
export async function addToHistory(
  files: ConfigFiles,
  owner: string,
  before: History,
  entry: HistoryEntry,
  obsolete: (after: Pick<History, 'entries'>) => readonly ArchiveEntry[] = () => [],
): Promise<void> {
  const sequence = before.sequence + 1;
  const state: z.infer<typeof stateSchema> = { sequence, history: [...before.entries, entry].slice(-maxEntries) };
  const content = Buffer.from(`${JSON.stringify(state, null, 2)}\n`);
  const folder = `${owner}/${stateFolder}`;
  const root = { uid: 0, gid: 0 } as const;
  await files.write([
    { kind: 'directory', path: folder, mode: 0o755, ...root },
    { kind: 'file', path: `${folder}/history-${sequence % 2}.json`, content, mode: 0o644, ...root },
    ...obsolete({ entries: state.history }),
  ]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
