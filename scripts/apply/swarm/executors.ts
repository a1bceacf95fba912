import type { StackConfig } from '../../../stack/config.ts';
import { fullName } from '../../../stack/swarm/swarm.ts';
import { counted } from '../../../stack/values/words.ts';
import type { Engine } from '../../engine/engine.ts';
import { EngineError } from '../../engine/engine-error.ts';
import { baseLabels, serviceLabel, stackLabel } from '../../engine/labels.ts';
import type { PlacedSpec, SwarmFile, SwarmService } from '../../engine/swarm/swarm.ts';
import type { SwarmAction } from '../../plan/plan.ts';
import { confirmTasks } from '../../plan/swarm/confirm-tasks.ts';
import { wantedTasks } from '../../plan/swarm/nodes.ts';
import { idsByName, joinableIds, observeSwarm, type SwarmObserved } from '../../plan/swarm/observe.ts';
import { imageForClient } from '../../plan/swarm/place.ts';
import { toServiceSpec } from '../../plan/swarm/service-spec.ts';
import type { StoredFile, SwarmServiceTarget, SwarmTarget } from '../../plan/swarm/target.ts';
import { names } from '../../state/names.ts';
import { makeSecret } from '../../state/secret-store.ts';
import { beginRecord, endRecord, newestRevisions, obsoleteRecords } from '../../state/swarm/records.ts';
import type { TaskClient } from '../../state/swarm/task-client.ts';
import type { Clock } from '../../util/clock.ts';
import { StackError } from '../../util/stack-error.ts';
import type { Executors } from '../run-plan.ts';
import { confirmStores } from './confirm-stores.ts';
import { takeSecrets } from './take-secrets.ts';
import { type RunningTasks, waitTasks } from './wait-tasks.ts';

export interface SwarmContext {
  readonly engine: Engine;
  readonly target: SwarmTarget;
  readonly observed: SwarmObserved;
  readonly config: StackConfig;
  readonly client: TaskClient;
  readonly command: string;
  /** Labels of all services, such as those of the file that the stack is managed from. */
  readonly labels: Readonly<Record<string, string>>;
  readonly recreate: boolean;
  readonly clock: Clock;
  /** Whether it restores what ran before a change that failed. */
  readonly isRestored?: boolean | undefined;
  /** The record of this change, once it has begun. */
  record?: SwarmFile | undefined;
}

/** One function for each kind of step of a change on a swarm. */
export function swarmExecutors(context: SwarmContext): Executors<SwarmAction> {
  const { engine, target, observed, clock } = context;
  const { swarm } = engine;
  const { stack } = target;
  const before = new Set([...observed.services.values()].flatMap(({ tasks }) => tasks.map(({ id }) => id)));
  const running = new Map<string, RunningTasks>();
  const ours = { [stackLabel]: stack };
  const startedAt = new Date(clock.now());

  const targetOf = (name: string): SwarmServiceTarget => {
    const found = target.services.find(({ service }) => service === name);
    if (found === undefined) throw new Error(`the target has no service ${name}`);
    return found;
  };
  const networkId = async (): Promise<string> => {
    const found = (await engine.listNetworks(ours)).find(({ name }) => name === names.network(stack));
    if (found === undefined) throw new Error(`the network ${names.network(stack)} is gone`);
    return found.id;
  };
  const placed = async (service: SwarmServiceTarget, current?: SwarmService): Promise<PlacedSpec> => {
    const [files, nodes, network, networks] = await Promise.all([
      swarm.listFiles(ours),
      swarm.listNodes(),
      networkId(),
      engine.listNetworks({}),
    ]);
    const wanted = wantedTasks(service, nodes);
    const old = current?.state.TaskTemplate?.ForceUpdate ?? 0;
    return {
      network,
      networks: joinableIds(networks),
      files: idsByName(files),
      // A task that no node takes now must not keep the others waiting for their turn.
      parallelism: service.replicas === undefined ? 0 : 1 + wanted.all - wanted.now,
      force: context.recreate ? old + 1 : old,
    };
  };
  const find = async (name: string): Promise<SwarmService | undefined> =>
    (await swarm.listServices(ours)).find((service) => service.name === fullName(stack, name));

  return {
    createSwarmNetwork: async ({ name }) => {
      await swarm.createNetwork(name, baseLabels(stack, 'network'));
    },

    storeFiles: async ({ names: wanted }) => {
      const stored = new Map(target.stored.map((file) => [file.name, file]));
      for (const name of wanted) {
        const file = stored.get(name);
        if (file === undefined) throw new Error(`the target has no file ${name}`);
        try {
          await swarm.createFile(file.kind, name, contentOf(file), {
            ...baseLabels(stack, 'file'),
            [serviceLabel]: file.service,
          });
        } catch (error) {
          if (!(error instanceof EngineError) || error.code !== 'conflict') throw error;
          await refuseForeign(context, file);
        }
      }
    },

    beginRevision: async ({ revision }) => {
      const { stored: _, ...recorded } = target;
      const at = new Date(clock.now());
      const change = { revision, command: context.command, at, target: recorded };
      context.record = await beginRecord(swarm, stack, observed.records, change);
    },

    createService: async ({ service: name }) => {
      const service = targetOf(name);
      await swarm.createService(toServiceSpec(stack, service, context.labels), await placed(service));
    },

    updateService: async ({ service: name }) => {
      const service = targetOf(name);
      const current = await find(name);
      const spec = toServiceSpec(stack, service, context.labels);
      if (current === undefined) await swarm.createService(spec, await placed(service));
      else await swarm.updateService(current, spec, await placed(service, current));
    },

    removeService: async ({ service: name }) => {
      const current = await find(name);
      if (current !== undefined) await swarm.removeService(current);
    },

    waitTasks: async ({ service: name }, { signal, onProgress, note }) => {
      const service = targetOf(name);
      const tasks = await waitTasks({ swarm, stack, target: service, before, clock, signal, onProgress });
      running.set(name, tasks);
      if (tasks.waiting > 0) note(waitingNote(service, tasks));
    },

    confirmTasks: async ({ service: name }, { signal, onProgress, note }) => {
      const service = targetOf(name);
      const { tasks, nodes } = running.get(name) ?? { tasks: [], nodes: [] };
      const [files, network] = await Promise.all([swarm.listFiles(ours), networkId()]);
      const { config, client } = context;
      await confirmTasks(tasks, nodes, { target: service, config, files, network, client, clock, signal });
      const image = imageForClient(target) ?? '';
      const taken = { ...context, service, image, stack, stored: target.stored, files, network, signal };
      for (const text of await takeSecrets(tasks, taken)) note(text);
      // What ran before runs again, whatever its store does.
      if (context.isRestored === true) return;
      const notes = await confirmStores(tasks, { ...context, service, files, network, startedAt, signal, onProgress });
      for (const text of new Set(notes)) note(text);
    },

    endRevision: async () => {
      if (context.record === undefined) throw new Error('the change has not begun');
      await endRecord(swarm, context.record, { state: 'confirmed' });
    },

    removeFiles: () => removeFiles(engine, stack),
  };
}

function contentOf({ content, length }: StoredFile): Buffer {
  if (content !== undefined) return content;
  return Buffer.from(makeSecret(length ?? 0).reveal());
}

/** Another command may have stored the same file at the same time; a file of others is never used. */
async function refuseForeign({ engine, target: { stack } }: SwarmContext, file: StoredFile): Promise<void> {
  const own = await engine.swarm.listFiles({ [stackLabel]: stack });
  if (own.some(({ kind, name }) => kind === file.kind && name === file.name)) return;
  throw new StackError({
    doing: `storing the ${file.kind} ${file.name}`,
    why: `the swarm has a ${file.kind} of that name which promstack has not made`,
    tryThis: `docker ${file.kind} inspect ${file.name} shows it; remove it if nothing needs it`,
  });
}

function waitingNote({ service, replicas, constraints }: SwarmServiceTarget, { waiting, tasks }: RunningTasks): string {
  if (tasks.length === 0) {
    return `${service} does not run: none of the nodes that ${constraints.join(' and ')} allows is ready; it starts when one is`;
  }
  const all = replicas === undefined ? 'tasks' : `of its ${replicas} tasks`;
  return `${service}: ${counted(waiting, 'task')} ${all === 'tasks' ? '' : `${all} `}wait${waiting === 1 ? 's' : ''} for a node that is ready`;
}

/** Removes configs and secrets that neither a service nor a revision of the history needs, and records that are too old. */
async function removeFiles(engine: Engine, stack: string): Promise<void> {
  const { swarm } = engine;
  const observed = await observeSwarm(swarm, () => engine.listNetworks({}), stack);
  const { records, services, files } = observed;
  const obsolete = obsoleteRecords(records);
  const recorded = newestRevisions(records).flatMap(({ target }) => target?.services ?? []);
  const current = [...services.values()].flatMap(({ target }) => target ?? []);
  const needed = new Set([...recorded, ...current].flatMap((service) => service.files.map(({ name }) => name)));
  const isFile = ({ labels }: SwarmFile): boolean => labels[serviceLabel] !== undefined;
  const unneeded = [
    ...files.filter((file) => isFile(file) && !needed.has(file.name)),
    ...obsolete.map(({ file }) => file),
  ];
  for (const file of unneeded) {
    await swarm.removeFile(file).catch((error: unknown) => {
      // A task that ends may still use it: the next change removes it.
      if (!(error instanceof EngineError) || error.code === 'unreachable') throw error;
    });
  }
}
