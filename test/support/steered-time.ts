import type { Every } from '../../scripts/cli/report/reporter.ts';
import type { Clock } from '../../scripts/util/clock.ts';

/** Time that advances only when a test says so: a clock and its timers. */
export class SteeredTime implements Clock {
  #now: number;
  readonly #timers = new Set<{ readonly everyMs: number; next: number; readonly callback: () => void }>();

  constructor(start = Date.UTC(2026, 0, 31, 12, 0, 0)) {
    this.#now = start;
  }

  now = (): number => this.#now;

  every: Every = (everyMs, callback) => {
    const timer = { everyMs, next: this.#now + everyMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) reject(signal.reason);
      const stop = this.every(ms, () => {
        stop();
        resolve();
      });
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });

  /** Advances the time; timers call back in the order they are due. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [due] = [...this.#timers].filter((timer) => timer.next <= end).sort((one, other) => one.next - other.next);
      if (due === undefined) break;
      this.#now = due.next;
      due.next += due.everyMs;
      due.callback();
    }
    this.#now = end;
  }

  /** The number of pending timers: none may be left. */
  get waiting(): number {
    return this.#timers.size;
  }
}
