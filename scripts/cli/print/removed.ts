import { counted } from '../../../stack/values/words.ts';
import type { Removal, Step } from '../../plan/plan.ts';

/** What of a stack was removed, by name. */
export interface RemovedResources {
  readonly stack: string;
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
}

/** What the steps that were done have removed. */
export function toRemoved(stack: string, steps: readonly Step<Removal>[]): RemovedResources {
  const removed = (kind: Removal['do']): readonly string[] =>
    steps.flatMap((step) => (step.do === kind ? [step.name] : []));
  return {
    stack,
    containers: removed('removeContainer'),
    networks: removed('removeNetwork'),
    volumes: removed('removeVolume'),
  };
}

/** What was removed, as a person reads it; `volumes` tells whether they were to go too. */
export function printRemoved(removed: RemovedResources, asked: { readonly volumes: boolean }): string {
  const { stack, containers, networks, volumes } = removed;
  if ([...containers, ...networks, ...volumes].length === 0) return `${stack}: nothing to do, nothing of it is there\n`;
  const kept = asked.volumes ? `${counted(volumes.length, 'volume')} deleted` : 'its volumes are kept';
  return `${stack}: ${counted(containers.length, 'container')} removed, ${kept}\n`;
}
