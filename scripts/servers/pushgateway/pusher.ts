import type { Agent } from 'node:http';
import { type Clock, systemClock } from '../../util/clock.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { openGateway } from './gateway.ts';
import { readGatewayUrl } from './gateway-url.ts';
import { formatGroup, type Group, toGroup, whyNoGroup } from './group.ts';
import { GatewayError } from './refusal.ts';
import { openTransport } from './transport.ts';

/** Where metrics are kept until they are pushed: a Registry of prom-client is one. */
export interface MetricsSource {
  /** All metrics in the text format 0.0.4. */
  metrics(): string | Promise<string>;
  readonly contentType?: string;
}

/** Where a pusher pushes to, and how. */
export interface PusherOptions {
  /** The Pushgateway: `http://localhost:9091`, credentials and path prefix included. */
  readonly url: string;
  readonly job: string;
  /** Labels that make the group, besides the job: `{ instance: 'db-1' }`. Any value will do. */
  readonly grouping?: Readonly<Record<string, string>>;
  /** What `push()` and `pushAdd()` send when they are given nothing. */
  readonly registry?: MetricsSource;
  /** For one attempt; 5 seconds when absent. */
  readonly timeoutMs?: number;
  /** How often to try again when the connection fails or the status is 500 or more; 5 times when absent, about 5 s. */
  readonly retries?: number;
  /** Told of each attempt that failed and will be repeated. */
  readonly onRetry?: (error: StackError, waitMs: number) => void;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes the connections: for client certificates and proxies. It is the caller's to close. */
  readonly agent?: Agent;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/**
 * Pushes to one group. Every method rejects with a StackError when the Pushgateway refuses or cannot be reached. Its
 * connection is kept open for the next push, which keeps no process alive, until it is disposed of.
 */
export interface Pusher extends AsyncDisposable {
  /** Replaces the metrics of the same names and leaves the others of the group (POST). */
  pushAdd(metrics?: MetricsSource | string, options?: { signal?: AbortSignal }): Promise<void>;
  /** Replaces the group as a whole (PUT). */
  push(metrics?: MetricsSource | string, options?: { signal?: AbortSignal }): Promise<void>;
  /** Deletes the group, and no group with more labels. */
  delete(options?: { signal?: AbortSignal }): Promise<void>;
}

/** A pusher for one group; throws an InputError when the address or the group cannot be. */
export function createPusher(options: PusherOptions): Pusher {
  const { job, grouping = {}, registry, timeoutMs = 5_000, retries = 5, clock = systemClock } = options;
  const group = groupOrThrow(job, grouping);
  const url = readGatewayUrl(options.url);
  if (!url.ok) throw new InputError(url.error);
  const { agent, headers } = options;
  const gateway = openGateway(openTransport({ url: url.value, timeoutMs, agent, headers }), () => clock.now());
  const persist = (attempt: () => Promise<void>, signal: AbortSignal | undefined) =>
    withRetries(attempt, { retries, clock, random: options.random, onRetry: options.onRetry, signal });
  const send = async (metrics: MetricsSource | string | undefined, replaces: boolean, signal?: AbortSignal) => {
    const text = await textOf(metrics ?? registry, group);
    await persist(() => gateway.push(group, text, { replaces, signal }), signal);
  };
  return {
    pushAdd: (metrics, { signal } = {}) => send(metrics, false, signal),
    push: (metrics, { signal } = {}) => send(metrics, true, signal),
    delete: ({ signal } = {}) => persist(() => gateway.delete(group, signal), signal),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

function groupOrThrow(job: string, grouping: Readonly<Record<string, string>>): Group {
  const why = whyNoGroup(job, Object.entries(grouping));
  if (why !== undefined) throw new InputError([{ severity: 'error', code: 'group', message: why }]);
  return toGroup(job, grouping);
}

async function textOf(metrics: MetricsSource | string | undefined, group: Group): Promise<string> {
  const doing = `pushing to ${formatGroup(group)}`;
  if (metrics === undefined) {
    throw new StackError({ doing, why: 'there is nothing to push', tryThis: 'give a registry, or the text itself' });
  }
  if (typeof metrics !== 'string' && metrics.contentType?.includes('openmetrics') === true) {
    const why = 'the registry writes OpenMetrics, which a Pushgateway does not read';
    throw new StackError({
      doing,
      why,
      tryThis: 'new Registry(), or registry.setContentType(Registry.PROMETHEUS_CONTENT_TYPE)',
    });
  }
  const text = typeof metrics === 'string' ? metrics : await metrics.metrics();
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** How often and how patiently to try again. */
interface RetryOptions {
  /** After the first attempt. */
  readonly retries: number;
  readonly clock: Clock;
  /** From 0 up to 1; Math.random unless a test knows better. */
  readonly random?: (() => number) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told before each wait. */
  readonly onRetry?: ((error: GatewayError, waitMs: number) => void) | undefined;
}

const firstWaitMs = 250;
const longestWaitMs = 10_000;

/**
 * Repeats an attempt while it fails in a way that may pass: the connection, or a status from 500 up. A push says the
 * same however often it is sent, so one that arrived unnoticed does no harm. Waits double, and each is cut by up to a
 * half at random, so that the many who saw the same restart do not come back at the same moment.
 */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { retries, clock, random = Math.random, signal, onRetry } = options;
  for (let tried = 0; ; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof GatewayError) || !error.mayPass || tried >= retries) throw error;
      const waitMs = Math.round(Math.min(firstWaitMs * 2 ** tried, longestWaitMs) * (1 - random() / 2));
      onRetry?.(error, waitMs);
      await clock.sleep(waitMs, signal);
    }
  }
}
