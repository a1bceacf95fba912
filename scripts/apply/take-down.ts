import type { StackOrigin } from '../config/loaded.ts';
import type { ContainerSummary, Engine, NetworkSummary, VolumeSummary } from '../engine/engine.ts';
import { stackLabel } from '../engine/labels.ts';
import { checkOrigin } from '../plan/origin.ts';
import { isInternal, type Removal, type Step, Steps, stopSeconds } from '../plan/plan.ts';
import { findHolder, takeLock } from '../state/lock.ts';
import { names } from '../state/names.ts';
import { originOf, renamedFrom } from '../state/origin.ts';
import { InterruptedError, isAbort, unchangedIfInterrupted } from '../util/stack-error.ts';
import { crashPoint } from './crash-point.ts';
import { removalExecutors } from './executors.ts';
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

/** The resources of a stack on its engine, by label. */
export async function findBelongings(engine: Engine, stack: string): Promise<Belongings> {
  const labels = { [stackLabel]: stack };
  const [containers, networks, volumes] = await Promise.all([
    engine.listContainers(labels),
    engine.listNetworks(labels),
    engine.listVolumes(labels),
  ]);
  return { containers, networks, volumes: volumes.filter(({ name }) => name !== names.lock(stack)) };
}

/** Removes a stack's containers and network, and its volumes if requested; returns the completed steps. */
export function takeDown(options: TakeDownOptions): Promise<readonly Step<Removal>[]> {
  return unchangedIfInterrupted(remove(options), options.signal);
}

async function remove(options: TakeDownOptions): Promise<readonly Step<Removal>[]> {
  const { engine, stack, origin, volumes } = options;
  const belongings = await findBelongings(engine, stack);
  const isAbsent = planDown(belongings, { volumes }).length === 0;
  const former = isAbsent ? renamedFrom(await engine.listContainers({ [stackLabel]: '' }), stack, origin) : undefined;
  await checkOrigin({ ...options, current: originOf(belongings.containers), renamedFrom: former });
  // A killed command may have left only its lock.
  if (isAbsent && (await findHolder(engine, stack)) === undefined) return [];
  await using _lock = await takeLock({ ...options, command: 'down' });
  const steps = planDown(await findBelongings(engine, stack), { volumes });
  const outcome = await runPlan(steps, removalExecutors(engine), {
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
  return outcome.done;
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
  readonly networks: readonly NetworkSummary[];
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
  for (const { id, name } of belongings.networks) {
    steps.add({ do: 'removeNetwork', name, network: id }, removed, 'no container is connected to it any more');
  }
  if (options.volumes) {
    for (const { name } of belongings.volumes)
      steps.add({ do: 'removeVolume', name }, removed, 'requested by --volumes');
  }
  return steps.all;
}
