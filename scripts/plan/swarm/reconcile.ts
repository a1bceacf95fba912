import { risksOf, serviceOf } from '../../../stack/services.ts';
import { counted } from '../../../stack/values/words.ts';
import type { MountedFile, SwarmNode } from '../../engine/swarm/swarm.ts';
import { names } from '../../state/names.ts';
import { lastConfirmed } from '../../state/swarm/records.ts';
import { diffSpec } from '../decide.ts';
import { type Change, type Plan, Steps, type SwarmAction } from '../plan.ts';
import { pinIn, wantedTasks } from './nodes.ts';
import { type ObservedSwarmService, type SwarmObserved, stoppedUpdate } from './observe.ts';
import { pathOf } from './release.ts';
import { hashTarget } from './service-spec.ts';
import type { SwarmServiceTarget, SwarmTarget } from './target.ts';

export interface ReconcileSwarmOptions {
  /** Replace the tasks of all services. */
  readonly recreate?: boolean | undefined;
  /** The target is what ran before a change that failed: all of it is confirmed, and nothing is recorded. */
  readonly isRestore?: boolean | undefined;
}

/**
 * The steps from what a stack has on a swarm to its target. New services start together; those that change do so one after
 * another, each once the one before is confirmed, so that a mistake that only a running server shows stops at the first.
 */
export function reconcileSwarm(
  target: SwarmTarget,
  observed: SwarmObserved,
  { recreate = false, isRestore = false }: ReconcileSwarmOptions = {},
): Plan<SwarmAction> {
  const changes = target.services.map((service) => changeOf(service, observed, recreate));
  const gone = [...observed.services.keys()].filter((name) => !target.services.some(({ service }) => service === name));
  const removals = gone.map((service): Change => {
    return { service, action: 'remove', because: ['it is no longer part of the stack'] };
  });
  const all = [...changes, ...removals];
  const unconfirmed = whyUnconfirmed(target, observed, isRestore);
  const plan = { stack: target.stack, revision: target.revision, changes: all };
  if (all.every(({ action }) => action === 'none') && unconfirmed === undefined) return { ...plan, steps: [] };

  const steps = new Steps<SwarmAction>();
  const becauseOf = (service: string): string => all.find((change) => change.service === service)?.because[0] ?? '';
  const prepared: number[] = [];
  if (observed.network === undefined && target.services.length > 0) {
    prepared.push(
      steps.add({ do: 'createSwarmNetwork', name: names.network(target.stack) }, [], 'the stack has no network yet'),
    );
  }
  const present = new Set(observed.files.map(({ name }) => name));
  const missing = [...new Set(target.stored.map(({ name }) => name))].filter((name) => !present.has(name));
  if (missing.length > 0) {
    prepared.push(steps.add({ do: 'storeFiles', names: missing }, [], 'the swarm does not have them yet'));
  }
  const begun = isRestore
    ? prepared
    : [steps.add({ do: 'beginRevision', revision: target.revision }, prepared, unconfirmed ?? 'it changes services')];

  const confirmed: number[] = [];
  const proveAfter = (service: SwarmServiceTarget, after: readonly number[], because: string): number => {
    const waited = steps.add({ do: 'waitTasks', service: service.service }, after, because);
    const proof = { do: 'confirmTasks', service: service.service, revision: service.revision } as const;
    const id = steps.add(proof, [waited], because);
    confirmed.push(id);
    return id;
  };
  const withAction = (action: Change['action']): readonly SwarmServiceTarget[] =>
    target.services.filter((_, at) => changes[at]?.action === action);
  for (const service of withAction('create')) {
    const because = becauseOf(service.service);
    proveAfter(service, [steps.add({ do: 'createService', service: service.service }, begun, because)], because);
  }
  let last = [...begun, ...confirmed];
  // A service that another one confirms precedes it.
  const isConfirmed = ({ container }: SwarmServiceTarget): boolean => serviceOf(container)?.confirmedBy !== undefined;
  for (const service of withAction('recreate').toSorted((a, b) => Number(isConfirmed(b)) - Number(isConfirmed(a)))) {
    const because = becauseOf(service.service);
    last = [
      proveAfter(service, [steps.add({ do: 'updateService', service: service.service }, last, because)], because),
    ];
  }
  const started = new Set(
    [...withAction('create'), ...withAction('recreate')].map(({ container }) => serviceOf(container)?.confirmedBy),
  );
  for (const service of withAction('none')) {
    if (unconfirmed !== undefined) proveAfter(service, begun, unconfirmed);
    else if (started.has(service.service)) proveAfter(service, [...last, ...confirmed], 'what it sends to was started');
  }
  const removed = gone.map((service) =>
    steps.add({ do: 'removeService', service }, [...begun, ...confirmed], becauseOf(service)),
  );
  const done = [...begun, ...confirmed, ...removed];
  if (!isRestore) {
    const ended = steps.add({ do: 'endRevision', revision: target.revision }, done, 'every task is confirmed');
    steps.add({ do: 'removeFiles' }, [ended], 'only the newest revisions are kept');
  }
  return { ...plan, steps: steps.all };
}

/** Why all services must be confirmed, though none of them changes. */
function whyUnconfirmed(target: SwarmTarget, { records }: SwarmObserved, isRestore: boolean): string | undefined {
  if (isRestore) return 'the change that failed is undone';
  const newest = records.at(-1);
  if (newest?.state === 'begun') return `the change to revision ${newest.revision} was not finished`;
  const confirmed = lastConfirmed(records)?.revision;
  if (confirmed === target.revision) return undefined;
  return confirmed === undefined ? 'no revision is confirmed yet' : `revision ${confirmed} was confirmed last`;
}

function changeOf(target: SwarmServiceTarget, observed: SwarmObserved, recreate: boolean): Change {
  const { service } = target;
  const current = observed.services.get(service);
  if (current === undefined) {
    const tasks = wantedTasks(target, observed.nodes).all;
    const where = target.replicas === undefined ? 'one on each node' : counted(tasks, 'task');
    return { service, action: 'create', because: [`it does not exist yet: ${where} of ${target.container.image}`] };
  }
  const reasons = reasonsOf(target, current, observed.nodes);
  if (reasons.length === 0 && !recreate) return { service, action: 'none', because: [] };
  const because = reasons.length === 0 ? ['--recreate'] : reasons;
  return {
    service,
    action: 'recreate',
    because: [...because, ...howReplaced(target, current)],
    risks: risks(target, current, observed.nodes),
  };
}

/** Why the tasks of a service are replaced: they read files and settings only when they start. */
function reasonsOf(
  target: SwarmServiceTarget,
  current: ObservedSwarmService,
  nodes: readonly SwarmNode[],
): readonly string[] {
  const { edits, target: before } = current;
  const stopped = stoppedUpdate(current);
  const others = [
    ...(edits.length === 0 ? [] : [`changed by hand: ${edits.join(', ')}`]),
    ...(stopped === undefined ? [] : [`the swarm stopped its last update: ${stopped}`]),
  ];
  if (before === undefined) return ['what it was made from is not known', ...others];
  if (hashTarget(before) === hashTarget(target)) return others;
  const nameOf = (id: string): string => nodes.find((node) => node.id === id)?.name ?? id;
  const shown = (constraint: string): string => {
    const pin = pinIn([constraint]);
    return pin === undefined ? constraint : `node ${nameOf(pin)}`;
  };
  const [old, now] = [before.constraints, target.constraints];
  const reasons = [
    ...fileReasons(before.files, target.files),
    ...diffSpec(before.container, target.container),
    ...(before.replicas === target.replicas
      ? []
      : [`replicas ${before.replicas ?? 'one a node'} -> ${target.replicas ?? 'one a node'}`]),
    ...old.filter((item) => !now.includes(item)).map((item) => `no longer tied to ${shown(item)}`),
    ...now.filter((item) => !old.includes(item)).map((item) => `tied to ${shown(item)}`),
    ...(JSON.stringify(before.healthCheck) === JSON.stringify(target.healthCheck) ? [] : ['its health check differs']),
    ...(JSON.stringify(before.dnsOptions) === JSON.stringify(target.dnsOptions) ? [] : ['its DNS options differ']),
  ];
  return [...(reasons.length === 0 ? ['its settings differ'] : reasons), ...others];
}

function fileReasons(before: readonly MountedFile[], after: readonly MountedFile[]): readonly string[] {
  const find = (files: readonly MountedFile[], { target }: MountedFile) => files.find((file) => file.target === target);
  const changed = after.filter((file) => {
    const old = find(before, file);
    return old !== undefined && JSON.stringify(old) !== JSON.stringify(file);
  });
  const list = (files: readonly MountedFile[], how: string): readonly string[] => {
    const [first, ...more] = files.filter(({ isStamp }) => isStamp !== true).map(pathOf);
    return first === undefined
      ? []
      : [`${first}${more.length === 0 ? '' : ` and ${counted(more.length, 'other file')}`} ${how}`];
  };
  return [
    ...list(changed, 'changed'),
    ...list(
      after.filter((file) => find(before, file) === undefined),
      'added',
    ),
    ...list(
      before.filter((file) => find(after, file) === undefined),
      'removed',
    ),
  ];
}

function howReplaced(target: SwarmServiceTarget, { tasks }: ObservedSwarmService): readonly string[] {
  const running = tasks.filter(({ desired }) => desired === 'running').length;
  if (running <= 1) return ['its task is replaced: it does not answer for some seconds'];
  return [`its ${running} tasks are replaced ${target.replicas === undefined ? 'together' : 'one at a time'}`];
}

function risks(
  target: SwarmServiceTarget,
  { target: before }: ObservedSwarmService,
  nodes: readonly SwarmNode[],
): readonly string[] {
  if (before === undefined) return [];
  const service = serviceOf(target.container);
  const [old, now] = [pinIn(before.constraints), pinIn(target.constraints)];
  const nameOf = (id: string | undefined): string => nodes.find((node) => node.id === id)?.name ?? 'another node';
  return [
    ...(service === undefined ? [] : risksOf(service, before.container, target.container)),
    ...(old === now || old === undefined
      ? []
      : [`its data stays on ${nameOf(old)}: on ${nameOf(now)} it starts without`]),
  ];
}
