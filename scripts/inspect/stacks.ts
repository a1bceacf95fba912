import type { StackOrigin } from '../config/loaded.ts';
import type { ContainerState, Engine } from '../engine/engine.ts';
import { stackLabel } from '../engine/labels.ts';
import { servicesAmong } from '../state/find-stack.ts';
import { originOf, stacksAmong } from '../state/origin.ts';

/** A stack as its containers and volumes on the engine show it. */
export interface StackSummary {
  readonly name: string;
  /** In the order of the data flow; empty when only its volumes are left, as after `down`. */
  readonly services: readonly { readonly service: string; readonly state: ContainerState }[];
  readonly volumes: readonly string[];
  /** The file that it is managed from; undefined when unknown. */
  readonly origin: StackOrigin | undefined;
}

/** Every stack on the engine, by name. */
export async function listStacks(engine: Pick<Engine, 'listContainers' | 'listVolumes'>): Promise<StackSummary[]> {
  const anyStack = { [stackLabel]: '' };
  const [allContainers, allVolumes] = await Promise.all([
    engine.listContainers(anyStack),
    engine.listVolumes(anyStack),
  ]);
  const containers = stacksAmong(allContainers);
  const volumes = stacksAmong(allVolumes);
  const names = [...new Set([...containers.keys(), ...volumes.keys()])].sort();
  return names.map((name) => {
    const own = containers.get(name) ?? [];
    const kept = volumes.get(name) ?? [];
    const byService = servicesAmong(name, own);
    return {
      name,
      services: [...byService].map(([service, { state }]) => ({ service, state })),
      volumes: kept.map((volume) => volume.name).sort(),
      origin: originOf(own) ?? originOf(kept),
    };
  });
}

/** Whether a container of the stack runs, or will by itself. */
export function isRunning({ services: own }: StackSummary): boolean {
  return own.some(({ state }) => state === 'running' || state === 'restarting' || state === 'paused');
}
