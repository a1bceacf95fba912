import type { Clock } from '../util/clock.ts';
import { unreachable } from '../util/unreachable.ts';
import { next, type WatchEvent, type WatchState } from './states.ts';

/** How long no file may change before the files are read. */
const settleMs = 20;
/** How long changes without a pause may put that off. */
const longestSettleMs = 250;
/** After how long a postponed sync is tried again. */
const waitMs = 1_000;

/** What a watch does, and with what. */
export interface WatchOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Reads the files and makes them current; answers whether it could. Rejects only with internal errors, or when aborted. */
  sync(signal: AbortSignal): Promise<'ended' | 'postponed'>;
  /** Called when nothing is pending. */
  onIdle(): void;
}

/**
 * Runs a sync after each batch of changes, one at a time, the first at once.
 *
 * INVARIANTS:
 * - no two syncs run at once;
 * - a change that comes after a sync began to read leads to another sync;
 * - at most one timer runs, and it is of the present state.
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

  /** Runs until the signal aborts, and then until a sync under way has ended; rejects with the first internal error. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    const stop = (): void => {
      this.#timer.abort();
      if (this.#state !== 'syncing' && this.#state !== 'stale') this.#end();
    };
    if (signal.aborted) return;
    signal.addEventListener('abort', stop, { once: true });
    try {
      this.#happen('quiet');
      await this.#ended;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#timer.abort();
    }
  }

  /** A file changed. */
  changed(): void {
    this.#happen('changed');
  }

  #happen(event: WatchEvent): void {
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
        const left = (this.#settlingSince ?? 0) + longestSettleMs - clock.now();
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
        // A timer that was replaced in the very moment it ended says nothing.
        if (this.#timer === timer && !timer.signal.aborted) this.#happen('quiet');
      },
      () => undefined,
    );
  }

  #sync(): void {
    this.#options.sync(this.#options.signal).then(
      (event) => this.#happen(event),
      (error: unknown) => (this.#options.signal.aborted ? this.#end() : this.#fail(error)),
    );
  }
}
