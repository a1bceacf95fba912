import { Gauge, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { type BatchOptions, withPush } from '../../../../scripts/servers/pushgateway/pusher.ts';
import { parseExposition } from '../../../../stack/exposition/parse-exposition.ts';
import { type Received, scriptedGateway } from '../../../support/scripted-gateway.ts';

const ok = { status: 200 } as const;

describe('withPush', () => {
  test('must push a success, with its times and the gauges of the job', async () => {
    await using server = await scriptedGateway(ok, ok);
    const registry = new Registry();
    new Gauge({ name: 'of_registry', help: 'x', registers: [registry] }).set(7);
    const result = await withPush(optionsFor(server.url, { registry }), async (batch) => {
      batch.set('rows_copied', 42, 'Rows copied by the last run.');
      return 'done';
    });
    expect(result).toBe('done');
    expect(server.received.map(({ method, path }) => `${method} ${path}`)).toEqual(
      Array(2).fill('POST /metrics/job/backup'),
    );
    expect(valuesOf(server.received[0])).toEqual({
      rows_copied: 42,
      batch_job_success: 1,
      batch_job_duration_seconds: 90,
      batch_job_last_run_timestamp_seconds: 1_090,
      batch_job_last_success_timestamp_seconds: 1_090,
    });
    expect(valuesOf(server.received[1])).toEqual({ of_registry: 7 });
  });

  test('must close its connection', async () => {
    await using server = await scriptedGateway(ok);
    await withPush(optionsFor(server.url), () => {});
    await expect.poll(() => server.connections()).toBe(0);
  });

  test("must push a failure, keep the last success, and throw the job's error", async () => {
    await using server = await scriptedGateway(ok);
    const failure = new Error('disk full');
    const run = withPush(optionsFor(server.url), () => {
      throw failure;
    });
    await expect(run).rejects.toBe(failure);
    expect(valuesOf(server.received[0])).toEqual({
      batch_job_success: 0,
      batch_job_duration_seconds: 90,
      batch_job_last_run_timestamp_seconds: 1_090,
    });
  });

  test('must not let a failed push hide the result or the error', async () => {
    await using server = await scriptedGateway({ status: 400, body: 'no' }, { status: 400, body: 'no' });
    const errors: unknown[] = [];
    const options = optionsFor(server.url, { onPushError: (error) => errors.push(error) });
    await expect(withPush(options, () => 'result')).resolves.toBe('result');
    const failure = new Error('the job itself');
    await expect(withPush(options, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(errors.map(String)).toEqual([
      expect.stringContaining('answered 400: no'),
      expect.stringContaining('answered 400: no'),
    ]);
  });

  test('must warn of a failed push without a callback', async () => {
    await using server = await scriptedGateway({ status: 400, body: 'no' });
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    await withPush(optionsFor(server.url), () => {});
    await expect(warned).resolves.toMatchObject({
      name: 'PushWarning',
      message: expect.stringContaining('answered 400: no'),
    });
  });
});

/** The clock is at 1000 s when the job begins and at 1090 s when it ends. */
function optionsFor(url: string, more: Partial<BatchOptions> = {}): BatchOptions {
  const times = [1_000_000, 1_090_000];
  const clock = {
    now: () => times.shift() ?? 1_090_000,
    sleep: () => Promise.reject(new Error('there is nothing to wait for')),
  };
  return { url, job: 'backup', clock, ...more };
}

function valuesOf(received: Received | undefined): Record<string, number> {
  const read = parseExposition(received?.body ?? '');
  if (!read.ok) throw new Error(received?.body);
  return Object.fromEntries(read.value.map(({ name, samples }) => [name, samples[0]?.value ?? NaN]));
}
