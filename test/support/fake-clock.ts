import type { Clock } from '../../scripts/util/clock.ts';

/** A clock without waits: a sleep advances the time and lets everything else run first. */
export function fakeClock(): Clock {
  let now = Date.parse('2026-01-01T00:00:00Z');
  return {
    now: () => now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      now += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
