import type { Clock } from '../util/clock.ts';
import { unreachable } from '../util/unreachable.ts';
import { next, type WatchEvent, type WatchState } from './states.ts';

/** The files are read after this time without a change. */
const settleMs = 20;
/** The files are read after this time even if changes continue. */
const maxSettleMs = 250;
/** The pause before a postponed sync is retried. */
const waitMs = 1_000;
export interface WatchOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Reads and applies the files, or postpones that. Rejects only with internal errors, or when aborted. */
  sync(signal: AbortSignal): Promise<'ended' | 'postponed'>;
  /** Called when nothing is pending. */
  onIdle(): void;
}

/**
 * Runs a sync after each batch of changes, one at a time, the first immediately.
 *
 * INVARIANTS:
 * - no two syncs run at once;
 * - a change that comes after a sync began to read leads to another sync;
 * - at most one timer runs, and it belongs to the current state.
 */
export class Watch {
  #state: WatchState = 'settling';
  #timer = new AbortController();
  #settlingSince: number | undefined;
  readonly #options: WatchOptions;
  readonly #ended: Promise<void>;
  #end: () => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
  }

  get state(): WatchState {
    return this.#state;
  }

  /** Runs until the signal aborts and the running sync has ended; rejects with the first internal error. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    const stop = (): void => {
      this.#timer.abort();
      if (this.#state !== 'syncing' && this.#state !== 'stale') this.#end();
    };
    if (signal.aborted) return;
    signal.addEventListener('abort', stop, { once: true });
    try {
      this.#handle('quiet');
      await this.#ended;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#timer.abort();
    }
  }

  /** A file changed. */
  changed(): void {
    this.#handle('changed');
  }

  #handle(event: WatchEvent): void {
    const { clock, signal, onIdle } = this.#options;
    if (signal.aborted) {
      // A change during a sync does not end it.
      if (event === 'ended' || event === 'postponed') this.#end();
      return;
    }
    const before = this.#state;
    const { state, work } = next(before, event);
    this.#state = state;
    switch (work) {
      case 'none':
        if (state === 'idle' && before !== 'idle') onIdle();
        return;
      case 'settle': {
        if (before !== 'settling') this.#settlingSince = clock.now();
        const left = (this.#settlingSince ?? 0) + maxSettleMs - clock.now();
        this.#startTimer(Math.max(0, Math.min(settleMs, left)));
        return;
      }
      case 'wait':
        this.#startTimer(waitMs);
        return;
      case 'sync':
        this.#timer.abort();
        this.#sync();
        return;
      default:
        unreachable(work);
    }
  }

  #startTimer(ms: number): void {
    this.#timer.abort();
    const timer = new AbortController();
    this.#timer = timer;
    this.#options.clock.sleep(ms, timer.signal).then(
      () => {
        // Ignore a timer that was replaced at the moment it fired.
        if (this.#timer === timer && !timer.signal.aborted) this.#handle('quiet');
      },
      () => undefined,
    );
  }

  #sync(): void {
    this.#options.sync(this.#options.signal).then(
      (event) => this.#handle(event),
      (error: unknown) => (this.#options.signal.aborted ? this.#end() : this.#fail(error)),
    );
  }
}
