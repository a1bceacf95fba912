import { expect, it } from 'vitest';
import { expectFine } from '../support/revisions.ts';
import { isFull } from '../support/shares.ts';
import { stackFolder } from '../support/stack-folder.ts';

it('a heartbeat must call its URL again and again, through Prometheus and Alertmanager', async ({ skip }) => {
  if (!isFull) skip('only `npm run test:full` runs it');
  await using stack = await stackFolder({
    pushgateway: { enabled: false },
    heartbeat: { url: 'http://sink:8080/cgi-bin/notify', every: '10s' },
  });
  expectFine(await stack.run('up'));
  const calls = async (): Promise<number> =>
    (await stack.run('logs', 'sink')).stdout.split('\n').filter((line) => line.includes('PromstackHeartbeat')).length;
  await expect.poll(calls, { timeout: 90_000, interval: 2_000 }).toBeGreaterThan(2);
  // Nothing is wrong while it fires.
  const { services } = JSON.parse((await stack.run('status', '--json')).stdout);
  expect(JSON.stringify(services)).not.toContain('PromstackHeartbeat');
}, 180_000);
