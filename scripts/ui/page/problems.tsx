import { computed } from '@preact/signals';
import { type NodeId, type NodeState, type PageProblem, type PartName, partNames } from '../page-state.ts';
import { causeText, plural } from './format.ts';
import { alertParts, partsState } from './freshness.tsx';
import { alertState } from './panel-alerts.tsx';
import { alerts, connection, groups, header, nodes, open, receivers, rules, type Selection, targets } from './store.ts';
import { Brief, labelsText, Mark } from './texts.tsx';

interface Shown extends PageProblem {
  /** The title of a node, or `Stack`. */
  readonly of: string;
  readonly opens: Selection;
}

/** A problem of an item of a list. */
interface ItemProblem extends PageProblem {
  /** What a problem of a server says when it is the same one. */
  readonly sign?: string;
  /** The item itself. */
  readonly opens?: Selection;
}

/** The problems of each node: its own, or for a list those of its items that are wrong. */
export const problemsByNode = computed<Readonly<Partial<Record<NodeId, readonly ItemProblem[]>>>>(() => {
  const ofList = <T extends { readonly state: NodeState }>(
    items: Readonly<Record<string, T>>,
    describe: (item: T) => Omit<ItemProblem, 'state'>,
  ): readonly ItemProblem[] => {
    const wrong = Object.values(items).filter(({ state }) => state === 'wrong');
    const left = wrong.length - mostListed;
    const shown = wrong.slice(0, mostListed).map((item): ItemProblem => ({ state: 'wrong', ...describe(item) }));
    return left > 0
      ? [...shown, { state: 'wrong', message: `${plural(left, 'more', 'more')}, in the list below` }]
      : shown;
  };
  const lists: Readonly<Partial<Record<NodeId, readonly ItemProblem[]>>> = {
    sources: ofList(groups.value, ({ id, job, labels }) => ({
      opens: { kind: 'group', id },
      message: `the last push of ${labelsText({ job, ...labels })} was refused`,
      tryThis: 'promstack push --check FILE says why',
      sign: `of job ${job} `,
    })),
    targets: ofList(targets.value, ({ id, job, instance, url, error }) => ({
      opens: { kind: 'target', id },
      message: `${job} ${instance}: ${error === undefined ? 'down' : causeText(error)}`,
      tryThis: 'check that it runs, and that its address answers from the container of Prometheus',
      sign: url,
    })),
    rules: ofList(rules.value, ({ id, name, error }) => ({
      opens: { kind: 'rule', id },
      message: `${name}: ${error ?? 'its evaluation fails'}`,
      tryThis: 'open the rule for its expression',
      sign: `rule ${name} `,
    })),
    receivers: ofList(receivers.value, ({ id, name, notifications }) => ({
      opens: { kind: 'receiver', id },
      message: `${name}: ${notifications.find(({ outcome }) => outcome === 'failed')?.text ?? 'notifications fail'}`,
      tryThis: `promstack verify --receiver ${name}`,
    })),
  };
  return Object.fromEntries(
    // What is not current is no problem of now.
    Object.values(nodes.value).map(({ id, problems, state }) => [
      id,
      state === 'unknown' ? problems : [...problems, ...(lists[id] ?? [])],
    ]),
  );
});

/** The most problems of one list that are shown; the list itself begins with all of them. */
const mostListed = 3;

const problems = computed<readonly Shown[]>(() => {
  const ofServers = Object.values(nodes.value).flatMap(({ problems }) => problems.map(({ message }) => message));
  const isNew = ({ sign }: ItemProblem): boolean =>
    sign === undefined || !ofServers.some((message) => message.includes(sign));
  const ofNodes = Object.values(nodes.value).flatMap(({ id, title }) =>
    (problemsByNode.value[id] ?? [])
      .filter(isNew)
      .map((problem): Shown => ({ ...problem, of: title, opens: problem.opens ?? { kind: 'node', id } })),
  );
  const drift: Selection = { kind: 'drift', id: 'drift' };
  const ofStack = (header.value?.problems ?? []).map((problem): Shown => ({ ...problem, of: 'Stack', opens: drift }));
  const all = [...ofNodes, ...ofStack];
  return [...all.filter(({ state }) => state === 'wrong'), ...all.filter(({ state }) => state === 'notice')];
});

/** What the whole page says in a few words. */
export const summary = computed<{ readonly state: NodeState; readonly word: string }>(() => {
  if (header.value === undefined) return { state: 'unknown', word: 'waiting for the first look' };
  if (connection.value.state === 'lost') return { state: 'unknown', word: 'not live' };
  if (!header.value.engine.isReachable) return { state: 'unknown', word: 'engine not reachable' };
  const wrong = problems.value.filter(({ state }) => state === 'wrong').length;
  const isCurrent = partsState(alertParts.value).why === undefined;
  const firing = isCurrent
    ? Object.values(alerts.value).filter((alert) => alertState(alert).state === 'wrong').length
    : 0;
  const words = [
    ...(wrong > 0 ? [plural(wrong, 'problem')] : []),
    ...(firing > 0 ? [plural(firing, 'alert firing', 'alerts firing')] : []),
  ];
  if (words.length > 0) return { state: 'wrong', word: words.join(', ') };
  const { readAt, why } = partsState(partNames);
  if (readAt === undefined) return { state: 'unknown', word: 'looking' };
  const isKnown = why === undefined && Object.values(nodes.value).every(({ state }) => state !== 'unknown');
  if (!isKnown) return { state: 'unknown', word: 'not all is known' };
  const notices = problems.value.length;
  return notices > 0 ? { state: 'notice', word: plural(notices, 'notice') } : { state: 'ok', word: 'all is well' };
});

/** The parts that are not current, by the reason; the banner says it of all when the engine is away. */
const notCurrent = computed<readonly { readonly why: string; readonly names: readonly PartName[] }[]>(() => {
  if (header.value?.engine.isReachable !== true) return [];
  const { parts } = header.value;
  const names = partNames.filter(
    (name) => parts[name].why !== undefined && (name !== 'drift' || parts.status.why === undefined),
  );
  const reasons = [...new Set(names.map((name) => parts[name].why ?? ''))];
  return reasons.map((why) => ({ why, names: names.filter((name) => parts[name].why === why) }));
});

/** What is wrong, where, and what to do. */
export function Problems() {
  const stale = notCurrent.value;
  if (problems.value.length === 0 && stale.length === 0) return null;
  return (
    <section class="problems" aria-labelledby="problems-title">
      <h2 id="problems-title">
        Problems and notices <span class="dim">{problems.value.length}</span>
      </h2>
      <ul>
        {problems.value.map(({ of, message, tryThis, state, opens }) => (
          <li key={`${of} ${message}`}>
            <button type="button" class="problem" onClick={() => open(opens)}>
              <Mark state={state} />
              <span class="hidden">{state}: </span>
              <span class="of">
                <Brief text={of} />
              </span>
              <span class="message">
                <Brief text={message} />
              </span>
              {tryThis !== undefined && (
                <span class="try">
                  <Brief text={tryThis} />
                </span>
              )}
            </button>
          </li>
        ))}
        {stale.map(({ why, names }) => (
          <li key={why} class="problem">
            <Mark state="unknown" />
            <span class="of">not current</span>
            <span class="message">
              <Brief text={`${names.join(', ')}: ${why}`} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
