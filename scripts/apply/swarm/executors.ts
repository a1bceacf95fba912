import { isDeepStrictEqual } from 'node:util';
import type { StackConfig } from '../../../stack/config.ts';
import { fullName } from '../../../stack/swarm/swarm.ts';
import { counted } from '../../../stack/values/words.ts';
import type { Engine } from '../../engine/engine.ts';
import { EngineError } from '../../engine/engine-error.ts';
import { baseLabels, serviceLabel, stackLabel } from '../../engine/labels.ts';
import type { PlacedSpec, SwarmFile, SwarmNode, SwarmService, SwarmTask } from '../../engine/swarm/swarm.ts';
import type { SwarmAction } from '../../plan/plan.ts';
import { confirmTasks } from '../../plan/swarm/confirm-tasks.ts';
import { isUsable, meets, wantedTasks, whyNoNode } from '../../plan/swarm/nodes.ts';
import { idsByName, joinableIds, observeSwarm, type SwarmObserved } from '../../plan/swarm/observe.ts';
import { imageForClient } from '../../plan/swarm/place.ts';
import { toServiceSpec } from '../../plan/swarm/service-spec.ts';
import type { StoredFile, SwarmServiceTarget, SwarmTarget } from '../../plan/swarm/target.ts';
import { names } from '../../state/names.ts';
import { makeSecret } from '../../state/secret-store.ts';
import { beginRecord, endRecord, newestRevisions, obsoleteRecords } from '../../state/swarm/records.ts';
import { stackNetwork, type TaskClient } from '../../state/swarm/task-client.ts';
import type { Clock } from '../../util/clock.ts';
import { StackError } from '../../util/stack-error.ts';
import type { Executors } from '../run-plan.ts';
import { confirmStores } from './confirm-stores.ts';
import { takeSecrets } from './take-secrets.ts';
import { oneEnds, type RunningTasks, waitTasks } from './wait-tasks.ts';

/** How often something is done again because the swarm has changed meanwhile. */
const mostTries = 5;

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
  /** Services whose tasks must not move while they are replaced, with the nodes that are left out. */
  const held = new Map<string, readonly string[]>();
  const ours = { [stackLabel]: stack };
  const startedAt = new Date(clock.now());

  const targetOf = (name: string): SwarmServiceTarget => {
    const found = target.services.find(({ service }) => service === name);
    if (found === undefined) throw new Error(`the target has no service ${name}`);
    return found;
  };
  const networkId = async (): Promise<string> => {
    const id = await stackNetwork(engine, stack);
    if (id === undefined) throw new Error(`the network ${names.network(stack)} is gone`);
    return id;
  };
  const placed = async (service: SwarmServiceTarget, current?: SwarmService): Promise<PlacedSpec> => {
    const [files, nodes, network, networks] = await Promise.all([
      swarm.listFiles(ours),
      swarm.listNodes(),
      networkId(),
      engine.listNetworks({}),
    ]);
    const wanted = wantedTasks(service, nodes);
    return {
      network,
      networks: joinableIds(networks),
      files: idsByName(files),
      // A task that no node takes now must not keep the others waiting for their turn.
      parallelism: service.replicas === undefined ? 0 : 1 + wanted.all - wanted.now,
      force: forced(current?.state),
    };
  };
  const find = async (name: string): Promise<SwarmService | undefined> =>
    (await swarm.listServices(ours)).find((service) => service.name === fullName(stack, name));

  /** Updates a service that exists, though the swarm may note meanwhile how far its last update is; false when there is none. */
  const update = async (
    service: SwarmServiceTarget,
    placing: (current: SwarmService) => Promise<Partial<PlacedSpec>>,
  ): Promise<boolean> => {
    const spec = toServiceSpec(stack, service, context.labels);
    let current = await find(service.service);
    for (let tries = 1; current !== undefined; tries++) {
      try {
        const place = { ...(await placed(service, current)), ...(await placing(current)) };
        await swarm.updateService(current, spec, place);
        return true;
      } catch (error) {
        if (!(error instanceof EngineError) || error.code !== 'conflict' || tries === mostTries) throw error;
        const now = await find(service.service);
        // Somebody else has changed it: that is not overwritten.
        if (!isDeepStrictEqual(now?.state, current.state)) throw error;
        current = now;
      }
    }
    return false;
  };

  /** Lets the tasks of a service move again. */
  const release = async (service: SwarmServiceTarget): Promise<void> => {
    if (held.delete(service.service)) await update(service, async () => ({}));
  };
  /** The same once the nodes that are not left out are too few, as when one of them was lost. */
  const releaseIfTooFew = (service: SwarmServiceTarget) => async (nodes: readonly SwarmNode[]) => {
    const without = held.get(service.service) ?? [];
    const left = nodes.filter(
      (node) => isUsable(node) && !without.includes(node.id) && meets(node, service.constraints),
    );
    if (left.length < (service.replicas ?? 0)) await release(service);
  };

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
      const isUpdated = await update(service, async ({ id, state }) => {
        const [nodes, tasks] = await Promise.all([swarm.listNodes(), swarm.listTasks([id])]);
        const without = nodesToLeaveOut(service, tasks, nodes);
        if (without.length > 0) held.set(name, without);
        // What was changed by hand is replaced though it has the labels of the target.
        const isEdited = (observed.services.get(name)?.edits.length ?? 0) > 0;
        return isEdited || context.recreate ? { without, force: forced(state) + 1 } : { without };
      });
      if (!isUpdated) await swarm.createService(toServiceSpec(stack, service, context.labels), await placed(service));
    },

    removeService: async ({ service: name }) => {
      const current = await find(name);
      if (current !== undefined) await swarm.removeService(current);
    },

    waitTasks: async ({ service: name }, { signal, onProgress, note }) => {
      const service = targetOf(name);
      const onNodes = releaseIfTooFew(service);
      const tasks = await waitTasks({ swarm, stack, target: service, before, clock, signal, onProgress, onNodes });
      running.set(name, tasks);
      await release(service);
      if (tasks.waiting > 0) note(waitingNote(service, tasks));
    },

    confirmTasks: async ({ service: name }, { signal, onProgress, note }) => {
      const service = targetOf(name);
      const { config, client } = context;
      const image = imageForClient(target);
      let { tasks, nodes } = running.get(name) ?? { tasks: [], nodes: [] };
      for (let tries = 1; ; tries++) {
        const [files, network] = await Promise.all([swarm.listFiles(ours), networkId()]);
        const ended = new AbortController();
        const confirming = AbortSignal.any([signal, ended.signal]);
        oneEnds(tasks, { swarm, clock, signal: confirming }).then(
          () => ended.abort(new Error('a task has ended')),
          () => undefined,
        );
        try {
          const asked = { service, config, files, network, client, clock, signal: confirming };
          await confirmTasks(tasks, nodes, { ...asked, target: service });
          const taken = { ...context, ...asked, image, stack, stored: target.stored };
          for (const text of await takeSecrets(tasks, taken)) note(text);
          // What ran before runs again, whatever its store does.
          if (context.isRestored === true) return;
          const notes = await confirmStores(tasks, { ...context, ...asked, startedAt, onProgress });
          for (const text of new Set(notes)) note(text);
          return;
        } catch (error) {
          signal.throwIfAborted();
          if (!ended.signal.aborted || tries === mostTries) throw error;
        } finally {
          ended.abort();
        }
        // Says why, when one of this change has failed; another one may have ended with its node, and be replaced.
        ({ tasks, nodes } = await waitTasks({ swarm, stack, target: service, before, clock, signal, onProgress }));
      }
    },

    endRevision: async () => {
      if (context.record === undefined) throw new Error('the change has not begun');
      await endRecord(swarm, context.record, { state: 'confirmed' });
    },

    removeFiles: async (_, { note }) => {
      // The revision is confirmed: what cannot be removed now is no reason to undo it.
      await removeFiles(engine, stack).catch((error: unknown) => {
        note(`files of former revisions are still there, until the next change: ${(error as Error).message}`);
      });
    },
  };
}

const forced = (state: SwarmService['state'] | undefined): number => state?.TaskTemplate?.ForceUpdate ?? 0;

/**
 * The nodes that the tasks of a service must not be placed on while they are replaced: each starts again where its data is,
 * though another node may have fewer tasks. None unless all of them run.
 */
function nodesToLeaveOut(
  { container, replicas, constraints }: SwarmServiceTarget,
  tasks: readonly SwarmTask[],
  nodes: readonly SwarmNode[],
): readonly string[] {
  if (replicas === undefined || container.mounts.every(({ kind }) => kind !== 'data')) return [];
  const fitting = nodes.filter((node) => meets(node, constraints));
  const used = new Set(
    tasks.flatMap(({ node, state, desired }) => (state === 'running' && desired === 'running' ? [node] : [])),
  );
  const kept = fitting.filter((node) => isUsable(node) && used.has(node.id));
  return kept.length < replicas ? [] : fitting.flatMap(({ id }) => (kept.some((node) => node.id === id) ? [] : [id]));
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

function waitingNote(
  { service, replicas, constraints }: SwarmServiceTarget,
  { waiting, tasks, nodes }: RunningTasks,
): string {
  if (tasks.length === 0)
    return `${service} does not run: ${whyNoNode(constraints, nodes)}; it starts once that has changed`;
  const fitting = nodes.filter((node) => meets(node, constraints)).length;
  const waits = waiting === 1 ? 'waits' : 'wait';
  if (replicas === undefined) return `${service}: ${counted(waiting, 'task')} ${waits} for a node that is ready`;
  const why = fitting < replicas ? `a node of its own: ${counted(fitting, 'node')} may run it` : 'a node that is ready';
  return `${service}: ${waiting} of its ${replicas} tasks ${waits} for ${why}`;
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
