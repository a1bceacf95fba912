import { expect, test } from 'vitest';
import { sweepGroups } from '../../scripts/watch/sweep.ts';
import { stackSchema } from '../../stack/config.ts';
import { type Reply, scriptedGateway } from '../push/scripted-gateway.ts';
import { fakeClock } from '../support/fake-clock.ts';

const nothing: Reply = { status: 200, body: '{"status":"success","data":[]}' };

test('a sweep must leave no connection behind', async () => {
  await using server = await scriptedGateway(nothing, nothing, nothing);
  const config = stackSchema.parse({ pushgateway: { port: Number(new URL(server.url).port), ttl: '1m' } });
  const stopping = new AbortController();
  await sweepGroups({
    config: () => {
      if (server.received.length === 3) stopping.abort();
      return config;
    },
    clock: fakeClock(),
    report: (event) => expect.fail(JSON.stringify(event)),
    signal: stopping.signal,
  });
  expect(server.received).toHaveLength(3);
  await expect.poll(() => server.connections()).toBe(0);
});
