import type { Agent } from 'node:http';
import { formatExposition, formatLabels, type WrittenMetric } from '../../../stack/exposition/family.ts';
import { type Clock, systemClock } from '../../util/clock.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { openPushgateway, type PushgatewayClient } from './client.ts';
import { GatewayError } from './errors.ts';
import { type Group, groupProblem, toGroup } from './group.ts';
import { openTransport, parseGatewayUrl } from './transport.ts';

/** A source of metrics to push: a Registry of prom-client is one. */
export interface MetricsSource {
  /** All metrics in the text format 0.0.4. */
  metrics(): string | Promise<string>;
  readonly contentType?: string;
}

/** Where a pusher pushes to, and how. */
export interface PusherOptions {
  /** The URL of the Pushgateway, including credentials and path prefix: `http://localhost:9091`. */
  readonly url: string;
  readonly job: string;
  /** Grouping labels besides the job: `{ instance: 'db-1' }`. Any value is allowed. */
  readonly grouping?: Readonly<Record<string, string>>;
  /** What `push()` and `pushAdd()` send without an argument. */
  readonly registry?: MetricsSource;
  /** The timeout of one attempt; default: 5 seconds. */
  readonly timeoutMs?: number;
  /** Retries after a failed connection or a status from 500 up; default: 5, about 5 s. */
  readonly retries?: number;
  /** Called before each retry. */
  readonly onRetry?: (error: StackError, waitMs: number) => void;
  readonly headers?: Readonly<Record<string, string>>;
  /** For client certificates and proxies. The caller closes it. */
  readonly agent?: Agent;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/**
 * Pushes to one group. Every method rejects with a StackError when the Pushgateway rejects a request or is unreachable.
 * The connection stays open until the pusher is disposed, but does not keep the process alive.
 */
export interface Pusher extends AsyncDisposable {
  /** Replaces the metrics of the same names and keeps the others of the group (POST). */
  pushAdd(metrics?: MetricsSource | string, options?: { signal?: AbortSignal }): Promise<void>;
  /** Replaces the whole group (PUT). */
  push(metrics?: MetricsSource | string, options?: { signal?: AbortSignal }): Promise<void>;
  /** Deletes the group, but no group with additional labels. */
  delete(options?: { signal?: AbortSignal }): Promise<void>;
}

/** A pusher for one group; throws an InputError for an invalid URL or group. */
export function createPusher(options: PusherOptions): Pusher {
  const { agent, headers, timeoutMs = 5_000, clock = systemClock } = options;
  return pusherThrough(() => {
    const url = parseGatewayUrl(options.url);
    if (!url.ok) throw new InputError(url.error);
    return openPushgateway(openTransport({ url: url.value, timeoutMs, agent, headers }), () => clock.now());
  }, options);
}

/** The same through a client of a Pushgateway. */
export function pusherThrough(open: () => PushgatewayClient, options: Omit<PusherOptions, 'url'>): Pusher {
  const { job, grouping = {}, registry, retries = 5, clock = systemClock, random, onRetry } = options;
  const problem = groupProblem(job, Object.entries(grouping));
  if (problem !== undefined) throw new InputError([{ severity: 'error', code: 'group', message: problem }]);
  const group = toGroup(job, grouping);
  const gateway = open();
  const retry = (attempt: () => Promise<void>, signal: AbortSignal | undefined) =>
    withRetries(attempt, { retries, clock, random, onRetry, signal });
  const send = async (metrics: MetricsSource | string | undefined, replaces: boolean, signal?: AbortSignal) => {
    const text = await textOf(metrics ?? registry, group);
    await retry(() => gateway.push(group, text, { replaces, signal }), signal);
  };
  return {
    pushAdd: (metrics, { signal } = {}) => send(metrics, false, signal),
    push: (metrics, { signal } = {}) => send(metrics, true, signal),
    delete: ({ signal } = {}) => retry(() => gateway.delete(group, signal), signal),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

async function textOf(metrics: MetricsSource | string | undefined, group: Group): Promise<string> {
  const doing = `pushing to ${formatLabels(group)}`;
  if (metrics === undefined) {
    throw new StackError({ doing, why: 'there is nothing to push', tryThis: 'pass a registry, or metrics as text' });
  }
  if (typeof metrics !== 'string' && metrics.contentType?.includes('openmetrics') === true) {
    const why = 'the registry writes OpenMetrics, which the Pushgateway does not accept';
    const tryThis = 'use new Registry(), or registry.setContentType(Registry.PROMETHEUS_CONTENT_TYPE)';
    throw new StackError({ doing, why, tryThis });
  }
  const text = typeof metrics === 'string' ? metrics : await metrics.metrics();
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

interface RetryOptions {
  /** After the first attempt. */
  readonly retries: number;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random?: (() => number) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called before each wait. */
  readonly onRetry?: ((error: GatewayError, waitMs: number) => void) | undefined;
}

const firstWaitMs = 250;
const longestWaitMs = 10_000;

/**
 * Retries an attempt after a failed connection or a status of 500 or above. Pushes are idempotent, so repeating one whose
 * response was lost is harmless. Waits double, with a random reduction by up to a half, so that clients do not all retry
 * at the same time after a restart.
 */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { retries, clock, random = Math.random, signal, onRetry } = options;
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof GatewayError) || !error.mayPass || failures >= retries) throw error;
      const waitMs = Math.round(Math.min(firstWaitMs * 2 ** failures, longestWaitMs) * (1 - random() / 2));
      onRetry?.(error, waitMs);
      await clock.sleep(waitMs, signal);
    }
  }
}

export interface BatchOptions extends PusherOptions {
  /** Called when the metrics could not be pushed, which does not affect the job; default: a warning of the process. */
  readonly onPushError?: (error: unknown) => void;
}

export interface BatchJob {
  /** Sets a gauge that is pushed when the job ends: `batch.set('rows_copied', 42, 'Rows copied by the last run.')`. */
  set(name: string, value: number, help?: string): void;
}

/**
 * Runs a batch job and pushes the outcome, whether it returns or throws:
 *
 *     batch_job_success                         1 or 0
 *     batch_job_duration_seconds
 *     batch_job_last_run_timestamp_seconds      when it ended
 *     batch_job_last_success_timestamp_seconds  pushed only on success; failures keep the last one
 *
 * and the metrics of the registry, if one is given. Returns and throws what the job does: a failed push is only passed to
 * `onPushError`. Alert on the age of the last success, which also covers a job that never ran.
 */
export async function withPush<T>(options: BatchOptions, run: (batch: BatchJob) => T | Promise<T>): Promise<T> {
  const { clock = systemClock, registry, onPushError = warn } = options;
  await using pusher = createPusher(options);
  const gauges = new Map<string, WrittenMetric>();
  const set: BatchJob['set'] = (name, value, help) => {
    gauges.set(name, { name, type: 'gauge', samples: [{ value }], ...(help === undefined ? {} : { help }) });
  };
  const startedAt = clock.now();
  const pushOutcome = async (succeeded: boolean) => {
    const endedAt = clock.now();
    set('batch_job_success', succeeded ? 1 : 0, 'Whether the last run succeeded.');
    set('batch_job_duration_seconds', (endedAt - startedAt) / 1000, 'How long the last run took.');
    set('batch_job_last_run_timestamp_seconds', endedAt / 1000, 'When the last run ended.');
    if (succeeded) set('batch_job_last_success_timestamp_seconds', endedAt / 1000, 'When a run last succeeded.');
    try {
      // pushAdd, since a failed run must keep the time of the last success.
      await pusher.pushAdd(formatExposition([...gauges.values()]));
      if (registry !== undefined) await pusher.pushAdd();
    } catch (error) {
      onPushError(error);
    }
  };
  let result: T;
  try {
    result = await run({ set });
  } catch (error) {
    await pushOutcome(false);
    throw error;
  }
  await pushOutcome(true);
  return result;
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error.message : String(error), 'PushWarning');
}
