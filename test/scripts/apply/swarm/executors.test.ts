import { expect, it } from 'vitest';
import { swarmExecutors } from '../../../../scripts/apply/swarm/executors.ts';
import type { Engine } from '../../../../scripts/engine/engine.ts';
import { EngineError } from '../../../../scripts/engine/engine-error.ts';
import { stackLabel } from '../../../../scripts/engine/labels.ts';
import type { Swarm, SwarmService } from '../../../../scripts/engine/swarm/swarm.ts';
import { flyingClock } from '../../../support/flying-clock.ts';
import { goldenTarget, runningAs, threeNodes } from '../../../support/swarm-states.ts';

const outOfSequence = new EngineError({
  code: 'conflict',
  doing: 'updating the service shop-prometheus',
  message: 'rpc error: code = Unknown desc = update out of sequence',
});

/** Runs the step that updates Prometheus; each look shows the next of the services, and the last again. */
async function updatePrometheus(looksOf: (service: SwarmService) => readonly SwarmService[]): Promise<number[]> {
  const target = await goldenTarget();
  const observed = runningAs(target);
  const found = observed.services.get('prometheus');
  if (found === undefined) throw new Error('no Prometheus');
  const looks = looksOf(found.service);
  const versions: number[] = [];
  let looked = 0;
  const swarm: Partial<Swarm> = {
    listServices: async () => looks.slice(Math.min(looked++, looks.length - 1)).slice(0, 1),
    listFiles: async () => observed.files,
    listNodes: async () => threeNodes,
    listTasks: async () => found.tasks,
    updateService: async ({ version }) => {
      versions.push(version);
      if (version !== looks.at(-1)?.version) throw outOfSequence;
    },
  };
  const labels = { [stackLabel]: 'shop' };
  const network = { id: 'id-of-network', name: 'shop', driver: 'overlay', isOfSwarm: true, labels };
  const engine = { swarm, listNetworks: async () => [network] } as unknown as Engine;
  const context = { engine, target, observed, clock: flyingClock(), labels: {}, recreate: false };
  const { updateService } = swarmExecutors(context as unknown as Parameters<typeof swarmExecutors>[0]);
  const tools = { signal: new AbortController().signal, onProgress: () => undefined, note: () => undefined };
  await updateService({ do: 'updateService', service: 'prometheus', id: 1, after: [], because: '' }, tools);
  return versions;
}

it('must update a service again when the swarm has noted the progress of its last update meanwhile', async () => {
  const versions = await updatePrometheus((service) => [service, { ...service, version: 2 }]);
  expect(versions).toEqual([1, 2]);
});

it('must not overwrite what somebody else has changed meanwhile', async () => {
  const updating = updatePrometheus((service) => [
    service,
    { ...service, version: 2, state: { ...service.state, Labels: { by: 'hand' } } },
  ]);
  await expect(updating).rejects.toBe(outOfSequence);
});
