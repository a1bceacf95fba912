import type { ContainerSummary, Engine, NetworkSummary, VolumeSummary } from '../engine/engine.ts';
import { stackLabel } from '../engine/labels.ts';
import { type Removal, type Step, Steps, stopSeconds } from '../plan/plan.ts';
import { findHolder, takeLock } from '../state/lock.ts';
import { names } from '../state/names.ts';
import { crashPoint } from './crash-point.ts';
import { removalExecutors } from './executors.ts';
import type { Run } from './run.ts';
import { runPlan } from './run-plan.ts';

/** What taking a stack down needs. */
export interface TakeDownOptions extends Run {
  readonly stack: string;
  /** Delete the volumes too, with everything they hold. */
  readonly volumes: boolean;
}

/** What a stack has on its engine; only what has its label. */
export async function findBelongings(engine: Engine, stack: string): Promise<Belongings> {
  const labels = { [stackLabel]: stack };
  const [containers, networks, volumes] = await Promise.all([
    engine.listContainers(labels),
    engine.listNetworks(labels),
    engine.listVolumes(labels),
  ]);
  return { containers, networks, volumes: volumes.filter((one) => one.name !== names.lock(stack)) };
}

/** Removes a stack's containers and network, and its volumes when asked; answers the steps that were done. */
export async function takeDown(options: TakeDownOptions): Promise<readonly Step<Removal>[]> {
  const { engine, stack, volumes } = options;
  const isGone = planDown(await findBelongings(engine, stack), { volumes }).length === 0;
  // A command that was killed may have left nothing but its lock.
  if (isGone && (await findHolder(engine, stack)) === undefined) return [];
  await using _lock = await takeLock({ ...options, command: 'down' });
  const steps = planDown(await findBelongings(engine, stack), { volumes });
  const outcome = await runPlan(steps, removalExecutors(engine), {
    ...options,
    afterStep: crashPoint(options.env),
  });
  const [failure] = outcome.failed;
  if (failure !== undefined) throw failure.error;
  options.signal.throwIfAborted();
  return outcome.done;
}

/** Everything on the engine that has the stack's label, but for the lock: whoever takes the stack down holds it. */
interface Belongings {
  readonly containers: readonly ContainerSummary[];
  readonly networks: readonly NetworkSummary[];
  readonly volumes: readonly VolumeSummary[];
}

/** Decides how a stack is taken away; its volumes, and so its data and history, stay unless they are asked for. */
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
