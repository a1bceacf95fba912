import { expect, it } from 'vitest';
import { findBelongings } from '../../../../scripts/apply/take-down.ts';
import type { StackOrigin } from '../../../../scripts/config/loaded.ts';
import type { ContainerSummary, NetworkSummary } from '../../../../scripts/engine/engine.ts';
import { roleLabel, stackLabel } from '../../../../scripts/engine/labels.ts';
import type { Swarm, SwarmService } from '../../../../scripts/engine/swarm/swarm.ts';
import { observe } from '../../../../scripts/plan/observe.ts';
import { planStack } from '../../../../scripts/plan/plan-stack.ts';
import { observeSwarm } from '../../../../scripts/plan/swarm/observe.ts';
import { checkOwner } from '../../../../scripts/plan/swarm/owner.ts';
import { originLabels } from '../../../../scripts/state/origin.ts';
import { openServiceClient } from '../../../../scripts/state/service-client.ts';
import { stackNetwork } from '../../../../scripts/state/swarm/task-client.ts';
import { renderCase } from '../../../golden/golden.ts';
import { fakeEngine } from '../../../support/engine.ts';
import { stackOf } from '../../../support/memory-stack.ts';
import { network } from '../../../support/states.ts';
import { nothingOn } from '../../../support/swarm-states.ts';

const origin: StackOrigin = { host: 'build1', folder: '/srv/shop', file: 'stack.yml' };

/** A service on the swarm of a stack that is managed from the file. */
const serviceOf = (stack: string, from: StackOrigin = origin): SwarmService => ({
  ...{ id: stack, name: `${stack}-prometheus`, version: 1, mounted: [], state: {} },
  labels: { [stackLabel]: stack, [roleLabel]: 'service', ...originLabels(from) },
});

/** Whether `up` may start the stack shop on a swarm that has these services, with an engine that has these containers. */
function check(
  services: readonly SwarmService[],
  containers: readonly Partial<ContainerSummary>[] = [],
): Promise<void> {
  const swarm = { listServices: async () => services } as Partial<Swarm> as Swarm;
  const engine = fakeEngine({ swarm, listContainers: async () => containers as readonly ContainerSummary[] });
  return checkOwner(engine, nothingOn(), { stack: 'shop', origin });
}

/** The networks of the same name and label that one stack has on the engine, and the other on its swarm. */
const labelled = (name: string): NetworkSummary => ({ ...network(name), labels: { [stackLabel]: name } });
const bridge = labelled('demo');
const overlay: NetworkSummary = { ...labelled('demo'), id: 'overlay', driver: 'overlay', isOfSwarm: true };

it('must refuse a stack whose name was changed, with what to do', async () => {
  await expect(check([serviceOf('old')])).rejects.toMatchObject({
    why: '/srv/shop/stack.yml runs as the stack old: its name was changed, and shop would start beside old, without its data',
    tryThis: expect.stringContaining('promstack down -p old'),
  });
});

it('must take a stack from another file for no former one', async () => {
  await expect(check([])).resolves.toBeUndefined();
  await expect(check([serviceOf('other', { ...origin, folder: '/srv/other' })])).resolves.toBeUndefined();
});

it('must refuse a stack that runs on the engine alone', async () => {
  await expect(check([], [{ name: 'shop-prometheus' }])).rejects.toMatchObject({
    why: 'it runs on this engine alone, and would start a second time, on the swarm, without its data',
    tryThis:
      '`promstack down --target engine` first, which keeps its volumes; or remove `target: swarm` from stack.yml',
  });
});

it('must find only the network of the swarm', async () => {
  const none = async () => [];
  const look = { listNodes: none, listServices: none, listTasks: none, listFiles: none };
  const networkIn = async (networks: readonly NetworkSummary[]) =>
    (await observeSwarm(look, async () => networks, 'demo')).network;
  expect(await networkIn([bridge])).toBeUndefined();
  expect(await networkIn([bridge, overlay])).toBe('overlay');
  const reached = (networks: readonly NetworkSummary[]) => stackNetwork({ listNetworks: async () => networks }, 'demo');
  expect(await reached([bridge])).toBeUndefined();
  expect(await reached([bridge, overlay])).toBe('overlay');
});

it('must find only the network of the engine on one engine, and take down no other', async () => {
  const none = async () => [];
  const engine = fakeEngine({
    kind: 'docker',
    listContainers: none,
    listVolumes: none,
    listNetworks: async () => [overlay],
  });
  const client = openServiceClient(engine);
  const observed = await observe(engine, stackOf('new'), client);
  client.close();
  expect(observed.network).toBeUndefined();
  expect(observed.isOnSwarm).toBe(true);
  expect((await findBelongings(engine, 'demo')).networks).toEqual([]);
});

it('must say in the plan for one engine that the swarm runs the stack', async () => {
  const rendering = await renderCase('minimal');
  const { name } = rendering.config;
  const none = async () => [];
  const engine = fakeEngine({
    kind: 'docker',
    ...{ listContainers: none, listVolumes: none, listImages: none, findImage: async () => undefined },
    listNetworks: async () => [{ ...overlay, name, labels: { [stackLabel]: name } }],
  });
  const { obstacle } = await planStack({ engine, rendering, recreate: false });
  expect(obstacle).toMatchObject({
    why: 'it runs on the swarm of this engine, and would start a second time, on this engine alone, without its data',
    tryThis:
      '`promstack down --target swarm` first, which keeps its volumes; or set `target: swarm` in stack.yml again',
  });
});
