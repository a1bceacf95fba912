import { expect, it } from 'vitest';
import { choosePins, meets, wantedTasks, whyNoNode } from '../../../../scripts/plan/swarm/nodes.ts';
import { renderCase } from '../../../golden/golden.ts';
import { nodeOf, threeNodes } from '../../../support/swarm-states.ts';

it.each([
  ['node.id==id-of-a', true],
  ['node.hostname == A', true],
  ['node.hostname != a', false],
  ['node.role==manager', true],
  ['node.role!=manager', false],
  ['node.platform.os==linux', true],
  ['node.platform.arch == x86_64', true],
  ['node.labels.disk==ssd', true],
  ['node.labels.disk!=hdd', true],
  ['node.labels.zone!=eu', true],
  ['node.labels.zone==eu', false],
  ['engine.labels.gpu==yes', true],
])('must read the constraint %s', (constraint, isMet) => {
  const node = nodeOf('a', { labels: { disk: 'ssd' }, engineLabels: { gpu: 'yes' } });
  expect(meets(node, [constraint])).toBe(isMet);
});

it('must keep services with data on the node that they have, and others on none', async () => {
  const rendering = await renderCase('swarm');
  const pins = choosePins(rendering, threeNodes, new Map([['grafana', 'id-of-b']]));
  expect(Object.fromEntries(pins)).toEqual({ pushgateway: 'id-of-c', grafana: 'id-of-b' });
});

it('must choose a node that is ready, spread, for a service that has none or whose node is gone', async () => {
  const rendering = await renderCase('swarm');
  const nodes = [
    nodeOf('a', { isReady: false }),
    nodeOf('b', { isActive: false }),
    nodeOf('c', { labels: { disk: 'ssd' } }),
    nodeOf('d'),
  ];
  const pins = choosePins(rendering, nodes, new Map([['grafana', 'id-of-gone']]));
  expect(Object.fromEntries(pins)).toEqual({ pushgateway: 'id-of-c', grafana: 'id-of-d' });
});

it('must not move a service while its node is down', async () => {
  const rendering = await renderCase('swarm');
  const nodes = [
    nodeOf('a'),
    nodeOf('c', { labels: { disk: 'ssd' }, isReady: false }),
    nodeOf('e', { labels: { disk: 'ssd' } }),
  ];
  expect(choosePins(rendering, nodes, new Map([['pushgateway', 'id-of-c']])).get('pushgateway')).toBe('id-of-c');
});

it('must expect only the tasks that have a node now', () => {
  const nodes = [...threeNodes.slice(0, 2), nodeOf('c', { isReady: false })];
  expect(wantedTasks({ replicas: 3, constraints: [] }, nodes)).toEqual({ now: 2, all: 3 });
  expect(wantedTasks({ constraints: [] }, nodes)).toEqual({ now: 2, all: 3 });
  expect(wantedTasks({ replicas: 1, constraints: ['node.hostname==c'] }, nodes)).toEqual({ now: 0, all: 1 });
});

it('must say why no node runs a service', () => {
  const nodes = [nodeOf('a', { isActive: false }), nodeOf('b', { isReady: false })];
  expect(whyNoNode(['node.id==id-of-a'], nodes)).toBe('its node a, which has its data, is drained or paused');
  expect(whyNoNode(['node.id==id-of-b'], nodes)).toBe('its node b, which has its data, is down');
  expect(whyNoNode([], nodes)).toBe('none of the nodes that may run it is ready: a, b');
  expect(whyNoNode(['node.labels.disk==ssd'], nodes)).toBe('no node meets node.labels.disk==ssd');
});
