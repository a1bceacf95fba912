import type { StackOrigin } from '../../config/loaded.ts';
import { EngineError } from '../../engine/engine-error.ts';
import { roleLabel, stackLabel } from '../../engine/labels.ts';
import { pinIn } from '../../plan/swarm/nodes.ts';
import type { SwarmObserved } from '../../plan/swarm/observe.ts';
import { checkManager } from '../../plan/swarm/owner.ts';
import { observeStack, requireManager } from '../../plan/swarm/place.ts';
import { taskLabels } from '../../plan/swarm/service-spec.ts';
import { takeLock } from '../../state/lock.ts';
import { names } from '../../state/names.ts';
import { swarmLocks } from '../../state/swarm/lock-store.ts';
import { recordRole } from '../../state/swarm/records.ts';
import { removeLeftReaders } from '../../state/swarm/secret-reader.ts';
import { removeLeftClients } from '../../state/swarm/task-client.ts';
import { InterruptedError, isAbort, StackError, unchangedIfInterrupted } from '../../util/stack-error.ts';
import type { Run } from '../run.ts';

export interface SwarmTakeDown extends Run {
  readonly stack: string;
  readonly origin?: StackOrigin | undefined;
  readonly takeOver?: boolean | undefined;
  /** Also remove the history, the secrets, and the volumes of this engine's node. */
  readonly volumes: boolean;
}

export interface SwarmTakenDown {
  readonly services: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  /** Volumes on other nodes, which the engine of a manager cannot reach: by node, their names. */
  readonly left: readonly { readonly node: string; readonly volumes: readonly string[] }[];
}

/** How long tasks may take to end, and the network until nothing uses it. */
const endMs = 120_000;
const pauseMs = 300;
/** How long an engine may take to remove the containers of tasks that have ended. */
const graceMs = 10_000;

/** Removes the services of a stack and its network; its history, secrets and volumes stay unless `volumes` says else. */
export function takeDownOnSwarm(options: SwarmTakeDown): Promise<SwarmTakenDown> {
  return unchangedIfInterrupted(takeDown(options), options.signal);
}

async function takeDown(options: SwarmTakeDown): Promise<SwarmTakenDown> {
  const { engine, stack, origin, takeOver, signal, volumes } = options;
  const { swarm } = engine;
  await requireManager(engine);
  await using _lock = await takeLock({ ...options, engine: swarmLocks(swarm, stack), stack, command: 'down' });
  const observed = await observeStack(engine, stack);
  await checkManager(observed, { stack, origin, takeOver });
  const removed: string[] = [];
  try {
    return await remove(options, observed, removed);
  } catch (error) {
    if (!signal.aborted || !isAbort(error, signal)) throw error;
    throw new InterruptedError({
      left: removed.length === 0 ? 'nothing was removed' : `removed so far: ${removed.join(', ')}`,
      tryThis: `promstack down${volumes ? ' --volumes' : ''} continues; promstack up starts the stack again`,
      cause: signal.reason,
    });
  }
}

/** Removes the stack step by step; `removed` gets what is gone. */
async function remove(options: SwarmTakeDown, observed: SwarmObserved, removed: string[]): Promise<SwarmTakenDown> {
  const { engine, stack, report, clock, volumes } = options;
  const { swarm } = engine;
  const step = async <T>(id: string, what: string, work: () => Promise<T>): Promise<T> => {
    const startedAt = clock.now();
    report({ kind: 'started', id, what });
    try {
      const result = await work();
      report({ kind: 'done', id, what, tookMs: clock.now() - startedAt });
      return result;
    } catch (error) {
      report({ kind: 'failed', id, what, why: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  };
  for (const [name, { service }] of observed.services) {
    await step(`down:${name}`, `remove the service ${name}`, () => swarm.removeService(service));
    removed.push(`service ${name}`);
  }
  if (observed.services.size > 0)
    await step('down:tasks', 'wait until its tasks have ended', () => tasksEnded(options, observed));
  await removeLeftClients(engine, stack, 'all');
  await removeLeftReaders(engine, stack, 'all');
  const network = names.network(stack);
  const { network: id } = observed;
  const isGone =
    id !== undefined && (await step('down:network', `remove the network ${network}`, () => removeNetwork(options, id)));
  if (isGone) removed.push(`network ${network}`);
  const left = volumes ? volumesOn(observed, stack) : [];
  const deleted = volumes
    ? await step('down:volumes', 'delete its volumes on this node, its history and secrets', () => removeAll(options))
    : [];
  const here = (await swarm.membership()).node;
  return {
    services: [...observed.services.keys()],
    networks: isGone ? [network] : [],
    volumes: deleted,
    left: left.filter(({ id }) => id !== here).map(({ node, volumes: onNode }) => ({ node, volumes: onNode })),
  };
}

/**
 * Waits for the tasks on all nodes that are up. A network that is removed while a node still has a container in it stays there,
 * and keeps that node from having the next one of its name.
 */
async function tasksEnded({ engine, clock, signal }: SwarmTakeDown, { services }: SwarmObserved): Promise<void> {
  const { swarm } = engine;
  const ids = [...services.values()].map(({ service }) => service.id);
  for (const end = clock.now() + endMs; ; ) {
    const [tasks, nodes] = await Promise.all([swarm.listEndingTasks(ids), swarm.listNodes()]);
    const up = nodes.flatMap(({ id, isReady }) => (isReady ? [id] : []));
    const left = tasks.filter(({ node }) => node !== undefined && up.includes(node));
    if (left.length === 0 || clock.now() > end) return;
    await clock.sleep(pauseMs, signal);
  }
}

/** Removes a network once the tasks of all nodes have left it; false when only containers of nodes that are down keep it. */
async function removeNetwork({ engine, stack, clock, signal, report }: SwarmTakeDown, id: string): Promise<boolean> {
  for (const end = clock.now() + endMs; ; ) {
    try {
      await engine.removeNetwork(id);
      return true;
    } catch (error) {
      if (!(error instanceof EngineError) || error.code === 'unreachable') throw error;
      const [joined, nodes] = await Promise.all([engine.swarm.listJoined(id), engine.swarm.listNodes()]);
      const down = nodes.filter(({ isReady }) => !isReady);
      const namesOf = (of: typeof joined) => of.map(({ node }) => nodes.find((each) => each.id === node)?.name ?? node);
      if (joined.length > 0 && joined.every(({ node }) => down.some((each) => each.id === node))) {
        const where = [...new Set(namesOf(joined))].join(', ');
        report({
          kind: 'warning',
          text: `the network ${names.network(stack)} is kept: a container of ${where} is in it, which is down\n  try: promstack down again when it is back, or after docker node rm --force`,
        });
        return false;
      }
      if (clock.now() > end) {
        const commands = joined.map(
          ({ container }, at) => `docker rm --force ${container.slice(0, 12)} on ${namesOf(joined)[at]}`,
        );
        throw new StackError({
          doing: `removing the network ${names.network(stack)}`,
          why: error.message,
          tryThis: `${commands.length === 0 ? 'disconnect the containers and services of others that use it' : commands.join(', ')}, then run promstack down again`,
          cause: error,
        });
      }
    }
    await clock.sleep(pauseMs, signal);
  }
}

/** The volumes of a stack by node, as far as its history and its tasks show them. */
function volumesOn({ nodes, services, records }: SwarmObserved, stack: string) {
  const targets = [
    ...[...services.values()].flatMap(({ target }) => target ?? []),
    ...records.flatMap(({ target }) => target?.services ?? []),
  ];
  return nodes.flatMap(({ id, name: node }) => {
    const volumes = targets.flatMap(({ container, constraints }) => {
      const pin = pinIn(constraints);
      // Any node may have had a task of a service that no node is chosen for.
      if (pin !== undefined && pin !== id) return [];
      return container.mounts.flatMap((mount) =>
        mount.kind === 'data' ? [names.dataVolume(stack, mount.volume)] : [],
      );
    });
    return volumes.length === 0 ? [] : [{ id, node, volumes: [...new Set(volumes)] }];
  });
}

async function removeAll({ engine, stack, clock, signal }: SwarmTakeDown): Promise<readonly string[]> {
  const files = await engine.swarm.listFiles({ [stackLabel]: stack });
  for (const file of files) {
    const role = file.labels[roleLabel];
    if (role === recordRole || role === 'file') await engine.swarm.removeFile(file);
  }
  const volumes = await engine.listVolumes({ [stackLabel]: stack, [roleLabel]: 'volume' });
  for (const { name } of volumes) {
    for (const end = clock.now() + graceMs; ; await clock.sleep(pauseMs, signal)) {
      const tasks = (await engine.listContainersOf(name)).filter(({ labels }) => labels[taskLabels.stack] === stack);
      if (tasks.length === 0) break;
      // An engine that has crashed may have forgotten them; their services are gone.
      if (clock.now() > end) for (const { id } of tasks) await engine.removeContainer(id);
    }
    await engine.removeVolume(name);
  }
  return volumes.map(({ name }) => name);
}
