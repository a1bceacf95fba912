import { expect, test } from 'vitest';
import { EngineError } from '../../../scripts/engine/engine.ts';
import type { Event } from '../../../scripts/util/event.ts';
import { sweepGroups } from '../../../scripts/watch/sweep.ts';
import { stackSchema } from '../../../stack/config.ts';
import { fakeEngine } from '../../support/engine.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { gatewayContainer } from '../../support/gateway-container.ts';
import { type Reply, type ScriptedGateway, scriptedGateway } from '../../support/scripted-gateway.ts';

const nothing: Reply = { status: 200, body: '{"status":"success","data":[]}' };

test('a sweep must close its connection', async () => {
  await using server = await scriptedGateway(nothing, nothing, nothing);
  expect(await sweep(server, { times: 3, state: 'running' })).toEqual([]);
  expect(server.received).toHaveLength(3);
  await expect.poll(() => server.connections()).toBe(0);
});

test("a sweep must not touch another stack's Pushgateway, even at the same port", async () => {
  await using server = await scriptedGateway();
  expect(await sweep(server, { times: 3, state: 'exited' })).toEqual([
    { kind: 'warning', text: 'expired groups of the Pushgateway could not be deleted: its container is stopped' },
  ]);
  expect(server.received).toEqual([]);
});

test('a sweep must be retried while the engine is unreachable', async () => {
  await using server = await scriptedGateway();
  expect(await sweep(server, { times: 3, state: 'away' })).toEqual([
    { kind: 'warning', text: 'expired groups of the Pushgateway could not be deleted: connection refused' },
  ]);
});

/** Sweeps a number of times; returns the reports. */
async function sweep(
  server: ScriptedGateway,
  { times, state }: { times: number; state: 'running' | 'exited' | 'away' },
): Promise<readonly Event[]> {
  const port = Number(new URL(server.url).port);
  const config = stackSchema.parse({ pushgateway: { port, ttl: '1m' } });
  const stopping = new AbortController();
  const reports: Event[] = [];
  let looks = 0;
  await sweepGroups({
    engine: fakeEngine({
      location: { address: 'unix:///run/docker.sock', host: '127.0.0.1', isLocal: true },
      listContainers: async () => {
        if (state !== 'away') return [gatewayContainer({ port, state })];
        throw new EngineError({ code: 'unreachable', doing: 'listing containers', message: 'connection refused' });
      },
    }),
    config: () => {
      looks += 1;
      if (looks > times) stopping.abort();
      return looks > times ? undefined : config;
    },
    clock: fakeClock(),
    report: (event) => reports.push(event),
    signal: stopping.signal,
  });
  return reports;
}
