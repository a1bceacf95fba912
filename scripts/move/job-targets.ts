import { isMap, isSeq, type Node, Pair, type YAMLMap } from 'yaml';
import type { Addresses } from './addresses.ts';
import { listNode } from './native-config.ts';
import {
  childOf,
  eachScalar,
  isEmpty,
  itemsOf,
  keyOf,
  mapOf,
  pairOf,
  pairsOf,
  placedAs,
  stringNode,
  textOf,
  toValue,
} from './yaml-tree.ts';

/** Targets that have another address in the stack keep their label `instance`. */
export function moveTargets(job: Node, addresses: Addresses): void {
  const list = childOf(job, 'static_configs');
  if (!isSeq(list)) return;
  list.items = itemsOf(list).flatMap((group): readonly Node[] => {
    const targets = childOf(group, 'targets');
    if (!isMap(group) || !isSeq(targets)) return [group];
    const moved = itemsOf(targets).filter((target) => {
      const text = textOf(target) ?? '';
      const taken = addresses.taken(text);
      return taken !== undefined && taken !== text;
    });
    if (moved.length === 0) return [group];
    const others = targets.items.filter((target) => !moved.includes(target as Node));
    const groups = moved.map((target, index) => {
      // The last one is the group itself, with its comments.
      const isSame = others.length === 0 && index === moved.length - 1;
      return movedGroup(group, { target, addresses, isSame });
    });
    if (others.length > 0) targets.items = others;
    return others.length > 0 ? [group, ...groups] : groups;
  });
}

function movedGroup(
  group: YAMLMap,
  { target, addresses, isSame }: { readonly target: Node; readonly addresses: Addresses; readonly isSame: boolean },
): Node {
  const text = textOf(target) ?? '';
  const address = placedAs(stringNode(addresses.taken(text) ?? text), target);
  const [targets, labels] = ['targets', 'labels'].map((key) => childOf(group, key));
  const instance = pairOf(labels, 'instance') ?? new Pair(stringNode('instance'), stringNode(text));
  if (isSame && isSeq(targets)) {
    targets.items = [address];
    if (isMap(labels)) labels.items = [instance, ...labels.items.filter((pair) => pair !== instance)];
    else group.items.push(new Pair(stringNode('labels'), mapOf([instance])));
    return group;
  }
  const own = pairsOf(labels).filter((pair) => keyOf(pair) !== 'instance');
  const list = listNode([address]);
  list.flow = address.comment == null && address.commentBefore == null;
  return placedAs(
    mapOf([new Pair(stringNode('targets'), list), new Pair(stringNode('labels'), mapOf([instance, ...own]))]),
    group,
  );
}

/** The jobs of a prometheus.yml by their only target; those with several targets or discovery are not in it. */
export function soleTargets(root: Node | undefined): ReadonlyMap<string, string> {
  const jobs = new Map<string, string>();
  for (const job of itemsOf(childOf(root, 'scrape_configs'))) {
    const groups = itemsOf(childOf(job, 'static_configs'));
    const targets = groups.flatMap((group) => itemsOf(childOf(group, 'targets')));
    const hasDiscovery = pairsOf(job).some((pair) => keyOf(pair).endsWith('_sd_configs'));
    const hasLabels = groups.some((group) => !isEmpty(childOf(group, 'labels')));
    const [target] = targets.map((node) => textOf(node) ?? '');
    if (target === undefined || targets.length !== 1 || hasDiscovery || hasLabels) continue;
    jobs.set(target, textOf(childOf(job, 'job_name')) ?? '');
  }
  return jobs;
}

/** The name of the job that has a target. */
export function jobWith(root: Node | undefined, target: string): string | undefined {
  const job = itemsOf(childOf(root, 'scrape_configs')).find((candidate) =>
    itemsOf(childOf(candidate, 'static_configs')).some((group) =>
      itemsOf(childOf(group, 'targets')).some((item) => textOf(item) === target),
    ),
  );
  return textOf(childOf(job, 'job_name'));
}

/** Every target and address that a prometheus.yml names. */
export function addressesIn(root: Node | undefined): readonly string[] {
  const addresses: string[] = [];
  eachScalar(root, (scalar) => {
    const text = String(toValue(scalar) ?? '');
    if (/^[\w.-]+:\d+$/.test(text)) addresses.push(text);
  });
  return addresses;
}
