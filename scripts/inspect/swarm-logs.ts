import { EngineError } from '../engine/engine-error.ts';
import { type Swarm, type SwarmTask, whyNoLog } from '../engine/swarm/swarm.ts';
import { taskName } from '../plan/swarm/nodes.ts';
import type { SwarmObserved } from '../plan/swarm/observe.ts';
import type { Clock } from '../util/clock.ts';
import { compareTimes, type LogOptions, type ServiceLine } from './logs.ts';

/** Tasks that have ended are read too, so that the log of one that failed is there: the last of each place. */
const endedTasks = 1;

interface SwarmLogSource {
  readonly swarm: Pick<Swarm, 'taskLogs'>;
  readonly observe: () => Promise<SwarmObserved>;
  readonly services: readonly string[];
  readonly signal: AbortSignal;
  /** Called for each log that cannot be read, with the reason. */
  warn(text: string): void;
}

/** The lines of all tasks of the services, sorted by time; each is named with its task and its node. */
export async function readSwarmLogs(source: SwarmLogSource, options: LogOptions): Promise<readonly ServiceLine[]> {
  return inOrder(await readTasks(source, options));
}

const inOrder = (read: readonly TaskLines[]): readonly ServiceLine[] =>
  read.flatMap(({ lines }) => lines).toSorted((a, b) => compareTimes(a.time, b.time));

interface TaskLines {
  /** The id of the task. */
  readonly task: string;
  readonly lines: readonly ServiceLine[];
}

async function readTasks(source: SwarmLogSource, options: LogOptions): Promise<readonly TaskLines[]> {
  const { swarm, signal } = source;
  return Promise.all(
    (await tasksOf(source)).map(async ({ task, name, unreadable }) => {
      const lines: ServiceLine[] = [];
      if (unreadable !== undefined) source.warn(unreadable);
      else {
        await warned(source, name, async () => {
          for await (const line of swarm.taskLogs(task.id, { ...options, signal }))
            lines.push({ ...line, service: name });
        });
      }
      return { task: task.id, lines };
    }),
  );
}

/** Calls back for existing lines and then for each new one, of new tasks too, until the signal aborts. */
export async function followSwarmLogs(
  given: SwarmLogSource & { readonly clock: Clock },
  options: LogOptions,
  onLine: (line: ServiceLine) => void,
): Promise<void> {
  // A log that stays unreadable is tried again each second, and named once.
  const said = new Set<string>();
  const warn = (text: string): void => {
    if (!said.has(text)) given.warn(text);
    said.add(text);
  };
  const source = { ...given, warn };
  const { swarm, signal, clock } = source;
  const read = await readTasks(source, options);
  for (const line of inOrder(read)) onLine(line);
  const known = new Set(read.map(({ task }) => task));
  const last = new Map(
    read.flatMap(({ task, lines }): [string, string][] => {
      const newest = lines.at(-1);
      return newest === undefined ? [] : [[task, newest.time]];
    }),
  );
  const follow = async (task: SwarmTask, name: string): Promise<void> => {
    // The clock of a node may differ from the one here: only its own lines say how far its log was read.
    const seen = last.get(task.id);
    const { since = new Date(0), tail } = options;
    const from =
      seen === undefined ? { since, tail: known.has(task.id) ? tail : undefined } : { since: new Date(seen) };
    for await (const line of swarm.taskLogs(task.id, { ...from, follow: true, signal })) {
      // What is asked since a time has the lines of that time too.
      if (seen !== undefined && compareTimes(line.time, seen) <= 0) continue;
      last.set(task.id, line.time);
      onLine({ ...line, service: name });
    }
  };
  const followed = new Map<string, Promise<void>>();
  while (!signal.aborted) {
    for (const { task, name, unreadable } of await tasksOf(source)) {
      if (task.desired !== 'running' || unreadable !== undefined || followed.has(task.id)) continue;
      // A log that breaks off with its node goes on when the node is back.
      const following = warned(source, name, () => follow(task, name));
      followed.set(
        task.id,
        following.then(() => void followed.delete(task.id)),
      );
    }
    await clock.sleep(1_000, signal).catch(() => undefined);
  }
  await Promise.allSettled(followed.values());
}

/** Reads a log; a failure of one is no reason to show none of the others. */
async function warned({ signal, warn }: SwarmLogSource, name: string, read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof EngineError)) throw error;
    warn(noLog(name, error.message));
  }
}

const noLog = (name: string, why: string): string => `the log of ${name} cannot be read: ${why}`;

/** The names by which the lines of the tasks are shown. */
export async function taskNames(source: SwarmLogSource): Promise<readonly string[]> {
  return [...new Set((await tasksOf(source)).map(({ name }) => name))];
}

async function tasksOf({ observe, services }: SwarmLogSource) {
  const observed = await observe();
  return services.flatMap((service) => {
    const tasks = (observed.services.get(service)?.tasks ?? []).toSorted((a, b) => b.createdAt - a.createdAt);
    const ended = new Map<string, number>();
    const shown = tasks.filter((task) => {
      if (task.node === undefined) return false;
      if (task.desired === 'running') return true;
      const place = String(task.slot ?? task.node);
      ended.set(place, (ended.get(place) ?? 0) + 1);
      return (ended.get(place) ?? 0) <= endedTasks;
    });
    return shown.map((task) => {
      const name = taskName(service, task, observed.nodes);
      const why = whyNoLog(task, observed.nodes);
      return { task, name, unreadable: why && noLog(name, why) };
    });
  });
}
