import type { Swarm, SwarmTask } from '../engine/swarm/swarm.ts';
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
}

/** The lines of all tasks of the services, sorted by time; each is named with its task and its node. */
export async function readSwarmLogs(source: SwarmLogSource, options: LogOptions): Promise<readonly ServiceLine[]> {
  const { swarm, signal } = source;
  const lines = await Promise.all(
    (await tasksOf(source)).map(async ({ task, name }) => {
      const own: ServiceLine[] = [];
      for await (const line of swarm.taskLogs(task.id, { ...options, signal })) own.push({ ...line, service: name });
      return own;
    }),
  );
  return lines.flat().toSorted((a, b) => compareTimes(a.time, b.time));
}

/** Calls back for existing lines and then for each new one, of new tasks too, until the signal aborts. */
export async function followSwarmLogs(
  source: SwarmLogSource & { readonly clock: Clock },
  options: LogOptions,
  onLine: (line: ServiceLine) => void,
): Promise<void> {
  const { swarm, signal, clock } = source;
  const startedAt = new Date(clock.now());
  for (const line of await readSwarmLogs(source, options)) onLine(line);
  const followed = new Map<string, Promise<void>>();
  const follow = async (task: SwarmTask, name: string): Promise<void> => {
    for await (const line of swarm.taskLogs(task.id, { since: startedAt, follow: true, signal })) {
      if (compareTimes(line.time, startedAt.toISOString()) > 0) onLine({ ...line, service: name });
    }
  };
  while (!signal.aborted) {
    for (const { task, name } of await tasksOf(source)) {
      if (task.desired === 'running' && !followed.has(task.id)) followed.set(task.id, follow(task, name));
    }
    await clock.sleep(1_000, signal).catch(() => undefined);
  }
  await Promise.allSettled(followed.values());
}

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
    return shown.map((task) => ({ task, name: taskName(service, task, observed.nodes) }));
  });
}
