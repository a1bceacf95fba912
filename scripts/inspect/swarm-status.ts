import type { StackConfig } from '../../stack/config.ts';
import { findService, serviceOf } from '../../stack/services.ts';
import { counted } from '../../stack/values/words.ts';
import type { Engine } from '../engine/engine.ts';
import type { SwarmNode, SwarmTask } from '../engine/swarm/swarm.ts';
import { addressOf, confirmTasks, taskFiles } from '../plan/swarm/confirm-tasks.ts';
import { meets, pinIn, taskName, wantedTasks, whyNoNode } from '../plan/swarm/nodes.ts';
import { type ObservedSwarmService, type SwarmObserved, stoppedUpdate } from '../plan/swarm/observe.ts';
import { imageForClient } from '../plan/swarm/place.ts';
import { reconcileSwarm } from '../plan/swarm/reconcile.ts';
import { knownSecrets, type SwarmServiceTarget, type SwarmTarget } from '../plan/swarm/target.ts';
import { lastConfirmed } from '../state/swarm/records.ts';
import { openTaskClient, type TaskClient } from '../state/swarm/task-client.ts';
import type { Clock } from '../util/clock.ts';
import { ConnectionError } from '../util/http.ts';
import { StackError } from '../util/stack-error.ts';
import type { ServiceStatus, StatusProblem } from './probe.ts';
import type { StackStatus } from './status.ts';

export interface SwarmStatusOptions {
  readonly engine: Engine;
  readonly config: StackConfig;
  readonly target: SwarmTarget;
  readonly observed: SwarmObserved;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How long a task may take to show what it runs: it is healthy already. */
const proofMs = 2_000;
const requestMs = 5_000;

/** The state of a stack on a swarm: every task is asked what it runs. Changes nothing. */
export async function takeSwarmStatus(options: SwarmStatusOptions): Promise<StackStatus> {
  const { engine, target, observed, clock, signal } = options;
  const { stack } = target;
  const running = [...observed.services.values()].flatMap((service) => service.target ?? []);
  const reach = { stack, image: imageForClient({ services: running }), known: knownSecrets(target), clock, signal };
  await using opened = openTaskClient(engine, reach);
  const unasked = await whyUnasked(opened, options);
  const client = unasked === undefined ? opened : undefined;
  const perService = await Promise.all(
    target.services.map((service) => statusOf(service, observed.services.get(service.service), client, options)),
  );
  const problems = [
    ...(unasked === undefined ? [] : [unasked]),
    ...nodeProblems(observed),
    ...historyProblems(observed),
    ...perService.flatMap((service) => service.problems),
    ...pendingProblems(target, observed),
  ].toSorted((a, b) => Number(a.tone !== 'wrong') - Number(b.tone !== 'wrong'));
  return {
    stack,
    revision: lastConfirmed(observed.records)?.revision,
    isStopped: observed.services.size === 0 && observed.records.length > 0,
    services: perService.flatMap(({ statuses }) => statuses),
    problems,
    isRight: problems.every(({ tone }) => tone !== 'wrong'),
  };
}

/** Why no task can be asked from here, which is no fault of the tasks; undefined when they can be, or none runs. */
async function whyUnasked(client: TaskClient, { observed }: SwarmStatusOptions): Promise<StatusProblem | undefined> {
  const tasks = [...observed.services.values()].flatMap((service) => service.tasks);
  if (!tasks.some((task) => isAskable(task, observed.nodes))) return undefined;
  const problem = { tone: 'wrong', service: 'tasks' } as const;
  try {
    await client.open();
    return undefined;
  } catch (error) {
    if (error instanceof ConnectionError) return { ...problem, message: error.message, tryThis: 'promstack up' };
    if (!(error instanceof StackError)) throw error;
    return { ...problem, message: `none was asked what it runs: ${error.why}`, tryThis: error.tryThis };
  }
}

const isAskable = (task: SwarmTask, nodes: readonly SwarmNode[]): boolean =>
  task.desired === 'running' && task.state === 'running' && nodeOf(task, nodes)?.isReady !== false;

interface TaskStatuses {
  readonly statuses: readonly ServiceStatus[];
  readonly problems: readonly StatusProblem[];
}

async function statusOf(
  target: SwarmServiceTarget,
  current: ObservedSwarmService | undefined,
  client: TaskClient | undefined,
  options: SwarmStatusOptions,
): Promise<TaskStatuses> {
  const { nodes } = options.observed;
  const { service } = target;
  if (current === undefined) {
    const absent = { ...blank(service, target), state: 'absent' as const };
    const problem: StatusProblem = {
      tone: 'wrong',
      service,
      message: 'the swarm has no such service',
      tryThis: 'promstack up',
    };
    return { statuses: [absent], problems: [problem] };
  }
  const runs = current.target ?? target;
  const tasks = current.tasks
    .filter(({ desired }) => desired === 'running')
    .toSorted((a, b) => (a.slot ?? 0) - (b.slot ?? 0) || nameOf(a, nodes).localeCompare(nameOf(b, nodes)));
  const asked = await Promise.all(tasks.map((task) => taskStatus(task, runs, client, options)));
  return {
    statuses: asked.flatMap(({ statuses }) => statuses),
    problems: [
      ...tasksProblems(runs, tasks, nodes),
      ...serviceProblems(service, current),
      ...asked.flatMap(({ problems }) => problems),
    ],
  };
}

const nameOf = ({ node }: SwarmTask, nodes: readonly SwarmNode[]): string =>
  nodes.find(({ id }) => id === node)?.name ?? '';

function blank(name: string, { container, revision }: SwarmServiceTarget): Omit<ServiceStatus, 'state'> {
  const { image } = container;
  return {
    service: name,
    container: undefined,
    uptime: undefined,
    isReady: false,
    image,
    revision,
    url: undefined,
    vitals: [],
  };
}

/** The state of a task, and what its server says of itself. */
async function taskStatus(
  task: SwarmTask,
  target: SwarmServiceTarget,
  client: TaskClient | undefined,
  options: SwarmStatusOptions,
): Promise<TaskStatuses> {
  const { config, observed, clock, signal } = options;
  const { nodes, files, network = '' } = observed;
  const name = `${target.service}${task.slot === undefined ? '' : `.${task.slot}`}`;
  const node = nodeOf(task, nodes);
  const [port] = target.container.ports;
  const base = {
    ...blank(name, target),
    uptime: node === undefined ? undefined : `Up on ${node.name}`,
    url: node === undefined || port === undefined ? undefined : `http://${node.name}:${port.host}`,
  };
  if (!isAskable(task, nodes)) {
    return { statuses: [{ ...base, state: task.state === 'running' ? 'dead' : 'created' }], problems: [] };
  }
  const service = serviceOf(target.container) ?? findService(target.service);
  const status = { ...base, state: 'running' as const };
  if (client === undefined) return { statuses: [status], problems: [] };
  try {
    await confirmTasks([task], nodes, { target, config, files, network, client, clock, signal, deadlineMs: proofMs });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof StackError)) throw error;
    const tryThis = `docker service update --force ${options.target.stack}-${target.service} replaces its tasks one at a time`;
    const message = `${error.doing}: ${error.why}`;
    return {
      statuses: [status],
      problems: [{ tone: 'wrong', service: taskName(target.service, task, nodes), message, tryThis }],
    };
  }
  const address = addressOf(task, name, network);
  const vitals = await Promise.all(
    (service?.healthIndicators?.(config) ?? []).map(async ({ label, request, query, read }) => {
      const ask = (sent: typeof request) =>
        client.request(address, sent, { timeoutMs: requestMs, signal }, taskFiles(target)).catch(() => undefined);
      const [response, queried] = await Promise.all([ask(request), query === undefined ? undefined : ask(query)]);
      const reading = response?.status === 200 ? read(response, clock.now(), undefined, queried) : undefined;
      return reading === undefined ? [] : [{ label, reading }];
    }),
  );
  return {
    statuses: [
      { ...status, isReady: true, vitals: vitals.flat().map(({ label, reading }) => ({ label, ...reading })) },
    ],
    problems: vitals.flat().flatMap(({ reading }) =>
      (reading.problems ?? []).map(({ message, tryThis }): StatusProblem => {
        return { tone: reading.tone === 'wrong' ? 'wrong' : 'notice', service: name, message, tryThis };
      }),
    ),
  };
}

const nodeOf = ({ node }: SwarmTask, nodes: readonly SwarmNode[]): SwarmNode | undefined =>
  nodes.find(({ id }) => id === node);

/** Tasks that do not run although a node could run them, and services whose node is not there. */
function tasksProblems(
  target: SwarmServiceTarget,
  tasks: readonly SwarmTask[],
  nodes: readonly SwarmNode[],
): readonly StatusProblem[] {
  const { service, constraints } = target;
  const wanted = wantedTasks(target, nodes);
  const running = tasks.filter((task) => task.state === 'running' && nodeOf(task, nodes)?.isReady === true).length;
  const pin = nodes.find(({ id }) => id === pinIn(constraints));
  if (wanted.now === 0 && wanted.all > 0) {
    const message = `${whyNoNode(constraints, nodes)}: it starts again once that has changed`;
    return [{ tone: 'wrong', service, message, tryThis: howToHaveNode(pin) }];
  }
  if (running >= wanted.all) return [];
  const why = tasks.find(({ state, why }) => state !== 'running' && why !== undefined)?.why;
  const message = `${running} of ${counted(wanted.all, 'task')} ${running === 1 ? 'runs' : 'run'}${why === undefined ? '' : `: ${why}`}`;
  const isBlocked = running < wanted.now;
  return [
    {
      tone: isBlocked ? 'wrong' : 'notice',
      service,
      message,
      tryThis: isBlocked ? `promstack logs ${service}` : undefined,
    },
  ];
}

/** What to do when no node runs a service; `pin` is the one that it stays on. */
function howToHaveNode(pin: SwarmNode | undefined): string {
  if (pin === undefined) return 'docker node ls';
  if (pin.isReady)
    return `docker node update --availability active ${pin.name}; swarm.constraints moves it, without its data`;
  return `start ${pin.name}; if it is lost for good, docker node rm --force ${pin.name}, then promstack up starts it elsewhere, without its data`;
}

function serviceProblems(service: string, current: ObservedSwarmService): readonly StatusProblem[] {
  const { edits } = current;
  const stopped = stoppedUpdate(current);
  const problem = (message: string, tryThis: string): StatusProblem => ({ tone: 'wrong', service, message, tryThis });
  return [
    ...(edits.length === 0
      ? []
      : [problem(`its service was changed by hand: ${edits.join(', ')}`, 'promstack up restores it')]),
    ...(stopped === undefined
      ? []
      : [problem(`the swarm stopped its last update: ${stopped}`, 'promstack up finishes it')]),
  ];
}

function nodeProblems({ nodes, services }: SwarmObserved): readonly StatusProblem[] {
  const targets = [...services.values()].flatMap(({ target }) => target ?? []);
  return nodes.flatMap((node): readonly StatusProblem[] => {
    if (node.isReady || !targets.some(({ constraints }) => meets(node, constraints))) return [];
    return [
      {
        tone: 'notice',
        service: node.name,
        message: 'the node is down; its tasks run elsewhere, but those that have data there',
      },
    ];
  });
}

function historyProblems({ records }: SwarmObserved): readonly StatusProblem[] {
  const newest = records.at(-1);
  if (newest?.state !== 'begun') return [];
  const message = `the change to revision ${newest.revision} by ${newest.who} is under way, or was interrupted`;
  return [{ tone: 'notice', service: 'history', message, tryThis: 'promstack up finishes it' }];
}

/** What `up` would change. */
function pendingProblems(target: SwarmTarget, observed: SwarmObserved): readonly StatusProblem[] {
  if (observed.services.size === 0) return [];
  return reconcileSwarm(target, observed).changes.flatMap(({ service, action, because }): readonly StatusProblem[] => {
    const current = observed.services.get(service);
    const isNamed = current !== undefined && serviceProblems(service, current).length > 0;
    if (action === 'none' || action === 'create' || isNamed) return [];
    return [
      { tone: 'notice', service, message: `it differs from stack.yml: ${because[0]}`, tryThis: 'promstack plan' },
    ];
  });
}
