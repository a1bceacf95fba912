import { setTimeout as sleep } from 'node:timers/promises';

/** Time, as something handed in. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after so many milliseconds; rejects when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The longest that one of Node's timers waits, some 25 days; one that is told more ends at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(Math.min(ms, longestTimerMs), undefined, signal === undefined ? {} : { signal }),
};
