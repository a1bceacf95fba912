import { Agent } from 'node:http';
import { Counter, Gauge, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { createPusher, type PusherOptions } from '../../../../scripts/servers/pushgateway/pusher.ts';
import type { Clock } from '../../../../scripts/util/clock.ts';
import { InputError, StackError } from '../../../../scripts/util/stack-error.ts';
import { type Reply, scriptedGateway } from '../../../support/scripted-gateway.ts';
import { freePorts } from '../../../support/stack-folder.ts';

const ok: Reply = { status: 200 };

describe('a pusher', () => {
  test('must send the registry to its group', async () => {
    await using server = await scriptedGateway(ok, ok, { status: 202 });
    const registry = new Registry();
    new Gauge({ name: 'raid_status', help: 'ok', labelNames: ['array'], registers: [registry] }).set(
      { array: 'md0' },
      1,
    );
    const pusher = pusherFor(server.url, { registry, grouping: { instance: 'a/b', env: '' } });
    await pusher.pushAdd();
    await pusher.push();
    await pusher.delete();
    const path = '/metrics/job/test/instance@base64/YS9i/env@base64/=';
    expect(server.received.map(({ method, path: to }) => `${method} ${to}`)).toEqual([
      `POST ${path}`,
      `PUT ${path}`,
      `DELETE ${path}`,
    ]);
    expect(server.received[0]).toMatchObject({
      body: '# HELP raid_status ok\n# TYPE raid_status gauge\nraid_status{array="md0"} 1\n',
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    });
  });

  test('must push nothing to a Pushgateway that would store its labels under other names', async () => {
    await using server = await scriptedGateway({ status: 200, body: '{}' });
    await expect(pusherFor(server.url, { grouping: { 'a-b': 'c' } }).push('m 1')).rejects.toMatchObject({
      why: 'this Pushgateway does not accept the label name "a-b" in a group',
    });
    expect(server.received.map(({ method }) => method)).toEqual(['GET']);
  });

  test('must wait for a response even if the timeout exceeds that of a timer', async () => {
    await using server = await scriptedGateway(ok);
    await pusherFor(server.url, { timeoutMs: 30 * 86_400_000 }).push('m 1');
    expect(server.received).toHaveLength(1);
  });

  test('must compress a large body but not a small one', async () => {
    await using server = await scriptedGateway(ok, ok);
    const pusher = pusherFor(server.url);
    const large = Array.from({ length: 2_000 }, (_, at) => `m{at="${at}"} ${at}\n`).join('');
    await pusher.push('m 1');
    await pusher.push(large);
    expect(server.received.map(({ headers }) => headers['content-encoding'])).toEqual([undefined, 'gzip']);
    expect(server.received.map(({ body }) => body)).toEqual(['m 1\n', large]);
    expect(Number(server.received[1]?.headers['content-length'] ?? 0)).toBeLessThan(large.length / 3);
  });

  test('must retry after a status of 500 or above and after a broken connection, with increasing waits', async () => {
    await using server = await scriptedGateway('drop', { status: 503 }, { status: 500 }, ok);
    const waits: number[] = [];
    const retried: string[] = [];
    const pusher = pusherFor(server.url, {
      clock: noWaiting(waits),
      random: () => 0,
      onRetry: ({ why }) => retried.push(why),
    });
    await pusher.pushAdd('m 1');
    expect(server.received.map(({ body }) => body)).toEqual(['m 1\n', 'm 1\n', 'm 1\n', 'm 1\n']);
    expect(waits).toEqual([250, 500, 1_000]);
    expect(retried).toEqual([
      `${server.url}: socket hang up`,
      `${server.url} answered 503`,
      `${server.url} answered 500`,
    ]);
  });

  test('must not fail for a connection that became stale between two pushes', async () => {
    await using server = await scriptedGateway(ok, 'drop', ok);
    const pusher = pusherFor(server.url, { retries: 0 });
    await pusher.pushAdd('m 1');
    await pusher.pushAdd('m 2');
    expect(server.received.map(({ body }) => body)).toEqual(['m 1\n', 'm 2\n', 'm 2\n']);
  });

  test('must keep its connection for the next push, and close it when disposed', async () => {
    await using server = await scriptedGateway(ok, ok);
    {
      await using pusher = pusherFor(server.url);
      await pusher.pushAdd('m 1');
      await pusher.pushAdd('m 2');
      expect(await server.connections()).toBe(1);
    }
    await expect.poll(() => server.connections()).toBe(0);
  });

  test('must not close the connections of a given agent', async () => {
    await using server = await scriptedGateway(ok, ok);
    const agent = new Agent({ keepAlive: true });
    for (const text of ['m 1', 'm 2']) {
      await using pusher = pusherFor(server.url, { agent });
      await pusher.pushAdd(text);
    }
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
    agent.destroy();
  });

  test('must reduce each wait randomly, by at most a half', async () => {
    await using server = await scriptedGateway({ status: 500 }, { status: 500 }, ok);
    const waits: number[] = [];
    const random = [0.5, 0.999];
    await pusherFor(server.url, { clock: noWaiting(waits), random: () => random.shift() ?? 0 }).pushAdd('m 1');
    expect(waits).toEqual([188, 250]);
  });

  test('must give up after its retries with the last reason', async () => {
    await using server = await scriptedGateway(
      { status: 503 },
      { status: 503 },
      { status: 502, body: 'bad gateway\n' },
    );
    const pusher = pusherFor(server.url, { retries: 2 });
    await expect(pusher.pushAdd('m 1')).rejects.toMatchObject({
      doing: 'pushing to {job="test"}',
      why: `${server.url} answered 502: bad gateway`,
      tryThis: '`promstack logs pushgateway`, or the log of the proxy in front of it',
    });
  });

  test('must not retry what would fail again', async () => {
    await using server = await scriptedGateway(
      { status: 400, body: 'text format parsing error in line 1: no\n' },
      'hang',
    );
    const pusher = pusherFor(server.url, { timeoutMs: 1_000 });
    await expect(pusher.pushAdd('m')).rejects.toThrow(
      `${server.url} answered 400: text format parsing error in line 1: no`,
    );
    await expect(pusher.pushAdd('m 1')).rejects.toThrow(`${server.url}: no answer within 1 s`);
    expect(server.received).toHaveLength(2);
  });

  test('must stop when aborted, in a request and in a wait', async () => {
    await using server = await scriptedGateway('hang', { status: 500 });
    const inRequest = new AbortController();
    const first = pusherFor(server.url).pushAdd('m 1', { signal: inRequest.signal });
    await expect.poll(() => server.received).toHaveLength(1);
    inRequest.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    const inWait = new AbortController();
    const clock: Clock = {
      now: Date.now,
      sleep: async (_ms, signal) => {
        inWait.abort(new Error('enough again'));
        signal?.throwIfAborted();
      },
    };
    await expect(pusherFor(server.url, { clock }).pushAdd('m 1', { signal: inWait.signal })).rejects.toThrow(
      'enough again',
    );
  });

  test('must say what to do when nothing listens', async () => {
    const [port] = await freePorts(1);
    const refusal = pusherFor(`http://127.0.0.1:${port}`, { retries: 0 }).pushAdd('m 1');
    await expect(refusal).rejects.toBeInstanceOf(StackError);
    await expect(refusal).rejects.toMatchObject({
      why: `http://127.0.0.1:${port}: connection refused`,
      tryThis: 'is the stack up? `promstack up` starts it',
    });
  });

  test.each([
    [{ status: 413, body: 'too large' }, 'push less at once, in several groups: a proxy limits the size of a push'],
    [
      { status: 404, body: '404 page not found' },
      'is it a Pushgateway, and is its path prefix (--web.route-prefix) part of the URL?',
    ],
    [{ status: 401, body: '' }, 'put credentials that it accepts in the URL: --url https://USER:PASSWORD@HOST'],
    [{ status: 301, location: '/elsewhere' }, 'use that URL'],
    [
      { status: 400, body: '* collected metric "push_time_seconds" … was collected before' },
      'two groups differ only in an empty label, which blocks every push: `promstack groups` lists them',
    ],
  ] as const)('must say what to do about %j', async (reply, tryThis) => {
    await using server = await scriptedGateway(reply);
    await expect(pusherFor(server.url).pushAdd('m 1')).rejects.toMatchObject({ tryThis });
  });

  test('must send credentials as a header and never print them', async () => {
    await using server = await scriptedGateway({ status: 401, body: 'who are you' });
    const url = server.url.replace('http://', 'http://user:pass%20word@');
    const refusal = pusherFor(url)
      .pushAdd('m 1')
      .catch((error: unknown) => error);
    expect(String(await refusal)).not.toContain('pass');
    expect(server.received[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:pass word').toString('base64')}`);
  });

  test('must reject an invalid target immediately', () => {
    expect(() => pusherFor('ftp://host')).toThrow(InputError);
    expect(() => pusherFor('http://host:9091/metrics/job/x')).toThrow('the URL must be that of the Pushgateway itself');
    expect(() => pusherFor('http://host', { grouping: { job: 'b' } })).toThrow(InputError);
    expect(() => pusherFor('http://host', { job: '' })).toThrow('the job has no name');
  });

  test('must reject a registry that writes OpenMetrics', async () => {
    const registry = new Registry<'application/openmetrics-text; version=1.0.0; charset=utf-8'>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    new Counter({ name: 'c', help: 'c', registers: [registry] });
    await expect(pusherFor('http://host', { registry }).push()).rejects.toThrow('the registry writes OpenMetrics');
    await expect(pusherFor('http://host').push()).rejects.toThrow('there is nothing to push');
  });
});

function pusherFor(url: string, options: Partial<PusherOptions> = {}) {
  return createPusher({ url, job: 'test', clock: noWaiting([]), ...options });
}

/** A clock whose waits end immediately. */
function noWaiting(waits: number[]): Clock {
  return {
    now: Date.now,
    sleep: async (ms) => {
      waits.push(ms);
    },
  };
}
