import { isMap, isScalar, isSeq, type Node, Pair, type YAMLMap } from 'yaml';
import type { Addresses } from './addresses.ts';
import { listNode } from './native-config.ts';
import type { StackDraft } from './stack-draft.ts';
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
  placeOf,
  stringNode,
  textOf,
  toValue,
} from './yaml-tree.ts';

/** How a job asks a target, by the keys of the job and the labels of a target that set it. */
const request = [
  { key: 'metrics_path', label: '__metrics_path__', preset: '/metrics' },
  { key: 'scheme', label: '__scheme__', preset: 'http' },
] as const;

type RequestKey = (typeof request)[number]['key'];

/** What a server of the stack is asked for in place of what it was asked for before. */
function asked(key: RequestKey, before: string, target: string, addresses: Addresses): string {
  const path = addresses.servedPath(target, key === 'metrics_path' ? before : '');
  if (path === undefined) return before;
  // Without a compose file the prefix is not known.
  return key === 'metrics_path' ? path.replace(/^\/.*(?=\/(?:metrics|federate)$)/, '') || '/' : 'http';
}

/**
 * Jobs that ask servers of the stack below a path, or with TLS, ask them as the stack serves them. A job with other targets too
 * gets labels for these in `moveTargets`.
 */
export function moveRequests(job: Node, name: string, addresses: Addresses, { findings }: StackDraft): void {
  const hasDiscovery = pairsOf(job).some((pair) => keyOf(pair).endsWith('_sd_configs'));
  const groups = itemsOf(childOf(job, 'static_configs'));
  const relabelled = itemsOf(childOf(job, 'relabel_configs')).findLast(
    (rule) => textOf(childOf(rule, 'target_label')) === '__address__',
  );
  const through = textOf(childOf(relabelled, 'replacement'));
  const targets =
    through !== undefined && addresses.taken(through) !== undefined
      ? [through]
      : hasDiscovery
        ? []
        : groups.flatMap((group) => itemsOf(childOf(group, 'targets')).map((target) => textOf(target) ?? ''));
  for (const { key, label } of request) {
    const pair = pairOf(job, key);
    const before = textOf(pair?.value);
    const after = new Set(targets.map((target) => asked(key, before ?? '', target, addresses)));
    const [only = before] = after;
    const isLabelled = groups.some((group) => childOf(group, 'labels', label) !== undefined);
    if (!isScalar(pair?.value) || before === undefined || only === before || after.size > 1 || isLabelled) continue;
    pair.value.value = only;
    findings.changed(`scrape_configs ${name} ${key}`, placeOf(pair.key), `${key}: ${only}`, atRoot);
  }
}

const atRoot = 'the servers of a stack answer at their root, without TLS';

/** Targets that have another address in the stack keep their label `instance`. */
export function moveTargets(job: Node, name: string, addresses: Addresses, draft: StackDraft): void {
  const list = childOf(job, 'static_configs');
  if (!isSeq(list)) return;
  list.items = itemsOf(list).flatMap((group): readonly Node[] => {
    const targets = childOf(group, 'targets');
    if (!isMap(group) || !isSeq(targets)) return [group];
    const labelsOf = (target: Node): readonly Pair[] => {
      const text = textOf(target) ?? '';
      const address = addresses.taken(text) ?? text;
      const labels = request.flatMap(({ key, label, preset }) => {
        const before = textOf(childOf(group, 'labels', label)) ?? textOf(childOf(job, key)) ?? preset;
        const after = asked(key, before, text, addresses);
        return after === before ? [] : [new Pair(stringNode(label), stringNode(after))];
      });
      if (labels.length > 0) {
        const what = `scrape_configs ${name} ${text}`;
        draft.findings.changed(what, placeOf(target), `labels: {${labels.map(keyOf).join(', ')}}`, atRoot);
      }
      const instance = pairOf(childOf(group, 'labels'), 'instance');
      return address === text ? labels : [instance ?? new Pair(stringNode('instance'), stringNode(text)), ...labels];
    };
    const all = itemsOf(targets).map((target) => ({ target, labels: labelsOf(target) }));
    const moved = all.filter(({ labels }) => labels.length > 0);
    if (moved.length === 0) return [group];
    const others = all.filter(({ labels }) => labels.length === 0).map(({ target }) => target);
    const groups = moved.map(({ target, labels }, index) => {
      const text = textOf(target) ?? '';
      const address = placedAs(stringNode(addresses.taken(text) ?? text), target);
      // The last one is the group itself, with its comments.
      const isSame = others.length === 0 && index === moved.length - 1;
      return movedGroup(group, { address, labels, isSame });
    });
    if (others.length > 0) targets.items = others;
    return others.length > 0 ? [group, ...groups] : groups;
  });
}

function movedGroup(
  group: YAMLMap,
  { address, labels, isSame }: { readonly address: Node; readonly labels: readonly Pair[]; readonly isSame: boolean },
): Node {
  const [targets, existing] = ['targets', 'labels'].map((key) => childOf(group, key));
  const names = labels.map(keyOf);
  const all = [...labels, ...pairsOf(existing).filter((pair) => !names.includes(keyOf(pair)))];
  if (isSame && isSeq(targets)) {
    targets.items = [address];
    if (isMap(existing)) existing.items = all;
    else group.items.push(new Pair(stringNode('labels'), mapOf(all)));
    return group;
  }
  const list = listNode([address]);
  list.flow = address.comment == null && address.commentBefore == null;
  return placedAs(mapOf([new Pair(stringNode('targets'), list), new Pair(stringNode('labels'), mapOf(all))]), group);
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
