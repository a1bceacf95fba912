import { expect, it } from 'vitest';
import { toServiceState } from '../../../../scripts/engine/swarm/service-spec.ts';
import { toServiceSpec } from '../../../../scripts/plan/swarm/service-spec.ts';
import { goldenTarget, threeNodes } from '../../../support/swarm-states.ts';

/** The request for a service of the golden stack, with as many files as show their form. */
async function stateOf(name: string, golden = 'swarm') {
  const { stack, services } = await goldenTarget(threeNodes, golden);
  const service = services.find((candidate) => candidate.service === name);
  if (service === undefined) throw new Error(`no ${name}`);
  const target = { ...service, files: service.files.slice(0, 1), revision: 'r', digests: {} };
  const { labels: _, ...spec } = toServiceSpec(stack, target);
  const containerLabels = { ...spec.containerLabels, 'dev.promstack.swarm.target': 'HASH' };
  const files = new Map(target.files.map((file) => [file.name, `id of ${file.name}`]));
  const placed = { network: 'NETWORK', networks: new Map([['shop-app', 'APP']]), files, parallelism: 1 };
  return toServiceState({ ...spec, containerLabels, labels: {} }, placed);
}

it.each([
  ['prometheus', 'swarm'],
  ['alertmanager', 'swarm'],
  ['pushgateway', 'swarm'],
  ['node', 'swarm'],
  ['victoriametrics', 'swarm-store'],
  ['prometheus', 'swarm-store'],
])('must ask for %s of the golden stack %s as recorded', async (name, golden) => {
  const text = JSON.stringify(await stateOf(name, golden), undefined, 2).replaceAll(/-[0-9a-f]{12}"/g, '-HASH"');
  await expect(text).toMatchFileSnapshot(
    `service-spec/${name}${golden === 'swarm-store' && name === 'prometheus' ? '-in-networks' : ''}.txt`,
  );
});
