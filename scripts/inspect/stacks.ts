import type { StackConfig } from '../../stack/config.ts';
import type { StackOrigin } from '../config/loaded.ts';
import type { ContainerState, Engine } from '../engine/engine.ts';
import { serviceLabel, stackLabel } from '../engine/labels.ts';
import type { Swarm } from '../engine/swarm/swarm.ts';
import { membershipOf } from '../plan/swarm/running.ts';
import { taskLabels } from '../plan/swarm/service-spec.ts';
import { servicesAmong } from '../state/find-stack.ts';
import { originOf, stacksAmong } from '../state/origin.ts';

/** A stack as its containers and volumes on the engine show it. */
export interface StackSummary {
  readonly name: string;
  /** In the order of the data flow; empty when only its volumes are left, as after `down`. On a swarm one for each task. */
  readonly services: readonly { readonly service: string; readonly state: ContainerState }[];
  readonly volumes: readonly string[];
  /** The file that it is managed from; undefined when unknown. */
  readonly origin: StackOrigin | undefined;
  readonly target: StackConfig['target'];
}

/** Every stack on the engine, by name. */
export async function listStacks(engine: SwarmEngine): Promise<StackSummary[]> {
  const anyStack = { [stackLabel]: '' };
  const [allContainers, allVolumes, onSwarm] = await Promise.all([
    engine.listContainers(anyStack),
    engine.listVolumes(anyStack),
    listSwarmStacks(engine),
  ]);
  const containers = stacksAmong(allContainers);
  const volumes = stacksAmong(allVolumes);
  const names = [...new Set([...containers.keys(), ...volumes.keys(), ...onSwarm.keys()])].sort();
  return names.map((name) => {
    const swarm = onSwarm.get(name);
    const own = containers.get(name) ?? [];
    const kept = volumes.get(name) ?? [];
    const byService = servicesAmong(name, own);
    return {
      name,
      services: swarm?.services ?? [...byService].map(([service, { state }]) => ({ service, state })),
      volumes: kept.map((volume) => volume.name).sort(),
      origin: swarm?.origin ?? originOf(own) ?? originOf(kept),
      target: swarm === undefined ? 'engine' : 'swarm',
    };
  });
}

type OnSwarm = Pick<StackSummary, 'services' | 'origin'>;
type SwarmEngine = Pick<Engine, 'listContainers' | 'listVolumes'> & {
  readonly swarm: Pick<Swarm, 'membership' | 'listServices' | 'listTasks'>;
};

/** The stacks on the swarm that the engine manages; of one that it only works for, those that have a task here. */
async function listSwarmStacks(engine: SwarmEngine): Promise<ReadonlyMap<string, OnSwarm>> {
  const { node, isManager } = await membershipOf(engine);
  const found = new Map<string, OnSwarm>();
  if (node === undefined) return found;
  const add = (stack: string, services: OnSwarm['services'], origin: StackOrigin | undefined): void => {
    const known = found.get(stack);
    found.set(stack, { services: [...(known?.services ?? []), ...services], origin: known?.origin ?? origin });
  };
  if (!isManager) {
    for (const { labels, state } of await engine.listContainers({ [taskLabels.service]: '' })) {
      const { [taskLabels.stack]: stack = '', [taskLabels.service]: service = '' } = labels;
      add(stack, [{ service, state }], undefined);
    }
    return found;
  }
  const services = await engine.swarm.listServices({ [stackLabel]: '' });
  const tasks = await engine.swarm.listTasks(services.map(({ id }) => id));
  for (const service of services) {
    const own = tasks.filter((task) => task.service === service.id && task.desired === 'running');
    const shown = own.map(({ slot, state }) => ({
      service: `${service.labels[serviceLabel]}${slot === undefined ? '' : `.${slot}`}`,
      state: state === 'running' ? ('running' as const) : ('created' as const),
    }));
    add(service.labels[stackLabel] ?? '', shown, originOf([service]));
  }
  return found;
}

/** Whether a container of the stack runs, or will by itself. */
export function isRunning({ services: own }: StackSummary): boolean {
  return own.some(({ state }) => state === 'running' || state === 'restarting' || state === 'paused');
}
