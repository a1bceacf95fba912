import { expect, it } from 'vitest';
import { toRemoved } from '../../../../scripts/cli/json/change.ts';
import { printRemoved, printStartStop } from '../../../../scripts/cli/print/change.ts';
import type { Removal, Step } from '../../../../scripts/plan/plan.ts';

const steps: readonly Step<Removal>[] = [
  { do: 'stopContainer', name: 'shop-sink', container: '1', seconds: 2 },
  { do: 'removeContainer', name: 'shop-sink', container: '1' },
  { do: 'removeContainer', name: 'shop-carrier', container: '2' },
  { do: 'removeNetwork', name: 'shop', network: '3' },
  { do: 'removeVolume', name: 'shop-sink-config' },
].map((step, id) => ({ ...(step as Removal), id, after: [], because: 'the stack goes down' }));
const removed = toRemoved(steps);

it('removed resources must be listed by kind', () => {
  expect(removed).toEqual({
    containers: ['shop-sink', 'shop-carrier'],
    networks: ['shop'],
    volumes: ['shop-sink-config'],
  });
});

it.each<[what: string, printed: string, expected: string]>([
  ['all', printRemoved('shop', removed, { volumes: true }), 'shop: 1 container removed, 1 volume deleted\n'],
  [
    'no volumes',
    printRemoved('shop', removed, { volumes: false }),
    'shop: 1 container removed, its volumes are kept\n',
  ],
  [
    'only a network',
    printRemoved('shop', toRemoved(steps.slice(3, 4)), { volumes: false }),
    'shop: 0 containers removed, its volumes are kept\n',
  ],
  [
    'nothing',
    printRemoved('shop', toRemoved([]), { volumes: true }),
    'shop: nothing to do, the stack does not exist\n',
  ],
  [
    'a stack of which only a network is left, which others use',
    printRemoved('shop', toRemoved([]), { volumes: true, isStopped: true }),
    'shop: already stopped\n',
  ],
  [
    'a stack that is stopped',
    printRemoved('shop', toRemoved([]), { volumes: false, kept: true }),
    'shop: already stopped; its volumes are kept; `promstack down --volumes` deletes them\n',
  ],
  [
    'a stack that is stopped, by its name',
    printRemoved('shop', toRemoved([]), { volumes: false, kept: true, stackName: 'shop' }),
    'shop: already stopped; its volumes are kept; `promstack -p shop down --volumes` deletes them\n',
  ],
  [
    'services that were stopped',
    printStartStop('shop', [
      { service: 'prometheus', action: 'stop', url: undefined },
      { service: 'sink', action: 'none', url: undefined },
    ]),
    'shop: 1 stopped, 1 unchanged\n  prometheus  stopped\n  sink        unchanged\n',
  ],
  [
    'services of which one was not running',
    printStartStop('shop', [
      { service: 'prometheus', action: 'restart', url: 'http://127.0.0.1:9090' },
      { service: 'sink', action: 'start', url: 'http://127.0.0.1:8080' },
    ]),
    'shop: 1 started, 1 restarted\n  prometheus  restarted  http://127.0.0.1:9090\n  sink        started    http://127.0.0.1:8080\n',
  ],
  [
    'services that all run',
    printStartStop('shop', [{ service: 'sink', action: 'none', url: 'http://127.0.0.1:8080' }]),
    'shop: nothing to do, 1 service unchanged\n  sink  unchanged  http://127.0.0.1:8080\n',
  ],
])('the text for %s must be printed', (_what, printed, expected) => {
  expect(printed).toBe(expected);
});
