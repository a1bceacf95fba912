import { andList } from '../../stack/values/words.ts';
import type { StackOrigin } from '../config/loaded.ts';
import type { ContainerSummary, Engine, NetworkSummary, VolumeSummary } from '../engine/engine.ts';
import { stackLabel } from '../engine/labels.ts';
import { manualConnections } from '../plan/connections.ts';
import { checkOrigin } from '../plan/origin.ts';
import { isInternal, type Removal, type Step, Steps, stopSeconds } from '../plan/plan.ts';
import { findHolder, takeLock } from '../state/lock.ts';
import { names } from '../state/names.ts';
import { newestVersion, refuseNewer } from '../state/newer-version.ts';
import { originOf, renamedFrom } from '../state/origin.ts';
import { InterruptedError, isAbort, unchangedIfInterrupted } from '../util/stack-error.ts';
import { removalExecutors } from './container-executors.ts';
import { crashPoint } from './crash-point.ts';
import type { Run } from './run.ts';
import { type PlanOutcome, runPlan } from './run-plan.ts';

export interface TakeDownOptions extends Run {
  readonly stack: string;
  /** Delete the volumes and their data, too. */
  readonly volumes: boolean;
  /** The file that the name is from, if any. */
  readonly origin?: StackOrigin | undefined;
  /** Take it down even if it is managed from a different file: else that is an OtherOriginError. */
  readonly takeOver?: boolean | undefined;
}

/** The resources of a stack on its engine, by label; none that it has on a swarm. */
export async function findBelongings(engine: Engine, stack: string): Promise<Belongings> {
  const labels = { [stackLabel]: stack };
  const [all, networks, volumes] = await Promise.all([
    engine.listContainers({}),
    engine.listNetworks(labels),
    engine.listVolumes(labels),
  ]);
  const containers = all.filter((container) => container.labels[stackLabel] === stack);
  // Docker removes a network of stopped containers, Podman does not.
  const isHolding = ({ state }: ContainerSummary): boolean =>
    engine.kind === 'podman' || (state !== 'exited' && state !== 'created' && state !== 'dead');
  const others = all
    .filter((container) => !containers.includes(container) && isHolding(container))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    containers,
    networks: networks
      .filter(({ isOfSwarm }) => !isOfSwarm)
      .map((network) => ({
        ...network,
        usedBy: others.filter((container) => container.networks.includes(network.name)),
      })),
    volumes: volumes.filter(({ name }) => name !== names.lock(stack)),
  };
}

/** What `down` did. */
export interface TakenDown {
  /** The completed steps. */
  readonly steps: readonly Step<Removal>[];
  /** The networks that are left, since containers of others are connected to them. */
  readonly keptNetworks: readonly { readonly name: string; readonly usedBy: readonly string[] }[];
}

/** Removes a stack's containers and network, and its volumes if requested. */
export function takeDown(options: TakeDownOptions): Promise<TakenDown> {
  return unchangedIfInterrupted(remove(options), options.signal);
}

async function remove(options: TakeDownOptions): Promise<TakenDown> {
  const { engine, stack, origin, volumes } = options;
  const before = await findBelongings(engine, stack);
  const isDown = planDown(before, { volumes }).length === 0;
  const isAbsent = isDown && before.networks.length === 0;
  const former = isAbsent ? renamedFrom(await engine.listContainers({ [stackLabel]: '' }), stack, origin) : undefined;
  refuseNewer(stack, newestVersion([...before.containers, ...before.volumes]));
  await checkOrigin({ ...options, current: originOf(before.containers), renamedFrom: former });
  // A killed command may have left only its lock.
  if (isDown && (await findHolder(engine, stack)) === undefined) return toTakenDown([], before, options);
  await using _lock = await takeLock({ ...options, command: 'down' });
  const belongings = await findBelongings(engine, stack);
  const outcome = await runPlan(planDown(belongings, { volumes }), removalExecutors(engine), {
    ...options,
    afterStep: crashPoint(options.env),
  });
  const { signal } = options;
  if (signal.aborted && outcome.failed.length + outcome.skipped.length === 0) {
    throw new InterruptedError({ left: `the stack ${stack} is down`, cause: signal.reason });
  }
  if (signal.aborted && outcome.failed.every(({ error }) => isAbort(error, signal))) {
    if (outcome.failed.length + outcome.skipped.length > 0) throw interruptedWith(outcome, options);
  }
  const [failure] = outcome.failed;
  if (failure !== undefined) throw failure.error;
  return toTakenDown(outcome.done, belongings, options);
}

/** Reports what the user may not expect: a network that is left, and connections made by hand that are gone. */
function toTakenDown(
  steps: readonly Step<Removal>[],
  { containers, networks }: Belongings,
  { stack, report }: TakeDownOptions,
): TakenDown {
  const kept = networks.filter(({ usedBy }) => usedBy.length > 0);
  for (const { name, usedBy } of kept) {
    const disconnect = usedBy.map((container) => `docker network disconnect ${name} ${container.name}`).join('; ');
    const text = `the network ${name} is kept: ${andList(usedBy.map(withOwner), '')} ${usedBy.length === 1 ? 'is' : 'are'} connected to it`;
    report({ kind: 'warning', text: `${text}\n  try: ${disconnect}; then \`promstack down\` removes it` });
  }
  for (const container of steps.length === 0 ? [] : containers) {
    const manual = manualConnections(container, names.network(stack));
    if (manual.length === 0) continue;
    const text = `${container.name} was connected to ${andList(manual, '')} by hand; \`up\` connects it only to the networks that stack.yml lists`;
    report({ kind: 'note', text });
  }
  return { steps, keptNetworks: kept.map(({ name, usedBy }) => ({ name, usedBy: usedBy.map((user) => user.name) })) };
}

function withOwner({ name, labels }: ContainerSummary): string {
  const [stack, project] = [labels[stackLabel], labels['com.docker.compose.project']];
  if (stack !== undefined) return `${name} of the stack ${stack}`;
  return project === undefined ? name : `${name} of the compose project ${project}`;
}

/** The error of an interrupt, with what is removed. */
function interruptedWith({ done }: PlanOutcome<Removal>, { volumes, signal }: TakeDownOptions): InterruptedError {
  const removed = done.flatMap((step) =>
    step.do === 'stopContainer' || isInternal(step)
      ? []
      : [step.do === 'removeVolume' ? `volume ${step.name}` : step.name],
  );
  return new InterruptedError({
    left: removed.length === 0 ? 'nothing was removed' : `removed so far: ${removed.join(', ')}`,
    tryThis: `promstack down${volumes ? ' --volumes' : ''} continues; promstack up starts the stack again`,
    cause: signal.reason,
  });
}

/** Everything with the stack's label except the lock, which the command itself holds. */
interface Belongings {
  readonly containers: readonly ContainerSummary[];
  readonly networks: readonly (NetworkSummary & {
    /** Containers of others that are connected to it. */
    readonly usedBy: readonly ContainerSummary[];
  })[];
  readonly volumes: readonly VolumeSummary[];
}

/** Plans the removal of a stack; its volumes, with data and history, stay unless requested. */
function planDown(belongings: Belongings, options: { readonly volumes: boolean }): readonly Step<Removal>[] {
  const steps = new Steps<Removal>();
  const because = 'the stack goes down';
  const removed = belongings.containers.map((container) => {
    const { id, name, state } = container;
    const stop: Removal = { do: 'stopContainer', name, container: id, seconds: stopSeconds(container) };
    const stopped = state === 'running' ? [steps.add(stop, [], because)] : [];
    return steps.add({ do: 'removeContainer', name, container: id }, stopped, because);
  });
  for (const { id, name, usedBy } of belongings.networks) {
    if (usedBy.length > 0) continue;
    steps.add({ do: 'removeNetwork', name, network: id }, removed, 'no container is connected to it any more');
  }
  if (options.volumes) {
    for (const { name } of belongings.volumes)
      steps.add({ do: 'removeVolume', name }, removed, 'requested by --volumes');
  }
  return steps.all;
}
