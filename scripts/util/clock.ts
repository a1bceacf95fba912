import { setTimeout as sleep } from 'node:timers/promises';

/** A clock, so that tests can replace time. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The longest delay of a Node timer, about 25 days; a longer one fires at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** The system's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(Math.min(ms, longestTimerMs), undefined, signal === undefined ? {} : { signal }),
};
