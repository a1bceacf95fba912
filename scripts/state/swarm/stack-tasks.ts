import * as z from 'zod';
import { parseJson } from '../../../stack/values/parse.ts';
import type { ContainerSummary, Engine } from '../../engine/engine.ts';
import { serviceLabel, specLabel, stackLabel } from '../../engine/labels.ts';
import type { LogLine } from '../../engine/log-line.ts';
import { type SwarmTask, whyNoLog } from '../../engine/swarm/swarm.ts';
import { systemClock } from '../../util/clock.ts';
import { ConnectionError } from '../../util/http.ts';
import type { ServiceClient } from '../service-client.ts';
import { clientImages } from './client-image.ts';
import { readSecrets, type SecretReading } from './secret-reader.ts';
import type { TaskFiles } from './task-access.ts';
import { openTaskClient, stackNetwork, type TaskClient } from './task-client.ts';

/** The servers of a stack on a swarm: of those with several tasks the first, always the same one. */
export interface StackTasks {
  readonly client: ServiceClient;
  /** The first task of a service, as a container; undefined when it has none that is to run. */
  find(service: string): Promise<ContainerSummary | undefined>;
  /** Runs a program of Prometheus's image in the stack's network. */
  readonly exec: TaskClient['exec'];
  /** A file of a service that the swarm stores for it; undefined when it has none there. */
  file(service: string, path: string): Promise<string | undefined>;
  /** The lines of all tasks of a service since a time, as far as their nodes are there. */
  lines(service: string, since: Date, signal: AbortSignal): Promise<readonly LogLine[]>;
}

/** How long the log of a task is waited for: its node may have been lost without the swarm knowing it yet. */
const logMs = 4_000;

/** Finds the tasks of a stack. Closing the client removes the container through which they are reached. */
export async function openStackTasks(
  engine: Engine,
  stack: string,
  { clock, signal }: Pick<SecretReading, 'clock' | 'signal'> = {
    clock: systemClock,
    signal: new AbortController().signal,
  },
): Promise<StackTasks> {
  const { swarm } = engine;
  const [services, network = ''] = await Promise.all([
    swarm.listServices({ [stackLabel]: stack }),
    stackNetwork(engine, stack),
  ]);
  const idsByName = new Map(services.map(({ id, labels }) => [labels[serviceLabel] ?? '', id]));
  const image = clientImages(new Map(services.map(({ image, labels }) => [labels[serviceLabel] ?? '', image])));
  const tasks = openTaskClient(engine, { stack, image, clock, signal });
  const read = new Map<string, Promise<ReadonlyMap<string, string>>>();
  const filesOf = (name: string): TaskFiles => {
    const service = services.find(({ labels }) => labels[serviceLabel] === name);
    const { data } = targetSchema.safeParse(parseJson(service?.labels[specLabel] ?? ''));
    return { access: data?.container.access, files: service?.mounted ?? [] };
  };
  const listTasks = async (service: string): Promise<readonly SwarmTask[]> => {
    const id = idsByName.get(service);
    const all = id === undefined ? [] : await swarm.listTasks([id]);
    return all.filter(({ desired }) => desired === 'running').toSorted((a, b) => (a.slot ?? 0) - (b.slot ?? 0));
  };
  const first = async (service: string): Promise<SwarmTask | undefined> => {
    const all = await listTasks(service);
    return all.find(({ state }) => state === 'running') ?? all[0];
  };
  return {
    client: {
      locate: () => undefined,
      url: () => undefined,
      close: () => void swarm.closing.add(Promise.resolve(tasks[Symbol.asyncDispose]())),
      async request(service, request, options) {
        const address = (await first(service))?.addresses.get(network);
        if (address === undefined) throw new ConnectionError('connection', 'it has no task that runs');
        return tasks.request(address, request, options, filesOf(service));
      },
    },
    exec: tasks.exec,
    file: async (service, path) => {
      const own = services.find(({ labels }) => labels[serviceLabel] === service);
      const file = own?.mounted.find(({ target }) => target === path);
      if (file?.kind === 'secret') {
        const reading = read.get(file.name) ?? readSecrets(engine, { stack, image, secrets: [file], clock, signal });
        read.set(file.name, reading);
        return (await reading).get(file.name);
      }
      return (await swarm.listFiles({ [stackLabel]: stack })).find(({ id }) => id === file?.id)?.content;
    },
    find: async (service) => {
      const task = await first(service);
      return task && toContainer(service, task);
    },
    lines: async (service, since, signal) => {
      const [all, nodes] = await Promise.all([listTasks(service), swarm.listNodes()]);
      const lines: LogLine[] = [];
      const read = async ({ id }: SwarmTask): Promise<void> => {
        const limited = AbortSignal.any([signal, AbortSignal.timeout(logMs)]);
        for await (const line of swarm.taskLogs(id, { since, signal: limited })) lines.push(line);
      };
      await Promise.all(all.filter((task) => whyNoLog(task, nodes) === undefined).map(read));
      signal.throwIfAborted();
      return lines.toSorted((a, b) => (a.time < b.time ? -1 : 1));
    },
  };
}

/** The part of a service's target that says how it is reached. */
const targetSchema = z.looseObject({
  container: z.looseObject({ access: z.object({ tls: z.boolean(), login: z.boolean() }).optional() }),
});

function toContainer(service: string, { id, state, createdAt, labels }: SwarmTask): ContainerSummary {
  return {
    ...{ id, name: service, image: '', imageId: '', labels, hostPorts: [], networks: [], status: state },
    state: state === 'running' ? 'running' : 'created',
    createdAt: createdAt / 1_000,
  };
}
