import * as z from 'zod';
import type { ConfigFiles } from './config-files.ts';
import type { ReleaseFolder } from './release-folder.ts';

/** How many revisions can be gone back to. */
const keptRevisions = 10;
/** How many entries stay: going to and fro between two revisions makes many entries of few revisions. */
const keptEntries = 50;

const releaseSchema = z.object({
  /** The folder below `releases/` in the service's config volume. */
  folder: z.string(),
  /** Hash of its files as they were written (see `hashFiles`): a different one after an edit by hand. */
  hash: z.string(),
});

const entrySchema = z.object({
  revision: z.string(),
  /** ISO 8601, UTC. */
  at: z.string(),
  /** `user@host`. */
  who: z.string(),
  /** The command that did it: `up`. */
  command: z.string(),
  /** `service/path` of every file that differs from what ran before. */
  changed: z.array(z.string()),
  /** The release of each service that has one. */
  services: z.record(z.string(), releaseSchema),
  /** Why it was rolled back; absent when it was confirmed. */
  refused: z.string().optional(),
});

const stateSchema = z.object({
  /** Counts the writings: the higher of two is the newer. */
  sequence: z.number(),
  history: z.array(entrySchema),
});

/** The history as it is stored. */
export interface History {
  /** Counts the writes: the higher of two is the newer. */
  readonly sequence: number;
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
}

/** One revision that was confirmed to run, or that was refused and rolled back. */
export type HistoryEntry = z.infer<typeof entrySchema>;

/** A release as the history names it. */
export type RecordedRelease = z.infer<typeof releaseSchema>;

/** The folder beside the releases, in the config volume of the service that stores the history. */
const stateFolder = 'state';

/** The last entry that was confirmed: what the stack ran when all was well. */
export function lastConfirmed({ entries }: Pick<History, 'entries'>): HistoryEntry | undefined {
  return entries.findLast((entry) => entry.refused === undefined);
}

/** The confirmed entries of the newest revisions, the last of each, newest first: what a rollback can go back to. */
export function newestRevisions({ entries }: Pick<History, 'entries'>): readonly HistoryEntry[] {
  const byRevision = new Map<string, HistoryEntry>();
  for (const entry of entries.toReversed()) {
    if (entry.refused === undefined && !byRevision.has(entry.revision)) byRevision.set(entry.revision, entry);
  }
  return [...byRevision.values()].slice(0, keptRevisions);
}

/** The folders in which a service's releases of the newest revisions lie. */
export function newestFolders(history: Pick<History, 'entries'>, service: string): readonly ReleaseFolder[] {
  return newestRevisions(history).flatMap(({ services }) => services[service]?.folder ?? []);
}

/** A history without entries. */
export const noHistory: History = { sequence: 0, entries: [] };

/** The stack's history, without entries when there is none. `keeper` is the service whose volume holds it. */
export async function readHistory(files: ConfigFiles, keeper: string): Promise<History> {
  const stored = (await files.read(keeper, stateFolder)) ?? [];
  const states = stored.flatMap((entry) => {
    if (entry.kind !== 'file') return [];
    const parsed = stateSchema.safeParse(parseJson(entry.content.toString('utf8')));
    // A history that cannot be read does not stop anything: what runs is proven by asking the servers.
    return parsed.success ? [{ sequence: parsed.data.sequence, entries: parsed.data.history }] : [];
  });
  return states.toSorted((a, b) => b.sequence - a.sequence)[0] ?? noHistory;
}

/** Adds an entry to the history as it was read. Two files take turns, so that a write that is cut short spoils only the older one. */
export async function addToHistory(
  files: ConfigFiles,
  keeper: string,
  before: History,
  entry: HistoryEntry,
): Promise<void> {
  const sequence = before.sequence + 1;
  const state: z.infer<typeof stateSchema> = { sequence, history: [...before.entries, entry].slice(-keptEntries) };
  const content = Buffer.from(`${JSON.stringify(state, null, 2)}\n`);
  const folder = `${keeper}/${stateFolder}`;
  const root = { uid: 0, gid: 0 } as const;
  await files.write([
    { kind: 'directory', path: folder, mode: 0o755, ...root },
    { kind: 'file', path: `${folder}/history-${sequence % 2}.json`, content, mode: 0o644, ...root },
  ]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
