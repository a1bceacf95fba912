import type { StackConfig } from '../../../stack/config.ts';
import { isPinned } from '../../../stack/swarm/swarm.ts';
import type { SwarmNode, SwarmTask } from '../../engine/swarm/swarm.ts';
import type { Rendering } from '../../render/rendering.ts';

/** Whether a node meets constraints in Docker's syntax: `node.labels.disk==ssd`. */
export function meets(node: SwarmNode, constraints: readonly string[]): boolean {
  return constraints.every((constraint) => {
    const [, key = '', operator, value = ''] = /^(\S+?)\s*(==|!=)\s*(.*)$/.exec(constraint) ?? [];
    const isEqual = (attributeOf(node, key) ?? '').toLowerCase() === value.trim().toLowerCase();
    return operator === '==' ? isEqual : !isEqual;
  });
}

function attributeOf(node: SwarmNode, key: string): string | undefined {
  const [, label] = /^node\.labels\.(.+)$/.exec(key) ?? [];
  if (label !== undefined) return node.labels[label];
  const [, engineLabel] = /^engine\.labels\.(.+)$/.exec(key) ?? [];
  if (engineLabel !== undefined) return node.engineLabels[engineLabel];
  return {
    'node.id': node.id,
    'node.hostname': node.name,
    'node.role': node.role,
    'node.platform.os': node.platform.os,
    'node.platform.arch': node.platform.arch,
  }[key];
}

/** Whether tasks can be placed on a node now. */
export const isUsable = ({ isReady, isActive }: SwarmNode): boolean => isReady && isActive;

/**
 * The node that each service with data stays on: the one it has, as long as it meets the constraints of stack.yml, else one that
 * is ready, and that few others stay on. A service has none when no node meets its constraints.
 */
export function choosePins(
  { services, config }: Pick<Rendering, 'services'> & { readonly config: StackConfig },
  nodes: readonly SwarmNode[],
  before: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const pins = new Map<string, string>();
  for (const { service, container } of services) {
    if (!isPinned(container, config)) continue;
    const constraints = config.swarm.constraints[service.name] ?? [];
    const fitting = nodes.filter((node) => meets(node, constraints));
    const kept = before.get(service.name);
    // A node that is gone from the swarm, and its data with it, is never used again.
    if (kept !== undefined && fitting.some(({ id }) => id === kept)) {
      pins.set(service.name, kept);
      continue;
    }
    const load = ({ id }: SwarmNode): number => [...pins.values()].filter((pin) => pin === id).length;
    const [chosen] = fitting.filter(isUsable).toSorted((a, b) => load(a) - load(b) || (a.name < b.name ? -1 : 1));
    if (chosen !== undefined) pins.set(service.name, chosen.id);
  }
  return pins;
}

/** The node that a service stays on, by its constraints. */
export function pinIn(constraints: readonly string[]): string | undefined {
  return constraints.find((constraint) => constraint.startsWith(pinPrefix))?.slice(pinPrefix.length);
}

const pinPrefix = 'node.id==';

/** How many tasks of a service can run now, and are to. */
export function wantedTasks(
  { replicas, constraints }: { readonly replicas?: number | undefined; readonly constraints: readonly string[] },
  nodes: readonly SwarmNode[],
): { readonly now: number; readonly all: number } {
  const fitting = nodes.filter((node) => meets(node, constraints));
  const usable = fitting.filter(isUsable).length;
  if (replicas === undefined) return { now: usable, all: fitting.length };
  return { now: Math.min(replicas, usable), all: replicas };
}

/** Why no node runs a service, that one it stays on or all that it may run on. */
export function whyNoNode(constraints: readonly string[], nodes: readonly SwarmNode[]): string {
  const pin = pinIn(constraints);
  const own = nodes.find(({ id }) => id === pin);
  if (own !== undefined)
    return `its node ${own.name}, which has its data, is ${own.isReady ? 'drained or paused' : 'down'}`;
  const fitting = nodes.filter((node) => meets(node, constraints));
  if (fitting.length === 0) return `no node meets ${constraints.join(' and ')}`;
  return `none of the nodes that may run it is ready: ${fitting.map(({ name }) => name).join(', ')}`;
}

/** `prometheus.2 on node-3` */
export function taskName(service: string, { slot, node }: SwarmTask, nodes: readonly SwarmNode[]): string {
  const name = nodes.find(({ id }) => id === node)?.name;
  return `${service}${slot === undefined ? '' : `.${slot}`}${name === undefined ? '' : ` on ${name}`}`;
}
