import Dockerode from 'dockerode';
import { expect, it } from 'vitest';
import { createDockerApi } from '../../../../scripts/engine/docker/api.ts';
import type { Engine } from '../../../../scripts/engine/engine.ts';
import { dockerSwarm } from '../../../../scripts/engine/swarm/docker-swarm.ts';
import { requireManager } from '../../../../scripts/plan/swarm/place.ts';
import { type Answer, fakeDaemon, json } from '../../../support/fake-daemon.ts';

const noLeader = json(500, {
  message:
    "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.",
});

const lostLeader = json(500, { message: 'rpc error: code = DeadlineExceeded desc = context deadline exceeded' });

/** Each answer once, the last one from then on. */
function inTurn(...answers: readonly [Answer, ...Answer[]]): Answer {
  let at = 0;
  return (request, response) => answers[Math.min(at++, answers.length - 1)]?.(request, response);
}

it('must wait while the managers elect a leader', async () => {
  await using daemon = await fakeDaemon({
    'GET /nodes': inTurn(noLeader, noLeader, json(200, [])),
    'DELETE /services/a': inTurn(noLeader, json(200, {})),
  });
  expect(await daemon.engine.swarm.listNodes()).toEqual([]);
  await daemon.engine.swarm.removeService({ id: 'a', name: 'shop-a' });
});

it('must read again when the leader was lost meanwhile, and change nothing twice', async () => {
  await using daemon = await fakeDaemon({
    'GET /nodes': inTurn(lostLeader, json(200, [])),
    'DELETE /services/a': inTurn(lostLeader, json(200, {})),
  });
  expect(await daemon.engine.swarm.listNodes()).toEqual([]);
  await expect(daemon.engine.swarm.removeService({ id: 'a', name: 'shop-a' })).rejects.toMatchObject({
    message: expect.stringContaining('context deadline exceeded'),
  });
});

it('must give up when there is none for long, and say what to do', async () => {
  await using daemon = await fakeDaemon({ 'GET /nodes': noLeader });
  const api = createDockerApi(new Dockerode({ socketPath: daemon.path }), daemon.path);
  await expect(dockerSwarm(api, false, 400).listNodes()).rejects.toMatchObject({
    message: expect.stringContaining('does not have a leader'),
    tryThis: expect.stringMatching(/^most managers are down: start them again/),
  });
});

const infoOf = (swarm: object): Answer => json(200, { Swarm: { NodeID: 'a', LocalNodeState: 'active', ...swarm } });

async function managed(answers: Readonly<Record<string, Answer>>): Promise<string> {
  await using daemon = await fakeDaemon(answers);
  const { swarm, location } = daemon.engine;
  return await requireManager({ swarm, location } as Engine);
}

it('must not take a manager for a worker while there is no leader', async () => {
  const info = infoOf({ ControlAvailable: true, Cluster: null, Error: 'The swarm does not have a leader.' });
  expect(await managed({ 'GET /info': info, 'GET /swarm': inTurn(noLeader, json(200, { ID: 'c' })) })).toBe('c');
});

it('must say how a swarm is unlocked', async () => {
  const info = infoOf({ NodeID: '', LocalNodeState: 'locked', ControlAvailable: false });
  await expect(managed({ 'GET /info': info })).rejects.toThrow(
    /is locked since the engine has started[\s\S]*swarm unlock/,
  );
});
