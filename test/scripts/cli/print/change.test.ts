import { expect, it } from 'vitest';
import { printRemoved, toRemoved } from '../../../../scripts/cli/print/change.ts';
import type { Removal, Step } from '../../../../scripts/plan/plan.ts';

const steps: readonly Step<Removal>[] = [
  { do: 'stopContainer', name: 'shop-sink', container: '1', seconds: 2 },
  { do: 'removeContainer', name: 'shop-sink', container: '1' },
  { do: 'removeContainer', name: 'shop-carrier', container: '2' },
  { do: 'removeNetwork', name: 'shop', network: '3' },
  { do: 'removeVolume', name: 'shop-sink-config' },
].map((step, id) => ({ ...(step as Removal), id, after: [], because: 'the stack goes down' }));
const removed = toRemoved('shop', steps);

it('what was removed must be named by kind', () => {
  expect(removed).toEqual({
    stack: 'shop',
    containers: ['shop-sink', 'shop-carrier'],
    networks: ['shop'],
    volumes: ['shop-sink-config'],
  });
});

it.each<[what: string, got: string, text: string]>([
  ['all', printRemoved(removed, { volumes: true }), 'shop: 2 containers removed, 1 volume deleted\n'],
  ['no volumes', printRemoved(removed, { volumes: false }), 'shop: 2 containers removed, its volumes are kept\n'],
  [
    'only a network',
    printRemoved(toRemoved('shop', steps.slice(3, 4)), { volumes: false }),
    'shop: 0 containers removed, its volumes are kept\n',
  ],
  [
    'nothing',
    printRemoved(toRemoved('shop', []), { volumes: true }),
    'shop: nothing to do, the stack does not exist\n',
  ],
])('a person must read of %s', (_what, got, text) => {
  expect(got).toBe(text);
});
