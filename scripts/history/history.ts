import { z } from 'zod';
import type { Engine } from '../engine/engine.ts';

/** How many revisions stay for history and rollback. */
export const keptRevisions = 10;

const entrySchema = z.object({
  revision: z.string(),
  /** ISO 8601, UTC. */
  at: z.string(),
  /** `user@host`. */
  who: z.string(),
  /** The command that did it: `up`. */
  command: z.string(),
  /** `service/path` of every file that differs from the revision before. */
  changed: z.array(z.string()),
  /** The release of each service. */
  services: z.record(z.string(), z.string()),
});

/** One revision that was confirmed to run. */
export type HistoryEntry = z.infer<typeof entrySchema>;

/** The folder beside the releases, in the config volume of the service that keeps the state. */
export const stateFolder = 'state';
const file = 'history.json';

/** The stack's history, oldest first, as a container that mounts the keeper's config volume sees it; empty when there is none. */
export async function readHistory(engine: Engine, container: string, mount: string): Promise<readonly HistoryEntry[]> {
  const entries = await engine.getFiles(container, `${mount}/${stateFolder}/${file}`);
  const found = entries?.find((entry) => entry.kind === 'file');
  if (found === undefined) return [];
  const parsed = z.object({ history: z.array(entrySchema) }).safeParse(parseJson(found.content.toString('utf8')));
  // A history that cannot be read is no reason to stop: what runs is proven by asking the servers.
  return parsed.success ? parsed.data.history : [];
}

/** Writes the history through the carrier, the newest revisions only. */
export async function writeHistory(
  engine: Engine,
  carrier: string,
  mount: string,
  history: readonly HistoryEntry[],
): Promise<void> {
  const content = Buffer.from(`${JSON.stringify({ history: history.slice(-keptRevisions) }, null, 2)}\n`);
  const root = { uid: 0, gid: 0 } as const;
  await engine.putFiles(carrier, mount, [
    { kind: 'directory', path: stateFolder, mode: 0o755, ...root },
    { kind: 'file', path: `${stateFolder}/${file}`, content, mode: 0o644, ...root },
  ]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
