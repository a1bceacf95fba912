import { computed } from '@preact/signals';
import type { NodeId, PageEdge, PageNode } from '../page-state.ts';
import { plural, rateText } from './format.ts';
import { problemsByNode } from './problems.tsx';
import { Sparkline } from './sparkline.tsx';
import { edges, histories, nodes, open, selection, spanSeconds } from './store.ts';
import { Brief, StateWord } from './texts.tsx';

/** The nodes in the direction of the flow; Grafana stands beside them. */
const order: readonly NodeId[] = [
  'sources',
  'pushgateway',
  'targets',
  'prometheus',
  'rules',
  'alertmanager',
  'receivers',
  'grafana',
];

/** What is counted in a node. */
const counted: Readonly<Partial<Record<NodeId, string>>> = {
  sources: 'group',
  targets: 'target',
  rules: 'rule',
  receivers: 'receiver',
};

interface Stage {
  readonly node: PageNode;
  /** What flows between the node before it and this one. */
  readonly edges: readonly PageEdge[];
}

const stages = computed<readonly Stage[]>(() => {
  const present = order.flatMap((id) => nodes.value[id] ?? []);
  return present.map((node, at) => {
    // What leaves a node is drawn after it, although the Pushgateway's series pass Prometheus's other targets by.
    const before = present[at - 1]?.id;
    const own = Object.values(edges.value).filter(({ from, to }) =>
      node.id === 'grafana' || to === 'grafana' ? to === node.id : from === before,
    );
    return { node, edges: own };
  });
});

/** The drawing: each node with the edges that lead to it. */
export function Pipeline() {
  return (
    <section class="pipeline" aria-labelledby="pipeline-title">
      <h2 id="pipeline-title" class="hidden">
        Pipeline
      </h2>
      <ol>
        {stages.value.map(({ node, edges }, at) => (
          <li key={node.id} class={`stage ${node.id}`}>
            {at > 0 && (
              <div class="edges">
                {edges.map((edge) => (
                  <Edge key={edge.id} edge={edge} />
                ))}
                {edges.length === 0 && <div class="edge" aria-hidden="true" />}
              </div>
            )}
            <Node node={node} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Node({ node }: { readonly node: PageNode }) {
  const { id, title, state, word, count } = node;
  const isSelected = selection.value?.kind === 'node' && selection.value.id === id;
  const problems = problemsByNode.value[id] ?? [];
  const first = problems.find((problem) => problem.state === 'wrong') ?? problems[0];
  const noun = counted[id];
  return (
    <button
      type="button"
      class={`node ${state}`}
      aria-current={isSelected ? 'true' : undefined}
      onClick={() => open({ kind: 'node', id })}
    >
      <span class="title">
        <Brief text={title} />
      </span>
      <StateWord state={state} word={word} />
      <span class="count">{count !== undefined && noun !== undefined && plural(count, noun)}</span>
      {first !== undefined && (
        <span class="reason">
          <Brief text={first.message} />
        </span>
      )}
    </button>
  );
}

function Edge({ edge: { id, from, to, unit, rate, failedRate } }: { readonly edge: PageEdge }) {
  const history = histories.value[id];
  const isFailing = (failedRate ?? 0) > 0;
  const [what = unit, per = ''] = unit.split('/');
  return (
    <div class={isFailing ? 'edge failing' : 'edge'}>
      <Sparkline points={history} spanSeconds={spanSeconds} />
      <div class="arrow" aria-hidden="true" />
      <p class="rate">
        <span class="hidden">
          from <Title of={from} /> to <Title of={to} />:{' '}
        </span>
        <b>{rate === undefined ? '–' : rateText(rate)}</b> <span class="unit">{what}</span>
        {per !== '' && (
          <>
            <wbr />
            <span class="unit">/{per}</span>
          </>
        )}
        {isFailing && (
          <>
            {' '}
            <span class="bad">{rateText(failedRate ?? 0)} failed</span>
          </>
        )}
      </p>
    </div>
  );
}

function Title({ of }: { readonly of: NodeId }) {
  return <Brief text={nodes.value[of]?.title ?? of} />;
}
