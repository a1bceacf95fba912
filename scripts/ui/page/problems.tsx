import { computed } from '@preact/signals';
import type { NodeId, NodeState, PageProblem } from '../page-state.ts';
import { plural } from './format.ts';
import { alertState } from './panels.tsx';
import { alerts, groups, header, nodes, open, receivers, rules, type Selection, targets } from './store.ts';
import { Brief, labelsText, Mark } from './texts.tsx';

interface Shown extends PageProblem {
  /** The title of a node, or the stack. */
  readonly of: string;
  readonly opens: Selection;
}

/** A problem of an item of a list. */
interface ItemProblem extends PageProblem {
  /** What a problem of a server says when it is the same one. */
  readonly sign?: string;
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
    sources: ofList(groups.value, ({ job, labels }) => ({
      message: `the last push of ${labelsText({ job, ...labels })} was refused`,
      tryThis: 'promstack push --check FILE says why',
      sign: `of job ${job} `,
    })),
    targets: ofList(targets.value, ({ job, instance, url, error }) => ({
      message: `${job} ${instance}: ${error ?? 'down'}`,
      tryThis: 'check that it runs, and that its address answers from the container of Prometheus',
      sign: url,
    })),
    rules: ofList(rules.value, ({ name, error }) => ({
      message: `${name}: ${error ?? 'its evaluation fails'}`,
      tryThis: 'open the rule for its expression',
      sign: `rule ${name} `,
    })),
    receivers: ofList(receivers.value, ({ name, notifications }) => ({
      message: `${name}: ${notifications.find(({ outcome }) => outcome === 'failed')?.text ?? 'notifications fail'}`,
      tryThis: `promstack verify --receiver ${name}`,
    })),
  };
  return Object.fromEntries(
    Object.values(nodes.value).map(({ id, problems }) => [id, [...problems, ...(lists[id] ?? [])]]),
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
      .map((problem): Shown => ({ ...problem, of: title, opens: { kind: 'node', id } })),
  );
  const drift: Selection = { kind: 'drift', id: 'drift' };
  const ofStack = (header.value?.problems ?? []).map(
    (problem): Shown => ({ ...problem, of: header.value?.stack ?? 'stack', opens: drift }),
  );
  const all = [...ofNodes, ...ofStack];
  return [...all.filter(({ state }) => state === 'wrong'), ...all.filter(({ state }) => state === 'notice')];
});

/** What the whole page says in a few words. */
export const summary = computed<{ readonly state: NodeState; readonly word: string }>(() => {
  if (header.value === undefined) return { state: 'unknown', word: 'waiting for the first look' };
  if (!header.value.engine.isReachable) return { state: 'unknown', word: 'engine not reachable' };
  const wrong = problems.value.filter(({ state }) => state === 'wrong').length;
  const firing = Object.values(alerts.value).filter((alert) => alertState(alert).state === 'wrong').length;
  const words = [
    ...(wrong > 0 ? [plural(wrong, 'problem')] : []),
    ...(firing > 0 ? [plural(firing, 'alert firing', 'alerts firing')] : []),
  ];
  if (words.length > 0) return { state: 'wrong', word: words.join(', ') };
  const notices = problems.value.length;
  if (notices > 0) return { state: 'notice', word: plural(notices, 'notice') };
  const isKnown = Object.values(nodes.value).every(({ state }) => state !== 'unknown');
  return isKnown ? { state: 'ok', word: 'all is well' } : { state: 'unknown', word: 'looking' };
});

/** What is wrong, where, and what to do. */
export function Problems() {
  const stale = header.value?.stale ?? [];
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
        {stale.map((text) => (
          <li key={text} class="problem">
            <Mark state="unknown" />
            <span class="of">not current</span>
            <span class="message">
              <Brief text={text} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
