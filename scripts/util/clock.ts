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

/** Aborts after a duration; one that is longer than a timer may be ends with the longest. */
export function deadlineIn(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.min(ms, longestTimerMs));
}

/** The system's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(Math.min(ms, longestTimerMs), undefined, signal === undefined ? {} : { signal }),
};
