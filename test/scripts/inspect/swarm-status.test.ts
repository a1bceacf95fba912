import { expect, it } from 'vitest';
import type { Engine } from '../../../scripts/engine/engine.ts';
import { EngineError } from '../../../scripts/engine/engine-error.ts';
import { stackLabel } from '../../../scripts/engine/labels.ts';
import { takeSwarmStatus } from '../../../scripts/inspect/swarm-status.ts';
import { renderCase } from '../../golden/golden.ts';
import { fakeEngine } from '../../support/engine.ts';
import { flyingClock } from '../../support/flying-clock.ts';
import { network } from '../../support/states.ts';
import { goldenTarget, nothingOn, runningAs, threeNodes } from '../../support/swarm-states.ts';

const location = { address: 'unix:///var/run/docker.sock', host: '127.0.0.1', isLocal: true };

async function statusWith(calls: Partial<Engine>, observe: typeof runningAs = runningAs) {
  const target = await goldenTarget();
  const { config } = await renderCase('swarm');
  const overlay = {
    ...network(target.stack),
    labels: { [stackLabel]: target.stack },
    driver: 'overlay',
    isOfSwarm: true,
  };
  const engine = fakeEngine({ location, listNetworks: async () => [overlay], ...calls });
  const { signal } = new AbortController();
  return takeSwarmStatus({ engine, config, target, observed: observe(target), clock: flyingClock(), signal });
}

it('must say once that this manager has no image to ask the tasks with, and blame no task', async () => {
  const { problems, services, isRight } = await statusWith({
    findImage: async () => undefined,
    pullImage: async () => {
      throw new EngineError({ code: 'refused', doing: 'pulling', message: 'no such host' });
    },
  });
  expect(isRight).toBe(false);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({
    tone: 'wrong',
    service: 'tasks',
    message: expect.stringContaining('has no image of the stack, and pulling prom/prometheus:tag failed: no such host'),
    tryThis: expect.stringContaining('docker pull prom/prometheus:tag there'),
  });
  expect(new Set(services.map(({ state }) => state))).toEqual(new Set(['running']));
  expect(services.some(({ isReady }) => isReady)).toBe(false);
});

it('must need no image when nothing runs', async () => {
  const { problems } = await statusWith({}, () => nothingOn(threeNodes));
  expect(problems.map(({ service }) => service)).not.toContain('tasks');
});
