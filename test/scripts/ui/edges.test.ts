import { expect, it } from 'vitest';
import { Edges } from '../../../scripts/ui/edges.ts';
import type { NodeId } from '../../../scripts/ui/page-state.ts';

const nodes = new Set<NodeId>(['sources', 'pushgateway', 'alertmanager', 'receivers']);

it('the rates of edges must come from counters, and be unknown after a restart or a failure', () => {
  const edges = new Edges();
  const rates = () => edges.items(nodes).map(({ rate, failedRate }) => [rate, failedRate]);
  edges.count('sources>pushgateway', { value: 10, failed: 1 }, 1_000);
  edges.count('alertmanager>receivers', { value: 3 }, 1_000);
  expect(rates()).toEqual([
    [undefined, undefined],
    [undefined, undefined],
  ]);
  edges.count('sources>pushgateway', { value: 16, failed: 2 }, 3_000);
  edges.count('alertmanager>receivers', { value: 4 }, 3_000);
  // Notifications are a minute, pushes a second.
  expect(rates()).toEqual([
    [3, 0.5],
    [30, undefined],
  ]);
  edges.record(3_000);
  edges.count('sources>pushgateway', { value: 2, failed: 0 }, 4_000);
  edges.forget(['alertmanager>receivers']);
  expect(rates()).toEqual([
    [undefined, undefined],
    [undefined, undefined],
  ]);
  edges.record(4_000);
  expect(edges.history['sources>pushgateway']).toEqual({ at: [3_000, 4_000], rate: [3, null] });
  for (let second = 5; second < 1_000; second += 1) edges.record(second * 1_000);
  expect(edges.history['sources>pushgateway']?.at).toHaveLength(300);
});

it('an edge must only be there with both of its nodes', () => {
  expect(new Edges().items(new Set<NodeId>(['pushgateway', 'prometheus'])).map(({ id }) => id)).toEqual([
    'pushgateway>prometheus',
  ]);
});
