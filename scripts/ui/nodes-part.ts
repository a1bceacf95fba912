import { findService } from '../../stack/services.ts';
import { counted } from '../../stack/values/words.ts';
import type { ContainerSummary } from '../engine/engine.ts';
import type { ServiceStatus } from '../inspect/probe.ts';
import type { StackStatus } from '../inspect/status.ts';
import { notRunning } from '../state/not-running.ts';
import type { NodeId, NodeState, PageHeader, PageNode, PageProblem, PageState, PartState } from './page-state.ts';

/** What the nodes are made from. */
export interface NodeSources extends Pick<PageState, 'groups' | 'targets' | 'rules' | 'receivers'> {
  /** A node whose parts are not current is not known. */
  readonly parts: PageHeader['parts'];
  /** The services of the stack, also those whose container is missing. */
  readonly services: readonly string[];
  /** The containers by service; undefined before the first poll, and while the engine does not answer. */
  readonly containers: ReadonlyMap<string, ContainerSummary> | undefined;
  readonly status: StackStatus | undefined;
  /** Why a service did not answer the last poll, by its name. */
  readonly silent: ReadonlyMap<string, PageProblem>;
}

/** The services that are nodes of their own. */
const drawn = ['pushgateway', 'prometheus', 'alertmanager', 'grafana'] as const satisfies readonly NodeId[];

/** The nodes of the stack, in the order of the data flow. */
export function toNodes(sources: NodeSources): readonly PageNode[] {
  const { services, groups, targets, rules, receivers, parts } = sources;
  const has = (name: string): boolean => services.includes(name);
  const [gateway, prometheus, alertmanager, grafana] = drawn.map((name) =>
    has(name) ? [serviceNode(name, sources)] : [],
  );
  const all = {
    groups: Object.values(groups),
    targets: Object.values(targets),
    rules: Object.values(rules),
    receivers: Object.values(receivers),
  };
  return [
    ...(has('pushgateway') ? [listNode('sources', 'Sources', [parts.groups], all.groups, 'refused')] : []),
    ...(gateway ?? []),
    ...(has('prometheus') ? [listNode('targets', 'Targets', [parts.targets], all.targets, 'down')] : []),
    ...(prometheus ?? []),
    ...(has('prometheus') ? [rulesNode([parts.rules], all.rules)] : []),
    ...(alertmanager ?? []),
    ...(has('alertmanager')
      ? [
          listNode(
            'receivers',
            'Receivers',
            [parts.routes, parts.alerts, parts.notifications],
            all.receivers,
            'failing',
          ),
        ]
      : []),
    ...(grafana ?? []),
  ];
}

function listNode(
  id: NodeId,
  title: string,
  parts: readonly PartState[],
  items: readonly { readonly state: NodeState }[],
  wrongWord: string,
): PageNode {
  const node = { id, title, figures: [], problems: [] };
  const isRead = parts.every(({ readAt }) => readAt !== undefined);
  if (!isRead) return { ...node, state: 'unknown', word: 'not read yet' };
  const wrong = items.filter(({ state }) => state === 'wrong').length;
  const counts = { count: items.length, wrong };
  if (parts.some(({ why }) => why !== undefined)) return { ...node, ...counts, state: 'unknown', word: 'not current' };
  if (wrong > 0) return { ...node, ...counts, state: 'wrong', word: `${wrong} ${wrongWord}` };
  const unknown = items.filter(({ state }) => state === 'unknown').length;
  if (unknown > 0) return { ...node, ...counts, state: 'unknown', word: `${unknown} unknown` };
  return { ...node, ...counts, state: 'ok', word: `none ${wrongWord}` };
}

function rulesNode(
  parts: readonly PartState[],
  rules: readonly { readonly state: NodeState; readonly activity: string }[],
): PageNode {
  const node = listNode('rules', 'Rules', parts, rules, 'failing');
  const firing = rules.filter(({ activity }) => activity === 'firing').length;
  if (node.state !== 'ok' || firing === 0) return node;
  return { ...node, state: 'notice', word: `${firing} firing` };
}

function serviceNode(name: NodeId, { containers, status, silent, parts }: NodeSources): PageNode {
  const title = findService(name)?.title ?? name;
  const probed = status?.services.find(({ service }) => service === name);
  const container = containers?.get(name);
  const own = ownProblems(name, containers, status, silent);
  const worst = own.some(({ state }) => state === 'wrong') ? 'wrong' : own.length > 0 ? 'notice' : 'ok';
  const isProbed = probed !== undefined && parts.status.why === undefined;
  const isKnown = containers !== undefined && (isProbed || container?.state !== 'running');
  return {
    ...{ id: name, title, url: probed?.url, image: container?.image ?? probed?.image, uptime: container?.status },
    state: isKnown ? worst : worst === 'wrong' ? 'wrong' : 'unknown',
    word: wordOf(containers, container, own, isProbed ? probed : undefined),
    figures: (probed?.vitals ?? []).map(({ label, text, tone }) => {
      return { label, text, state: ({ right: 'ok', notice: 'notice', wrong: 'wrong' } as const)[tone] };
    }),
    problems: own,
  };
}

function ownProblems(
  name: string,
  containers: NodeSources['containers'],
  status: StackStatus | undefined,
  silent: NodeSources['silent'],
): readonly PageProblem[] {
  const container = containers?.get(name);
  if (containers !== undefined && container?.state !== 'running') {
    const { why, tryThis } = notRunning(name, container);
    return [{ state: 'wrong', message: why, tryThis }];
  }
  const unanswered = silent.get(name);
  const found = (status?.problems ?? [])
    .filter(({ service }) => service === name)
    .map(({ tone, message, tryThis }): PageProblem => ({ state: tone, message, tryThis }));
  return unanswered === undefined ? found : [unanswered, ...found];
}

function wordOf(
  containers: NodeSources['containers'],
  container: ContainerSummary | undefined,
  problems: readonly PageProblem[],
  probed: ServiceStatus | undefined,
): string {
  if (containers === undefined) return 'unknown';
  if (container === undefined) return 'no container';
  if (container.state !== 'running') return container.state === 'exited' ? 'stopped' : container.state;
  const wrong = problems.filter(({ state }) => state === 'wrong').length;
  if (wrong > 0) return counted(wrong, 'problem');
  if (problems.length > 0) return counted(problems.length, 'notice');
  return probed === undefined ? 'running' : probed.isReady ? 'ready' : 'not ready';
}
