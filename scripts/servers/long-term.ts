import * as z from 'zod';
import { type LongTermStore, queryCommand, queryElsewhere, storeName } from '../../stack/long-term/store.ts';
import type { HttpRequest, HttpResponse } from '../../stack/model.ts';
import { isAgent } from '../../stack/prometheus/agent.ts';
import { revisionMetric, stampedRevision } from '../../stack/prometheus/proofs.ts';
import type { Release } from '../../stack/service.ts';
import { logfmt } from '../../stack/values/logfmt.ts';
import { sampleLabel, samplesOf, sumOf } from '../../stack/values/metrics-page.ts';
import { parseJson } from '../../stack/values/parse.ts';
import { counted } from '../../stack/values/words.ts';
import type { ExecResult } from '../engine/engine.ts';
import { refusedHint } from '../state/server-access.ts';

/** How the running Prometheus is asked; `lines` are those of its log since it loaded its config. */
export interface PrometheusAccess {
  request(request: HttpRequest): Promise<HttpResponse>;
  readonly query: StoreQuery;
  lines(): Promise<readonly string[]>;
  /** In milliseconds since 1970. */
  now(): number;
}

/** Queries a store where Prometheus reaches it; undefined when it has no address for queries. */
export type StoreQuery = (store: LongTermStore, expr: string) => Promise<ExecResult> | undefined;

/** Queries a store inside Prometheus's container. */
export function queryInside(exec: (argv: readonly string[]) => Promise<ExecResult>): StoreQuery {
  return (store, expr) => {
    const argv = queryCommand(store, expr);
    return argv && exec(argv);
  };
}

/** The same in another container of its network and image. */
export function queryBeside(exec: (argv: readonly string[], stdin: string) => Promise<ExecResult>): StoreQuery {
  return (store, expr) => {
    const query = queryElsewhere(store, expr);
    return query && exec(query.argv, query.stdin);
  };
}

/** A sample that Prometheus sends, by which its arrival is known. */
export interface Canary {
  readonly metric: string;
  /** The label that distinguishes its series, as a matcher: `revision="3f2a"`. */
  readonly matcher?: string | undefined;
  /** Milliseconds since 1970: an older sample was not sent by the running config. */
  readonly since: number;
  /** Its value, where the series alone does not identify it. */
  readonly value?: number | undefined;
}

/** Whether the canary is in the store. */
export type Arrival =
  /** `isVouchedBySender`: the store cannot be queried, and only Prometheus's own counters say so. */
  | { readonly kind: 'arrived'; readonly isVouchedBySender: boolean; readonly sent: number }
  | { readonly kind: 'missing'; readonly because: string; readonly tryThis: string; readonly isRejected: boolean };

/** The canary of a running Prometheus: the series by which it shows its revision; of an agent, when it loaded its config. */
export async function canaryOf(
  { config, files, revision }: Pick<Release, 'config' | 'files' | 'revision'>,
  { request }: Pick<PrometheusAccess, 'request'>,
): Promise<Canary> {
  if (isAgent(config)) {
    const metric = 'prometheus_config_last_reload_success_timestamp_seconds';
    const { body } = await request({ method: 'GET', port: 9090, path: '/metrics' });
    return { metric, since: 0, value: sumOf(body, metric) };
  }
  const { body } = await request({ method: 'GET', port: 9090, path: '/api/v1/status/runtimeinfo' });
  const { data } = runtimeInfo.safeParse(parseJson(body));
  const shown = stampedRevision(files) ?? revision;
  const since = Date.parse(data?.data.lastConfigTime ?? '');
  return { metric: revisionMetric, matcher: `revision="${shown}"`, since };
}

const runtimeInfo = z.object({ data: z.object({ lastConfigTime: z.string() }) });

/** Asks the store once for the canary, and Prometheus for the reason when it is not there. */
export async function findCanary(
  store: LongTermStore,
  canary: Canary,
  access: PrometheusAccess,
  rejectedBefore = 0,
): Promise<Arrival> {
  const { body } = await access.request({ method: 'GET', port: 9090, path: '/metrics' });
  const queue = queueOf(body);
  if (queue === undefined) return { kind: 'missing', isRejected: false, ...notConfigured };
  const isSent = queue.sentAt > 0 && queue.sentAt * 1_000 >= canary.since;
  const answer = isSent ? await access.query(store, expressionFor(canary, access.now())) : undefined;
  const found = answer && readAnswer(answer, canary);
  if (found === 'present') return { kind: 'arrived', isVouchedBySender: false, sent: queue.sent };
  const { isRetried, reason } = lastError(await access.lines());
  const rejected = queue.failed - rejectedBefore;
  if (rejected > 0 && !isRetried) {
    const because = `it rejected ${counted(rejected, 'sample')}${reason}`;
    return { kind: 'missing', because, isRejected: true, tryThis: whatToTry(store, because) };
  }
  if (!isSent) {
    const isFailing = isRetried || queue.retried > 0;
    const because = isFailing ? `Prometheus cannot send to it${reason}` : 'Prometheus has sent nothing to it yet';
    return { kind: 'missing', because, isRejected: false, tryThis: whatToTry(store, because) };
  }
  if (found === undefined) return { kind: 'arrived', isVouchedBySender: true, sent: queue.sent };
  if (found !== 'absent') {
    const because = `it takes samples, but its query API at ${store.read} does not answer: ${found}`;
    return { kind: 'missing', because, isRejected: false, tryThis: whatToTry(store, because) };
  }
  return {
    kind: 'missing',
    because: `it has taken ${counted(queue.sent, 'sample')}, but its query API does not return ${canary.metric}{${canary.matcher ?? ''}}`,
    isRejected: false,
    tryThis: store.isOwn
      ? 'promstack logs victoriametrics'
      : 'check that write and read are the same store and tenant, and that write_relabel_configs do not drop that series',
  };
}

/**
 * VictoriaMetrics remembers for up to 10 s that a selector has no series. A matcher that all series have makes each query another
 * selector.
 */
function expressionFor({ metric, matcher }: Canary, now: number): string {
  const matchers = [...(matcher === undefined ? [] : [matcher]), `promstack_attempt!="${now}"`];
  return `${metric}{${matchers.join(',')}}[5m]`;
}

const notConfigured = {
  because: `prometheus.yml has no remote_write named ${storeName}`,
  tryThis: 'add "remote_write: !value prometheus.remote_write" to your templates/prometheus/prometheus.yml',
};

function whatToTry({ isOwn }: LongTermStore, because: string): string {
  if (isOwn && /\b401\b/.test(because)) return refusedHint;
  if (isOwn && /x509|certificate/.test(because)) return 'promstack up applies the certificate of access';
  if (isOwn) return 'promstack logs victoriametrics prometheus';
  if (/\b(?:401|403)\b/.test(because)) return 'check basic_auth, authorization and headers of long_term.remote';
  if (/\b404\b/.test(because)) return 'check the paths of write and read in long_term.remote';
  if (/no such host|server misbehaving/.test(because)) {
    return 'check the host name in long_term.remote; for a container of another network, add that network to networks';
  }
  return 'check long_term.remote; promstack logs prometheus has more';
}

interface Queue {
  readonly sent: number;
  readonly failed: number;
  readonly retried: number;
  /** The time of the newest sample that was sent, or rejected, in seconds since 1970. */
  readonly sentAt: number;
}

/** What Prometheus says of its queue for the store; undefined when it has none. */
export function queueOf(page: string): Queue | undefined {
  const readingOf = (metric: string): number | undefined =>
    samplesOf(page, `prometheus_remote_storage_${metric}`).find(
      (sample) => sampleLabel(sample, 'remote_name') === storeName,
    )?.value;
  const sent = readingOf('samples_total');
  if (sent === undefined) return undefined;
  return {
    sent,
    failed: readingOf('samples_failed_total') ?? 0,
    retried: readingOf('samples_retried_total') ?? 0,
    sentAt: readingOf('queue_highest_sent_timestamp_seconds') ?? 0,
  };
}

/** The last error of sending to the store in Prometheus's log: `: server returned HTTP status 401 …`, and whether it is retried. */
function lastError(lines: readonly string[]): { readonly isRetried: boolean; readonly reason: string } {
  const errors = lines.map(logfmt).filter((line) => line['remote_name'] === storeName && line['err'] !== undefined);
  const { msg = '', err } = errors.at(-1) ?? {};
  // A refusal without a body ends with a colon and a line break.
  const text = err
    ?.replace(/^Post "[^"]*": /, '')
    .replaceAll(/\s+/g, ' ')
    .replace(/:? $/, '');
  const reason = text === undefined ? '' : `: ${text}`;
  return { isRetried: /retrying/.test(msg), reason };
}

const matrix = z.array(z.object({ values: z.array(z.tuple([z.number(), z.string()])) }));

/** What promtool printed: whether the canary is there, or why the store could not be queried. */
function readAnswer({ exitCode, stdout, stderr }: ExecResult, { since, value }: Canary): 'present' | 'absent' | string {
  if (exitCode !== 0) {
    const [line = ''] = (stderr.trim() || stdout.trim()).split('\n');
    return line.replace(/^query error: (?:client_error: |Post "[^"]*": )?/, '');
  }
  const { data = [] } = matrix.safeParse(parseJson(stdout));
  const isPresent = data.some(({ values }) =>
    values.some(([seconds, text]) => {
      // Stores keep 15 digits of a value.
      const isValue = value === undefined || Math.abs(Number(text) - value) < 0.01;
      return seconds * 1_000 >= since && isValue;
    }),
  );
  return isPresent ? 'present' : 'absent';
}
