import { serviceLabel, specLabel } from '../../scripts/engine/labels.ts';
import { toServiceState } from '../../scripts/engine/swarm/service-spec.ts';
import type { SwarmFile, SwarmNode, SwarmTask } from '../../scripts/engine/swarm/swarm.ts';
import { choosePins } from '../../scripts/plan/swarm/nodes.ts';
import type { SwarmObserved } from '../../scripts/plan/swarm/observe.ts';
import { hashTarget, taskLabels, toServiceSpec } from '../../scripts/plan/swarm/service-spec.ts';
import { type SwarmTarget, toTarget } from '../../scripts/plan/swarm/target.ts';
import type { SwarmRecord } from '../../scripts/state/swarm/records.ts';
import { renderCase } from '../golden/golden.ts';

/** A node that is ready. */
export function nodeOf(name: string, more: Partial<SwarmNode> = {}): SwarmNode {
  return {
    id: `id-of-${name}`,
    name,
    isReady: true,
    isActive: true,
    role: 'manager',
    labels: {},
    engineLabels: {},
    platform: { os: 'linux', arch: 'x86_64' },
    ...more,
  };
}

/** Three nodes; the last has the disk that the golden stack wants for its Pushgateway. */
export const threeNodes = [nodeOf('a'), nodeOf('b'), nodeOf('c', { labels: { disk: 'ssd' } })];

/** The target of the golden stack `swarm`, or of another one, on these nodes. */
export async function goldenTarget(nodes: readonly SwarmNode[] = threeNodes, name = 'swarm'): Promise<SwarmTarget> {
  const rendering = await renderCase(name);
  return toTarget(rendering, {
    cluster: 'a swarm',
    image: (reference) => reference.replace(/:.*/, ':tag'),
    healthCheck: ({ name }) => ['/bin/wget', name],
    pins: choosePins(rendering, nodes, new Map()),
  });
}

/** A swarm that runs a target, each task on the next node, and has confirmed it. */
export function runningAs(target: SwarmTarget, nodes: readonly SwarmNode[] = threeNodes): SwarmObserved {
  const files = target.stored.map(({ kind, name, content }): SwarmFile => {
    const text = kind === 'secret' ? undefined : content?.toString('utf8');
    return { kind, id: `id-of-${name}`, name, version: 1, labels: {}, content: text };
  });
  const ids = new Map(files.map(({ name, id }) => [name, id]));
  const services = target.services.map((service) => {
    const spec = toServiceSpec(target.stack, service);
    const state = toServiceState(spec, { network: 'id-of-network', networks: new Map(), files: ids, parallelism: 1 });
    const count = service.replicas ?? nodes.length;
    const tasks = Array.from({ length: count }, (_, at): SwarmTask => {
      const slot = service.replicas === undefined ? undefined : at + 1;
      return taskOf(target.stack, service.service, hashTarget(service), { slot, node: nodes[at % nodes.length]?.id });
    });
    const labels = { ...spec.labels, [serviceLabel]: service.service, [specLabel]: JSON.stringify(service) };
    const found = { id: `id-of-${spec.name}`, name: spec.name, version: 1, labels, state, mounted: [] };
    return [service.service, { service: found, target: service, tasks, edits: [] }] as const;
  });
  return {
    nodes,
    files,
    networks: [],
    network: 'id-of-network',
    services: new Map(services),
    records: [recordOf(target, 1, 'confirmed')],
  };
}

/** A swarm without anything of a stack. */
export const nothingOn = (nodes: readonly SwarmNode[] = threeNodes): SwarmObserved => {
  return { nodes, files: [], networks: [], network: undefined, services: new Map(), records: [] };
};

export function recordOf(
  { stored: _, ...target }: SwarmTarget,
  sequence: number,
  state: SwarmRecord['state'],
): SwarmObserved['records'][number] {
  const file: SwarmFile = { kind: 'config', id: `${sequence}`, name: `record-${sequence}`, version: 1, labels: {} };
  const { revision } = target;
  return { file, sequence, revision, at: '2026-01-01T00:00:00Z', who: 'ann@host', command: 'up', state, target };
}

/** A task that runs. */
export function taskOf(
  stack: string,
  service: string,
  target: string,
  more: Partial<SwarmTask> & Pick<SwarmTask, 'slot' | 'node'>,
): SwarmTask {
  return {
    id: `${service}-${more.slot ?? more.node}-${target}`,
    service: `id-of-${stack}-${service}`,
    state: 'running',
    desired: 'running',
    labels: { [taskLabels.stack]: stack, [taskLabels.service]: service, [taskLabels.target]: target },
    force: 0,
    addresses: new Map([['id-of-network', `10.0.1.${more.slot ?? 9}`]]),
    createdAt: 0,
    ...more,
  };
}
