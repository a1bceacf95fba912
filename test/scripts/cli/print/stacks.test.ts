import { expect, test } from 'vitest';
import { printStacks } from '../../../../scripts/cli/print/stacks.ts';
import { coloursFor } from '../../../../scripts/cli/terminal-output.ts';
import type { ContainerState } from '../../../../scripts/engine/engine.ts';
import { isRunning, listStacks } from '../../../../scripts/inspect/stacks.ts';
import { originLabels } from '../../../../scripts/state/origin.ts';
import { serviceContainer } from '../../../support/service-container.ts';
import { taskOf } from '../../../support/swarm-states.ts';

const colours = coloursFor({ isTerminal: false, env: {}, noColourFlag: true });

/** A container of a stack. */
function of(stack: string, service: string, state: ContainerState, labels: Readonly<Record<string, string>> = {}) {
  const name = `${stack}-${service}`;
  return serviceContainer(service, { name, state, labels: { 'dev.promstack.stack': stack, ...labels } });
}

const noSwarm = {
  membership: async () => ({ isManager: false }),
  listServices: async () => [],
  listTasks: async () => [],
};

test('stacks must be listed with their states, where they are managed from, and what is left of them', async () => {
  const here = originLabels({ host: 'build1', folder: '/srv/shop', file: 'stack.yml' });
  const elsewhere = originLabels({ host: 'laptop', folder: '/home/ann', file: 'mon.yml' });
  const stacks = await listStacks({
    swarm: noSwarm,
    listContainers: async () => [
      of('shop', 'sink', 'running', here),
      of('shop', 'prometheus', 'exited', here),
      of('shop', 'alertmanager', 'running', here),
      of('shop', 'grafana', 'restarting', here),
      of('lab', 'prometheus', 'exited'),
      // Neither a check nor a container of another name is a service of the stack.
      of('lab', 'sink', 'running', { 'dev.promstack.role': 'check' }),
      serviceContainer('sink', { name: 'copy', labels: { 'dev.promstack.stack': 'lab' } }),
    ],
    listVolumes: async () => [
      { name: 'old-prometheus-data', labels: { 'dev.promstack.stack': 'old', ...elsewhere } },
      { name: 'old-prometheus-config', labels: { 'dev.promstack.stack': 'old', ...elsewhere } },
      { name: 'gone-lock', labels: { 'dev.promstack.stack': 'gone', 'dev.promstack.role': 'lock' } },
    ],
  });
  expect(printStacks(stacks, { colours, host: 'build1' })).toMatchInlineSnapshot(`
    "NAME  STATUS                                CONFIG FILE
    lab   exited(1)
    old   no containers, 2 volumes              laptop:/home/ann/mon.yml
    shop  exited(1), restarting(1), running(2)  /srv/shop/stack.yml
    "
  `);
  expect(stacks.filter(isRunning).map(({ name }) => name)).toEqual(['shop']);
});

test.each([
  ['running', true],
  ['restarting', true],
  ['paused', true],
  ['exited', false],
  ['created', false],
  ['dead', false],
] as const)('a stack of one container that is %s: does it run? %s', (state, expected) => {
  expect(
    isRunning({ name: 'x', services: [{ service: 'sink', state }], volumes: [], origin: undefined, target: 'engine' }),
  ).toBe(expected);
});

const labelled = (stack: string, service: string) => ({
  ...{ 'dev.promstack.stack': stack, 'dev.promstack.service': service },
  ...originLabels({ host: 'laptop', folder: '/home/ann', file: 'stack.yml' }),
});

test('on a manager, the stacks of the swarm must be listed with the tasks that are to run', async () => {
  const serviceOf = (name: string) => {
    return {
      id: `id-of-shop-${name}`,
      name: `shop-${name}`,
      version: 1,
      labels: labelled('shop', name),
      mounted: [],
      state: {},
    };
  };
  const stacks = await listStacks({
    listContainers: async () => [],
    listVolumes: async () => [{ name: 'shop-prometheus-data', labels: { 'dev.promstack.stack': 'shop' } }],
    swarm: {
      membership: async () => ({ node: 'a', isManager: true, cluster: 'one' }),
      listServices: async () => [serviceOf('prometheus'), serviceOf('pushgateway')],
      listTasks: async () => [
        taskOf('shop', 'prometheus', 'new', { slot: 1, node: 'a' }),
        taskOf('shop', 'prometheus', 'new', { slot: 2, node: 'b' }),
        taskOf('shop', 'prometheus', 'old', { slot: 2, node: 'b', state: 'shutdown', desired: 'shutdown' }),
        taskOf('shop', 'pushgateway', 'new', { slot: 1, node: undefined, state: 'pending' }),
      ],
    },
  });
  expect(printStacks(stacks, { colours, host: 'build1' })).toMatchInlineSnapshot(`
    "NAME  STATUS                               CONFIG FILE
    shop  created(1), running(2) on the swarm  laptop:/home/ann/stack.yml
    "
  `);
  expect(stacks.filter(isRunning)).toHaveLength(1);
});

test('on a worker, a stack must be listed with the tasks of its node, and not as one that is stopped', async () => {
  const labels = { 'dev.promstack.swarm.stack': 'shop', 'dev.promstack.swarm.service': 'prometheus' };
  const task = serviceContainer('prometheus', { name: 'shop-prometheus.1.abc', state: 'running', labels });
  const stacks = await listStacks({
    listContainers: async (wanted) => (Object.keys(wanted)[0] === 'dev.promstack.stack' ? [] : [task]),
    listVolumes: async () => [{ name: 'shop-prometheus-data', labels: { 'dev.promstack.stack': 'shop' } }],
    swarm: { ...noSwarm, membership: async () => ({ node: 'a', isManager: false }) },
  });
  expect(printStacks(stacks, { colours, host: 'build1' })).toMatchInlineSnapshot(`
    "NAME  STATUS                   CONFIG FILE
    shop  running(1) on the swarm
    "
  `);
});
