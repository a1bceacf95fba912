import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again until the check passes; its last failure is thrown when the deadline has passed. */
export async function eventually<T>(check: () => Promise<T> | T, deadlineMs = 30_000): Promise<T> {
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
