import { serviceOf } from '../../../stack/services.ts';
import type { Engine } from '../../engine/engine.ts';
import { EngineError } from '../../engine/engine-error.ts';
import { stackLabel } from '../../engine/labels.ts';
import type { Rendering, ServiceRendering } from '../../render/rendering.ts';
import { lastConfirmed } from '../../state/swarm/records.ts';
import { StackError } from '../../util/stack-error.ts';
import { configOf } from '../config-of.ts';
import type { SwarmObserved } from './observe.ts';
import { observeStack, requireManager } from './place.ts';
import { toRelease } from './release.ts';
import { taskLabels } from './service-spec.ts';
import type { SwarmServiceTarget, SwarmTarget } from './target.ts';

/**
 * Whether a stack of which only the name is known runs on a swarm: the engine manages one that has services or a history of it,
 * or runs a task of it, as workers do.
 */
export async function isOnSwarm(engine: Engine, stack: string): Promise<boolean> {
  const { node, isManager } = await membershipOf(engine);
  if (node === undefined) return false;
  if (!isManager) return (await engine.listContainers({ [taskLabels.stack]: stack })).length > 0;
  const ours = { [stackLabel]: stack };
  const [services, files] = await Promise.all([engine.swarm.listServices(ours), engine.swarm.listFiles(ours)]);
  return services.length + files.length > 0;
}

/** How the engine takes part in a swarm; Podman has none. */
export async function membershipOf(engine: {
  readonly swarm: Pick<Engine['swarm'], 'membership'>;
}): Promise<{ readonly node?: string | undefined; readonly isManager: boolean }> {
  try {
    return await engine.swarm.membership();
  } catch (error) {
    if (error instanceof EngineError && error.code === 'refused') return { isManager: false };
    throw error;
  }
}

/** The last confirmed state of a stack on a swarm, read without its stack.yml; of secrets only the names. */
export async function runningOnSwarm(engine: Engine, stack: string): Promise<Rendering> {
  await requireManager(engine);
  const observed = await observeStack(engine, stack);
  const { revision, services } = recordedTarget(stack, observed);
  if (services.length === 0) {
    throw new StackError({
      doing: `finding the stack ${stack}`,
      why: 'the swarm has no confirmed revision of it',
      tryThis: 'promstack up',
    });
  }
  const config = configOf(stack, new Map(services.map(({ service, container }) => [service, container])), [], {
    target: 'swarm',
    swarm: { replicas: replicasOf(services) },
  });
  const rendered = services.flatMap((target): ServiceRendering[] => {
    const service = serviceOf(target.container);
    if (service === undefined) return [];
    const { files } = toRelease(target, config, observed.files);
    return [{ service, container: target.container, files, revision: target.revision ?? 'unknown' }];
  });
  return { config, folder: '', revision, services: rendered, tests: [] };
}

/** What the last confirmed revision of a stack is made of; without one, what its services are. */
export function recordedTarget(stack: string, { records, services }: SwarmObserved): SwarmTarget {
  const last = lastConfirmed(records);
  const running = [...services.values()].flatMap(({ target }) => target ?? []);
  return { stack, revision: last?.revision ?? 'unknown', services: last?.target?.services ?? running, stored: [] };
}

/** The replicas of the services that may have several, as stack.yml has them. */
function replicasOf(services: readonly SwarmServiceTarget[]): Readonly<Record<string, number>> {
  const several = services.flatMap(({ service, replicas }) =>
    ['prometheus', 'alertmanager'].includes(service) && replicas !== undefined ? [[service, replicas] as const] : [],
  );
  return Object.fromEntries(several);
}
