import { describe, expect, it } from 'vitest';
import { findCanary, type PrometheusAccess } from '../../../scripts/servers/long-term.ts';
import { prometheusDriver } from '../../../scripts/servers/prometheus-driver.ts';
import type { DriverContext } from '../../../scripts/servers/service-driver.ts';
import { stackSchema } from '../../../stack/config.ts';
import { longTermStore, remoteWrites, storeFiles } from '../../../stack/long-term/store.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { prometheus } from '../../../stack/prometheus/service.ts';
import { Secret } from '../../../stack/secret.ts';
import { SteeredTime } from '../../support/steered-time.ts';

const loadedAt = Date.parse('2026-11-29T00:42:00Z');

/** Prometheus's page: its own counters for the store, and those of another remote_write. */
const page = ({ sent = 0, failed = 0, retried = 0, sentAt = 0 } = {}): string =>
  Object.entries({
    samples_total: sent,
    samples_failed_total: failed,
    samples_retried_total: retried,
    queue_highest_sent_timestamp_seconds: sentAt / 1_000,
  })
    .flatMap(([metric, value]) => [
      `prometheus_remote_storage_${metric}{remote_name="other",url="http://other/write"} 99`,
      `prometheus_remote_storage_${metric}{remote_name="long-term",url="http://store/write"} ${value}`,
    ])
    .join('\n');

/** Lines of the log of Prometheus 3.5.3. */
const logOf = (level: string, msg: string, err: string, name = 'long-term'): string =>
  `time=2026-11-29T00:42:10.440Z level=${level} source=queue_manager.go:1668 msg="${msg}" component=remote remote_name=${name} url=http://store/write failedSampleCount=2000 err="${err}"`;
const rejection = (err: string): string => logOf('ERROR', 'non-recoverable error', err);
const retry = (err: string): string => logOf('WARN', 'Failed to send batch, retrying', err);

const unauthorized = 'server returned HTTP status 401 Unauthorized: authentication error: invalid token';
const unknownHost = 'Post \\"http://store/write\\": dial tcp: lookup store on 127.0.0.11:53: no such host';

const remote = { write: 'http://store/write', read: 'http://store' };
const storeOf = (section: object) => {
  const store = longTermStore(stackSchema.parse({ long_term: section }));
  if (store === undefined) throw new Error('the section has a store');
  return store;
};

interface Observation {
  readonly counters?: Parameters<typeof page>[0];
  readonly page?: string;
  readonly log?: readonly string[];
  /** What promtool prints, and whether it fails. */
  readonly answer?: string;
  readonly refusal?: string;
}

function accessTo({ counters, page: whole, log = [], answer, refusal }: Observation): PrometheusAccess {
  return {
    request: async () => ({ status: 200, body: whole ?? page(counters) }),
    query: ({ read }) => {
      if (read === undefined) return undefined;
      if (refusal !== undefined) return Promise.resolve({ exitCode: 1, stdout: '', stderr: `${refusal}\n` });
      if (answer === undefined) throw new Error('the store is not to be asked');
      return Promise.resolve({ exitCode: 0, stdout: answer, stderr: '' });
    },
    lines: async () => log,
    now: () => 1,
  };
}

const series = (at: number, value = '1'): string =>
  JSON.stringify([{ metric: { __name__: 'promstack_revision_info' }, values: [[at / 1_000, value]] }]);

const canary = { metric: 'promstack_revision_info', matcher: 'revision="3f2a"', since: loadedAt };
const sent = { sent: 12, sentAt: loadedAt + 1_000 };

describe('a sample that is sent to the store', () => {
  it.each<[string, Observation, object]>([
    [
      'and read back',
      { counters: sent, answer: series(loadedAt + 500) },
      { kind: 'arrived', isVouchedBySender: false },
    ],
    [
      'while only one from before the change is there',
      { counters: sent, answer: series(loadedAt - 500) },
      {
        kind: 'missing',
        because: 'it has taken 12 samples, but its query API does not return promstack_revision_info{revision="3f2a"}',
      },
    ],
    [
      'while nothing has been sent',
      { counters: { sentAt: loadedAt - 1_000 } },
      { kind: 'missing', isRejected: false, because: 'Prometheus has sent nothing to it yet' },
    ],
    [
      'but is rejected',
      { counters: { sent: 2_000, failed: 2_000 }, log: [rejection(unauthorized)] },
      {
        kind: 'missing',
        isRejected: true,
        because: `it rejected 2000 samples: ${unauthorized}`,
        tryThis: 'check basic_auth, authorization and headers of long_term.remote',
      },
    ],
    [
      'but is rejected without a reason',
      {
        counters: { failed: 1 },
        log: [rejection('server returned HTTP status 401 Unauthorized: \\n')],
      },
      { because: 'it rejected 1 sample: server returned HTTP status 401 Unauthorized' },
    ],
    [
      'but cannot be delivered',
      {
        counters: { retried: 14_000 },
        log: [logOf('ERROR', 'non-recoverable error', 'x', 'other'), retry(unknownHost)],
      },
      {
        kind: 'missing',
        isRejected: false,
        because: 'Prometheus cannot send to it: dial tcp: lookup store on 127.0.0.11:53: no such host',
        tryThis:
          'check the host name in long_term.remote; for a container of another network, add that network to networks',
      },
    ],
    [
      'and was rejected earlier, but is now not delivered',
      { counters: { failed: 5, retried: 9 }, log: [rejection(unauthorized), retry('connection refused')] },
      { kind: 'missing', isRejected: false, because: 'Prometheus cannot send to it: connection refused' },
    ],
    [
      'to a store whose query API refuses',
      { counters: sent, refusal: 'query error: client_error: client error: 401 (detail: authentication error)' },
      {
        kind: 'missing',
        because:
          'it takes samples, but its query API at http://store does not answer: client error: 401 (detail: authentication error)',
        tryThis: 'check basic_auth, authorization and headers of long_term.remote',
      },
    ],
    [
      'to a store whose query API is not there',
      {
        counters: sent,
        refusal: 'query error: Post "http://store/api/v1/query": dial tcp 10.0.0.1:80: connect: connection refused',
      },
      {
        kind: 'missing',
        because:
          'it takes samples, but its query API at http://store does not answer: dial tcp 10.0.0.1:80: connect: connection refused',
      },
    ],
    [
      'by no remote_write of that name',
      { page: 'prometheus_remote_storage_samples_total{remote_name="other"} 1' },
      { kind: 'missing', because: 'prometheus.yml has no remote_write named long-term' },
    ],
  ])('%s', async (_what, observation, expected) => {
    expect(await findCanary(storeOf({ remote }), canary, accessTo(observation))).toMatchObject(expected);
  });

  it('without an address for queries is vouched for by Prometheus alone, and not while it is rejected', async () => {
    const store = storeOf({ remote: { write: remote.write } });
    expect(await findCanary(store, canary, accessTo({ counters: sent }))).toEqual({
      kind: 'arrived',
      isVouchedBySender: true,
      sent: 12,
    });
    const rejected = { counters: { ...sent, failed: 12 }, log: [rejection(unauthorized)] };
    expect(await findCanary(store, canary, accessTo(rejected))).toMatchObject({ kind: 'missing', isRejected: true });
  });

  it.each([
    ['server returned HTTP status 401 Unauthorized', 'promstack up applies the users of access'],
    ['tls: failed to verify certificate: x509: certificate has expired', 'promstack up applies the certificate of'],
    ['connection refused', 'promstack logs victoriametrics prometheus'],
  ])('to the store of the stack, with %s, must say what to try', async (error, tryThis) => {
    const store = storeOf({ victoriametrics: {} });
    const observation = { counters: { retried: 5 }, log: [retry(error)] };
    expect(await findCanary(store, canary, accessTo(observation))).toMatchObject({
      kind: 'missing',
      tryThis: expect.stringContaining(tryThis),
    });
  });

  it('of an agent is recognized by its value, which stores round', async () => {
    const ofAgent = { metric: 'loaded_seconds', since: 0, value: 1_795_912_920.123_456_7 };
    const find = (value: string) =>
      findCanary(storeOf({ remote }), ofAgent, accessTo({ counters: sent, answer: series(loadedAt, value) }));
    expect(await find('1795912920.12346')).toMatchObject({ kind: 'arrived' });
    expect(await find('1795912905.12346')).toMatchObject({ kind: 'missing' });
  });
});

const never = () => {
  throw new Error('not expected');
};

/** A confirm of Prometheus whose store never has the canary, for at most a minute. */
async function confirm(before: object | undefined, after: object, more: Partial<DriverContext> & Observation = {}) {
  const filesOf = (section: object): readonly RenderedFile[] => {
    const config = stackSchema.parse({ long_term: section });
    const content = JSON.stringify({ remote_write: remoteWrites(config) });
    const main = { service: 'prometheus', path: 'prometheus.yml', content, mode: 0o444, origin: 'x' };
    return [main, ...storeFiles(config)];
  };
  const time = new SteeredTime();
  const config = stackSchema.parse({ long_term: after });
  const access = accessTo(more);
  const store = storeOf(after);
  const context: DriverContext = {
    service: { ...prometheus, proofs: () => [] },
    release: { config, files: filesOf(after), revision: '3f2a', md5: never },
    confirmed: before === undefined ? undefined : filesOf(before),
    exec: async () => (await access.query(store, '')) ?? never(),
    request: async (request) =>
      request.path === '/metrics'
        ? access.request(request)
        : { status: 200, body: '{"data":{"lastConfigTime":"2026-11-29T00:42:00Z"}}' },
    lastLines: async () => more.log ?? [],
    kept: { read: never, write: never } as unknown as DriverContext['kept'],
    given: new Map(),
    isFirstStart: false,
    isStarted: false,
    rejected: new Set(),
    clock: {
      ...time,
      now: () => time.now(),
      sleep: async (ms: number) => time.pass(ms),
    } as unknown as DriverContext['clock'],
    signal: new AbortController().signal,
    deadlineMs: 60_000,
    onProgress: () => undefined,
    onNote: never,
    ...more,
  };
  return await prometheusDriver.confirm(context);
}

const down: Observation = { counters: { retried: 3 }, log: [retry('connection refused')] };
const own = { victoriametrics: {} };

describe('the confirm of Prometheus', () => {
  it.each<[string, object | undefined, object, Partial<DriverContext>]>([
    ['a first up', undefined, { remote }, {}],
    ['a new address', { remote: { ...remote, write: 'http://old/write' } }, { remote }, {}],
    [
      'a new password',
      { remote: { ...remote, basic_auth: { username: 'a', password: new Secret('old', '!env P') } } },
      { remote: { ...remote, basic_auth: { username: 'a', password: new Secret('new', '!env P') } } },
      {},
    ],
    [
      'a new address for queries',
      { remote: { ...remote, read: 'http://old', headers: { a: 'b' } } },
      { remote: { ...remote, headers: { a: 'b' } } },
      {},
    ],
    ['a new store of the stack', { remote }, own, {}],
    ['a store of the stack that was started', own, own, { hasStarted: (name) => name === 'victoriametrics' }],
  ])('must fail for %s that takes no samples', async (_what, before, after, more) => {
    await expect(confirm(before, after, { ...down, ...more })).rejects.toThrow(
      /confirming that samples arrive in the long-term storage .*: Prometheus cannot send to it: connection refused, after 60 s/,
    );
  });

  it('must not fail for a change that does not touch a store that is down, but say so', async () => {
    const [note = '', ...others] = await confirm({ remote }, { remote }, down);
    expect(others).toEqual([]);
    expect(note).toContain('no new sample is in the long-term storage http://store/write after 20 s');
    expect(note).toContain('connection refused; Prometheus keeps what is not sent for about two hours');
  });

  it.each([
    ['five minutes before a change that does not touch it', { remote }, 5 * 60_000],
    ['a change of it', undefined, 0],
  ])('must look for the reason of a store that is down from %s', async (_what, before, earlierMs) => {
    const changedAt = new Date('2026-11-29T00:42:00Z');
    const asked: number[] = [];
    const lastLines = async (from: Date): Promise<readonly string[]> => {
      asked.push(changedAt.getTime() - from.getTime());
      return down.log ?? [];
    };
    await confirm(before, { remote }, { ...down, changedAt, lastLines }).catch(() => undefined);
    expect(new Set(asked)).toEqual(new Set([earlierMs]));
  });

  it('must not wait for the store when it restores what ran before', async () => {
    expect(await confirm(undefined, { remote }, { ...down, isRestored: true })).toEqual([]);
  });

  it('must fail soon when the store rejects samples', async () => {
    const rejecting = { counters: { failed: 7 }, log: [rejection(unauthorized)] };
    await expect(confirm(undefined, { remote }, rejecting)).rejects.toThrow(
      /it rejected 7 samples: .*401.*, after 5 s\n {2}try: check basic_auth/s,
    );
  });

  it('must say when only Prometheus vouches for a new store', async () => {
    const [note] = await confirm(undefined, { remote: { write: remote.write } }, { counters: sent });
    expect(note).toContain('nothing was read back from http://store/write');
    expect(note).toContain('has sent 12 samples without an error');
    expect(await confirm({ remote }, { remote }, { counters: sent, answer: series(loadedAt) })).toEqual([]);
  });
});
