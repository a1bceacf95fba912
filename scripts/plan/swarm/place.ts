import type { StackConfig } from '../../../stack/config.ts';
import { andList } from '../../../stack/values/words.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Rendering } from '../../render/rendering.ts';
import { type ClientImages, clientImages } from '../../state/swarm/client-image.ts';
import { lastConfirmed } from '../../state/swarm/records.ts';
import { StackError } from '../../util/stack-error.ts';
import { checkNetworks } from '../joined-networks.ts';
import type { Plan, SwarmAction } from '../plan.ts';
import { choosePins, meets, pinIn } from './nodes.ts';
import { observeSwarm, type SwarmObserved } from './observe.ts';
import { isPublished, type SwarmTarget, toTarget } from './target.ts';

/** What a stack has on the swarm. */
export function observeStack(engine: Engine, stack: string): Promise<SwarmObserved> {
  return observeSwarm(engine.swarm, () => engine.listNetworks({}), stack);
}

/** The id of the swarm; throws a StackError when the engine is no manager of one. */
export async function requireManager(engine: Engine): Promise<string> {
  const { node, isManager, isLocked, cluster } = await engine.swarm.membership();
  if (isManager) return cluster ?? engine.swarm.clusterId();
  const doing = 'looking for the swarm';
  if (isLocked === true) {
    throw new StackError({
      doing,
      why: `the swarm of the engine at ${engine.location.address} is locked since the engine has started`,
      tryThis: 'docker swarm unlock there, with the key that docker swarm unlock-key shows on another manager',
    });
  }
  if (node === undefined) {
    throw new StackError({
      doing,
      why: `the engine at ${engine.location.address} is in no swarm`,
      tryThis: 'docker swarm init makes it the first manager of one; or name a manager: DOCKER_HOST=ssh://MANAGER',
    });
  }
  throw new StackError({
    doing,
    why: `the engine at ${engine.location.address} is a worker of a swarm, which cannot see or change it`,
    tryThis: 'name a manager: DOCKER_HOST=ssh://MANAGER; docker node ls there lists them',
  });
}

/** The target of a rendering on the nodes that there are: services with data stay on the node that they have. */
export function targetOf(
  rendering: Rendering,
  { nodes, services, records }: SwarmObserved,
  options: {
    readonly cluster: string;
    readonly image: (reference: string) => string;
    readonly checks: ReadonlyMap<string, readonly string[] | undefined>;
  },
): SwarmTarget {
  const recorded = lastConfirmed(records)?.target?.services ?? [];
  const running = [...services.values()].flatMap(({ target }) => target ?? []);
  const before = new Map(
    [...recorded, ...running].flatMap(({ service, constraints }) => {
      const pin = pinIn(constraints);
      return pin === undefined ? [] : [[service, pin] as const];
    }),
  );
  const pins = choosePins({ services: rendering.services, config: rendering.config }, nodes, before);
  const { cluster, image, checks } = options;
  return toTarget(rendering, { cluster, image, pins, healthCheck: ({ name }) => checks.get(name) });
}

/** Throws an InputError for networks that services cannot join, and a StackError for a service that no node may run. */
export function checkPlaces(
  target: SwarmTarget,
  observed: SwarmObserved,
  { config, locate }: Placing,
  plan: Plan<SwarmAction>,
): void {
  checkNetworks({ config, services: target.services.map(({ container }) => ({ spec: container })) }, observed, locate);
  checkNodes(target, observed, plan);
}

type Placing = Pick<Rendering, 'config' | 'locate'>;

/** Throws a StackError for a service that no node of the swarm may run, or whose only node would not start it again. */
export function checkNodes(
  { stack, services }: SwarmTarget,
  { nodes, services: running }: SwarmObserved,
  { changes }: Pick<Plan<SwarmAction>, 'changes'>,
): void {
  for (const { service, constraints } of services) {
    const paused = nodes.find(({ id, isReady, isActive }) => id === pinIn(constraints) && isReady && !isActive);
    const tasks = running.get(service)?.tasks ?? [];
    const runs = tasks.some(
      ({ node, state, desired }) => node === paused?.id && state === 'running' && desired === 'running',
    );
    const isReplaced = changes.some((change) => change.service === service && change.action === 'recreate');
    if (paused === undefined || !runs || !isReplaced) continue;
    throw new StackError({
      doing: `placing the services of ${stack}`,
      why: `${service} runs on ${paused.name}, which is paused: its task would end, and no other one start there`,
      tryThis: `docker node update --availability active ${paused.name}`,
    });
  }
  for (const { service, constraints } of services) {
    if (nodes.some((node) => meets(node, constraints))) continue;
    throw new StackError({
      doing: `placing the services of ${stack}`,
      why: `no node of the swarm meets the constraints of ${service}: ${constraints.join(', ')}`,
      tryThis: `change swarm.constraints.${service} in stack.yml, or label a node: docker node update --label-add NAME=VALUE NODE`,
    });
  }
}

/** The images of a target that can run what asks its tasks. */
export function imageForClient({ services }: Pick<SwarmTarget, 'services'>): ClientImages {
  return clientImages(new Map(services.map(({ service, container }) => [service, container.image])));
}

/** The address at which each service is published: that of a node that runs it, or is to run it. */
export function urlsOf(
  { services: targets }: SwarmTarget,
  { nodes, services }: SwarmObserved,
): readonly { readonly service: string; readonly url: string }[] {
  const nameOf = (node: string | undefined): string | undefined => nodes.find(({ id }) => id === node)?.name;
  return targets.flatMap(({ service, container: { ports, access }, constraints }) => {
    const [port] = ports;
    if (port === undefined) return [];
    const tasks = (services.get(service)?.tasks ?? []).toSorted((a, b) => (a.slot ?? 0) - (b.slot ?? 0));
    const running = tasks.find(({ state, desired }) => state === 'running' && desired === 'running');
    const host = nameOf(running?.node) ?? nameOf(pinIn(constraints));
    const scheme = access?.tls === true ? 'https' : 'http';
    return host === undefined ? [] : [{ service, url: `${scheme}://${host}:${port.host}` }];
  });
}

/** What to know of the addresses of a stack whose ports are not published. */
export function addressNote(config: StackConfig): string | undefined {
  if (isPublished(config)) return undefined;
  const services = andList(['pushgateway:9091', 'prometheus:9090', 'grafana:3000'], '');
  return `no port is published: a swarm cannot publish on ${config.bind} alone. Containers and services in the network ${config.name} reach ${services}; "bind: 0.0.0.0" publishes the ports on the nodes that run the services`;
}
