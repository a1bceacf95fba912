import type { ContainerSummary, NetworkSummary, VolumeSummary } from '../engine/engine.ts';
import { type Removal, type Step, Steps } from './plan.ts';
import { stopSeconds } from './stop-seconds.ts';

/** Everything on the engine that has the stack's label, but for the lock: whoever takes the stack down holds it. */
export interface Belongings {
  readonly containers: readonly ContainerSummary[];
  readonly networks: readonly NetworkSummary[];
  readonly volumes: readonly VolumeSummary[];
}

/** Decides how a stack is taken away; its volumes, and so its data and history, stay unless they are asked for. */
export function planDown(belongings: Belongings, options: { readonly volumes: boolean }): readonly Step<Removal>[] {
  const steps = new Steps<Removal>();
  const because = 'the stack goes down';
  const removed = belongings.containers.map((container) => {
    const { id, name, state } = container;
    const stop: Removal = { do: 'stopContainer', name, container: id, seconds: stopSeconds(container) };
    const stopped = state === 'running' ? [steps.add(stop, [], because)] : [];
    return steps.add({ do: 'removeContainer', name, container: id }, stopped, because);
  });
  for (const { id, name } of belongings.networks) {
    steps.add({ do: 'removeNetwork', name, network: id }, removed, 'nothing is on it any more');
  }
  if (options.volumes) {
    for (const { name } of belongings.volumes) steps.add({ do: 'removeVolume', name }, removed, 'you asked for it');
  }
  return steps.all;
}
