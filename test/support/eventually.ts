import { setTimeout as sleep } from 'node:timers/promises';

/** Repeats the check until it passes; throws its last failure after the deadline. */
export async function eventually<T>(check: () => Promise<T> | T, deadlineMs = 90_000): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() >= end) throw error;
    }
    await sleep(100);
  }
}
