import type { Clock } from '../../util/clock.ts';
import { GatewayError } from './refusal.ts';

/** How often and how patiently to try again. */
export interface RetryOptions {
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
