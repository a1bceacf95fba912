import { hostname } from 'node:os';
import * as z from 'zod';
import { baseLabels, roleLabel, stackLabel, versionLabel } from '../../engine/labels.ts';
import type { Swarm, SwarmFile } from '../../engine/swarm/swarm.ts';
import { userName } from '../../util/user.ts';

/**
 * The history of a stack on a swarm: a config of the swarm for each change, so that all managers have it. Its content is what
 * the change was to make, and never changes; its labels say what became of it.
 */
export interface SwarmRecord<Target = unknown> {
  readonly file: SwarmFile;
  /** Counts the changes. */
  readonly sequence: number;
  readonly revision: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** `user@host`. */
  readonly who: string;
  readonly command: string;
  /** `begun` while the change is under way, and for ever when promstack was killed. */
  readonly state: 'begun' | 'confirmed' | 'refused';
  /** Why it was rolled back. */
  readonly refused?: string | undefined;
  readonly version?: string | undefined;
  /** What it was to make; undefined when a newer promstack wrote it in another form. */
  readonly target: Target | undefined;
}

/** The value of the role label on a record. */
export const recordRole = 'revision';

const label = {
  sequence: 'dev.promstack.sequence',
  revision: 'dev.promstack.revision',
  at: 'dev.promstack.at',
  who: 'dev.promstack.who',
  command: 'dev.promstack.command',
  state: 'dev.promstack.state',
  refused: 'dev.promstack.refused',
} as const;

const labelsSchema = z.object({
  [label.sequence]: z.coerce.number(),
  [label.revision]: z.string(),
  [label.at]: z.string(),
  [label.who]: z.string(),
  [label.command]: z.string(),
  [label.state]: z.enum(['begun', 'confirmed', 'refused']),
  [label.refused]: z.string().optional(),
  [versionLabel]: z.string().optional(),
});

/** How many confirmed revisions a rollback can restore, and how many records are kept in all. */
const maxRevisions = 10;
const maxRecords = 50;

/** The records among the files of a stack, oldest first. */
export function readRecords<Target>(
  files: readonly SwarmFile[],
  parse: (content: unknown) => Target | undefined,
): readonly SwarmRecord<Target>[] {
  return files
    .flatMap((file): SwarmRecord<Target>[] => {
      if (file.labels[roleLabel] !== recordRole) return [];
      const parsed = labelsSchema.safeParse(file.labels);
      if (!parsed.success) return [];
      const labels = parsed.data;
      return [
        {
          file,
          sequence: labels[label.sequence],
          revision: labels[label.revision],
          at: labels[label.at],
          who: labels[label.who],
          command: labels[label.command],
          state: labels[label.state],
          refused: labels[label.refused],
          version: labels[versionLabel],
          target: parse(parseJson(file.content ?? '')),
        },
      ];
    })
    .toSorted((a, b) => a.sequence - b.sequence);
}

/** The last confirmed record: what runs, unless a change has begun since. */
export function lastConfirmed<Target>(records: readonly SwarmRecord<Target>[]): SwarmRecord<Target> | undefined {
  return records.findLast(({ state }) => state === 'confirmed');
}

/** The last confirmed record of each of the newest revisions, newest first: a rollback can restore these. */
export function newestRevisions<Target>(records: readonly SwarmRecord<Target>[]): readonly SwarmRecord<Target>[] {
  const byRevision = new Map<string, SwarmRecord<Target>>();
  for (const record of records.toReversed()) {
    if (record.state === 'confirmed' && !byRevision.has(record.revision)) byRevision.set(record.revision, record);
  }
  return [...byRevision.values()].slice(0, maxRevisions);
}

/** Records that are neither new enough nor needed for a rollback. */
export function obsoleteRecords<Target>(records: readonly SwarmRecord<Target>[]): readonly SwarmRecord<Target>[] {
  const needed = new Set(newestRevisions(records));
  return records.slice(0, -maxRecords).filter((record) => !needed.has(record));
}

/** Writes that a change has begun; rejects when another one has taken its number. */
export async function beginRecord(
  swarm: Swarm,
  stack: string,
  records: readonly SwarmRecord[],
  change: { readonly revision: string; readonly command: string; readonly at: Date; readonly target: unknown },
): Promise<SwarmFile> {
  const sequence = (records.at(-1)?.sequence ?? 0) + 1;
  const { revision, command, at, target } = change;
  const name = `${stack}-revision-${String(sequence).padStart(6, '0')}`;
  const labels = {
    ...baseLabels(stack, recordRole),
    [label.sequence]: String(sequence),
    [label.revision]: revision,
    [label.at]: at.toISOString(),
    [label.who]: `${userName()}@${hostname()}`,
    [label.command]: command,
    [label.state]: 'begun',
  };
  const content = JSON.stringify(target);
  await swarm.createFile('config', name, content, labels);
  return findRecord(swarm, stack, name);
}

/** Writes what became of a change. */
export async function endRecord(
  swarm: Swarm,
  { name, labels }: Pick<SwarmFile, 'name' | 'labels'>,
  outcome: { readonly state: 'confirmed' } | { readonly state: 'refused'; readonly why: string },
): Promise<void> {
  const stack = labels[stackLabel] ?? '';
  const current = await findRecord(swarm, stack, name);
  await swarm.labelFile(current, {
    ...current.labels,
    [label.state]: outcome.state,
    ...(outcome.state === 'refused' ? { [label.refused]: outcome.why.slice(0, 2_000) } : {}),
  });
}

async function findRecord(swarm: Swarm, stack: string, name: string): Promise<SwarmFile> {
  const files = await swarm.listFiles({ [stackLabel]: stack, [roleLabel]: recordRole });
  const found = files.find((file) => file.name === name);
  if (found === undefined) throw new Error(`the record ${name} is gone`);
  return found;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
