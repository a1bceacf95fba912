import { expect, it } from 'vitest';
import { checkNodes } from '../../../../scripts/plan/swarm/place.ts';
import { reconcileSwarm } from '../../../../scripts/plan/swarm/reconcile.ts';
import { goldenTarget, nodeOf, runningAs } from '../../../support/swarm-states.ts';

const pausedHolder = [nodeOf('a'), nodeOf('b'), nodeOf('c', { labels: { disk: 'ssd' }, isActive: false })];

/** Checks a change of the Pushgateway, which runs on the node c, or none. */
async function checked(isChanged: boolean): Promise<void> {
  const target = await goldenTarget();
  const running = runningAs(target);
  const [gateway] = running.services.get('pushgateway')?.tasks ?? [];
  if (gateway !== undefined) Object.assign(gateway, { node: 'id-of-c' });
  const observed = { ...running, nodes: pausedHolder };
  const services = target.services.map((service) =>
    isChanged && service.service === 'pushgateway' ? { ...service, digests: { changed: 'by the test' } } : service,
  );
  const wanted = { ...target, services };
  checkNodes(wanted, observed, reconcileSwarm(wanted, observed));
}

it('must refuse to replace the task of a paused node, which would not start again there', async () => {
  await expect(checked(true)).rejects.toThrow(
    /pushgateway runs on c, which is paused: its task would end.*\n {2}try: docker node update --availability active c/,
  );
});

it('must let a task on a paused node run that does not change', async () => {
  await expect(checked(false)).resolves.toBeUndefined();
});
