import type { Clock } from '../../scripts/util/clock.ts';

/** A clock whose sleeps end immediately and advance the time. */
export function flyingClock(start = Date.UTC(2026, 0, 2)): Clock & { readonly sleptMs: () => number } {
  let now = start;
  return {
    now: () => now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      now += ms;
      // Lets what waits for other things go on, as a real sleep would.
      await new Promise((resolve) => setImmediate(resolve));
    },
    sleptMs: () => now - start,
  };
}
