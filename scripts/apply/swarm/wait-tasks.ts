import { serviceOf } from '../../../stack/services.ts';
import { fullName } from '../../../stack/swarm/swarm.ts';
import { counted } from '../../../stack/values/words.ts';
import { stackLabel } from '../../engine/labels.ts';
import { type Swarm, type SwarmNode, type SwarmService, type SwarmTask, whyNoLog } from '../../engine/swarm/swarm.ts';
import { meets, taskName, wantedTasks } from '../../plan/swarm/nodes.ts';
import { isOf } from '../../plan/swarm/observe.ts';
import { hashTarget } from '../../plan/swarm/service-spec.ts';
import type { SwarmServiceTarget } from '../../plan/swarm/target.ts';
import type { Clock } from '../../util/clock.ts';
import { StackError } from '../../util/stack-error.ts';

/** Pulling an image on every node may take long. */
const deadlineMs = 600_000;
/** How long no node may have room for a task. */
const placeMs = 20_000;
const pauseMs = 300;
const watchMs = 1_000;
const logLines = 50;

export interface TaskWait {
  readonly swarm: Pick<Swarm, 'listNodes' | 'listServices' | 'listTasks' | 'taskLogs'>;
  readonly stack: string;
  readonly target: SwarmServiceTarget;
  /** The tasks from before the change: their failures say nothing of it. */
  readonly before: ReadonlySet<string>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  onProgress(detail: string): void;
  /** Called with the nodes at each look. */
  onNodes?(nodes: readonly SwarmNode[]): Promise<void>;
}

/** The tasks that run for a target, with their nodes. */
export interface RunningTasks {
  readonly tasks: readonly SwarmTask[];
  readonly nodes: readonly SwarmNode[];
  /** How many more are to run, but have no node now. */
  readonly waiting: number;
}

/**
 * Waits until all tasks that can run now are those of the target, and healthy. Rejects with a StackError as soon as one of them
 * fails; the engine then replaces no other one.
 */
export async function waitTasks(wait: TaskWait): Promise<RunningTasks> {
  const { stack, target, clock, signal, onProgress, onNodes } = wait;
  const end = clock.now() + deadlineMs;
  let unplacedSince: number | undefined;
  for (let last = ''; ; ) {
    const { service, tasks, nodes } = await look(wait);
    await onNodes?.(nodes);
    const own = tasks.filter((task) => isOf(task, hashTarget(target), service));
    // A server that ends by itself has failed too, whatever its exit code: one that was told to ends as `shutdown`.
    const failed = own.find(({ id, state }) => (isFailure(state) || state === 'complete') && !wait.before.has(id));
    if (failed !== undefined) throw await failure(failed, nodes, wait);
    const wanted = wantedTasks(target, nodes);
    const running = own.filter(({ state, desired }) => state === 'running' && desired === 'running');
    // The swarm replaces the one task of each node only where it may start another one.
    const isUsed = (task: SwarmTask): boolean =>
      nodes.some((node) => node.id === task.node && node.isReady && (target.replicas !== undefined || node.isActive));
    const old = tasks.filter((task) => !own.includes(task) && isActive(task) && isUsed(task));
    const usable = running.filter(isUsed);
    if (usable.length >= wanted.now && old.length === 0) {
      return { tasks: usable, nodes, waiting: Math.max(0, wanted.all - usable.length) };
    }
    if (service.update?.state === 'paused') throw paused(target.service, service.update.message);
    const unplaced = own.find(({ state, node, why }) => state === 'pending' && node === undefined && why !== undefined);
    // The one before it has ended; those of other places wait for their turn.
    const isFree = !old.some(({ slot }) => slot === unplaced?.slot);
    if (unplaced !== undefined && usable.length < wanted.now && isFree) {
      unplacedSince ??= clock.now();
      if (clock.now() - unplacedSince > placeMs) throw noPlace(target, unplaced, nodes);
    } else unplacedSince = undefined;
    const detail = progressOf(usable.length, wanted.now, own);
    if (detail !== last) onProgress(detail);
    last = detail;
    if (clock.now() >= end) {
      throw new StackError({
        doing: `waiting for the tasks of ${target.service}`,
        why: `${detail}, after ${deadlineMs / 60_000} minutes${unplaced === undefined ? '' : `: ${unplaced.why}`}`,
        tryThis: `docker service ps --no-trunc ${fullName(stack, target.service)}`,
      });
    }
    await clock.sleep(pauseMs, signal);
  }
}

/** Resolves once one of the tasks has ended, or is to end; rejects when the signal aborts. */
export async function oneEnds(
  tasks: readonly SwarmTask[],
  { swarm, clock, signal }: Pick<TaskWait, 'clock' | 'signal'> & { readonly swarm: Pick<Swarm, 'listTasks'> },
): Promise<void> {
  const services = [...new Set(tasks.map(({ service }) => service))];
  for (;;) {
    await clock.sleep(watchMs, signal);
    const now = await swarm.listTasks(services);
    const runs = ({ id }: SwarmTask): boolean =>
      now.some((task) => task.id === id && task.state === 'running' && task.desired === 'running');
    if (!tasks.every(runs)) return;
  }
}

async function look({ swarm, stack, target, signal }: TaskWait): Promise<{
  readonly service: SwarmService;
  readonly tasks: readonly SwarmTask[];
  readonly nodes: readonly SwarmNode[];
}> {
  signal.throwIfAborted();
  const name = fullName(stack, target.service);
  const [services, nodes] = await Promise.all([swarm.listServices({ [stackLabel]: stack }), swarm.listNodes()]);
  const service = services.find((candidate) => candidate.name === name);
  if (service === undefined) {
    throw new StackError({
      doing: `waiting for the tasks of ${target.service}`,
      why: `the service ${name} was removed meanwhile`,
      tryThis: 'promstack up creates it again',
    });
  }
  return { service, tasks: await swarm.listTasks([service.id]), nodes };
}

const isFailure = (state: string): boolean => state === 'failed' || state === 'rejected';

/** Whether its container may still run. */
const isActive = ({ state, desired }: SwarmTask): boolean =>
  desired === 'running' ? !isFailure(state) && state !== 'complete' : ['running', 'starting'].includes(state);

function progressOf(running: number, wanted: number, own: readonly SwarmTask[]): string {
  const others = own.filter(({ state, desired }) => desired === 'running' && state !== 'running');
  const states = [...new Set(others.map(({ state }) => state))].map(
    (state) => `${others.filter((task) => task.state === state).length} ${state}`,
  );
  return [`${running} of ${counted(wanted, 'task')} ${wanted === 1 ? 'runs' : 'run'}`, ...states].join(', ');
}

async function failure(task: SwarmTask, nodes: readonly SwarmNode[], { swarm, target }: TaskWait): Promise<StackError> {
  const lines: string[] = [];
  try {
    const isThere = whyNoLog(task, nodes) === undefined;
    if (isThere) for await (const { text } of swarm.taskLogs(task.id, { tail: logLines })) lines.push(text);
  } catch {
    // Its node may be gone: the engine's own reason is shown.
  }
  const explained = serviceOf(target.container)?.explainExit?.(lines);
  const exit = task.exitCode === undefined ? undefined : `it ended, with exit code ${task.exitCode}`;
  const why = [explained ?? task.why ?? exit ?? task.state];
  const isImage = /No such image|pull access denied|manifest unknown/i.test(task.why ?? '');
  return new StackError({
    doing: `starting ${taskName(target.service, task, nodes)}`,
    why: why.join('\n  '),
    tryThis: isImage
      ? `every node must be able to pull ${target.container.image}, or have it: promstack images save FILE here, docker load there`
      : `promstack logs ${target.service}`,
  });
}

function paused(service: string, message: string): StackError {
  return new StackError({
    doing: `updating ${service}`,
    why: `the swarm stopped the update: ${message}`,
    tryThis: `promstack logs ${service}`,
  });
}

function noPlace(
  { service, constraints }: SwarmServiceTarget,
  task: SwarmTask,
  nodes: readonly SwarmNode[],
): StackError {
  const fitting = nodes.filter((node) => meets(node, constraints)).map(({ name }) => name);
  return new StackError({
    doing: `placing a task of ${service}`,
    why: `no node takes it (${task.why}); ${fitting.length === 0 ? 'none meets' : `${fitting.join(', ')} meet`} its constraints${constraints.length === 0 ? '' : ` ${constraints.join(', ')}`}`,
    tryThis: `free the port or the resources on a node, or change swarm.constraints.${service} in stack.yml`,
  });
}
