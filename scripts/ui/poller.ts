import { EngineError, toStackError } from '../engine/engine-error.ts';
import { isAbort, StackError } from '../util/stack-error.ts';

/** Reads one part of the stack, again and again. */
export interface Poll {
  readonly name: string;
  readonly everyMs: number;
  /** Rejects with a StackError or an EngineError when the part cannot be read. */
  run(): Promise<void>;
  onFailure?(error: StackError): void;
}

/** How a poll went. */
interface Look {
  /** When the last one that succeeded began; undefined before the first. */
  readonly readAt?: number | undefined;
  /** Why the last one that has ended failed; undefined when it succeeded. */
  readonly failure?: StackError | undefined;
  /** How long the one that runs has taken so far; undefined when none runs. */
  readonly runningMs?: number | undefined;
}

/** The pause after a poll is at least this many times as long as the poll: a page must not load a large stack. */
const pauseFactor = 4;

/**
 * Runs polls when they are due.
 *
 * INVARIANTS:
 * - no poll runs twice at the same time;
 * - a slow poll does not hold up others.
 */
export class Poller {
  readonly #polls: readonly Poll[];
  readonly #signal: AbortSignal;
  readonly #now: () => number;
  readonly #dueAt = new Map<Poll, number>();
  readonly #startedAt = new Map<Poll, number>();
  /** When each may run again at the earliest; those that have not ended once have none. */
  readonly #soonestAt = new Map<Poll, number>();
  readonly #hurried = new Set<Poll>();
  readonly #failures = new Map<Poll, StackError>();
  readonly #readAt = new Map<Poll, number>();
  #bug: { readonly error: unknown } | undefined;

  constructor(polls: readonly Poll[], { now, signal }: { readonly now: () => number; readonly signal: AbortSignal }) {
    this.#polls = polls;
    this.#now = now;
    this.#signal = signal;
  }

  /** Starts those that are due. Throws the error of an earlier one that is none of the stack's. */
  start(): void {
    if (this.#bug !== undefined) throw this.#bug.error;
    for (const poll of this.#polls) {
      if (this.#startedAt.has(poll) || (this.#dueAt.get(poll) ?? 0) > this.#now()) continue;
      void this.#run(poll);
    }
  }

  async #run(poll: Poll): Promise<void> {
    const startedAt = this.#now();
    this.#startedAt.set(poll, startedAt);
    try {
      await poll.run();
      this.#failures.delete(poll);
      this.#readAt.set(poll, startedAt);
    } catch (error) {
      const failure = error instanceof EngineError ? toStackError(error) : error;
      if (failure instanceof StackError) {
        this.#failures.set(poll, failure);
        poll.onFailure?.(failure);
      } else if (!this.#signal.aborted || !isAbort(error, this.#signal)) this.#bug ??= { error };
    }
    const endedAt = this.#now();
    const tookMs = endedAt - startedAt;
    this.#startedAt.delete(poll);
    this.#soonestAt.set(poll, endedAt + tookMs);
    this.#dueAt.set(poll, Math.max(startedAt + poll.everyMs, endedAt + pauseFactor * tookMs));
    if (this.#hurried.delete(poll)) this.hurry(poll.name);
  }

  /** Makes a poll due as soon as it has paused as long as it took; one that runs is repeated: it may have missed the change. */
  hurry(name: string): void {
    for (const poll of this.#polls) {
      if (poll.name !== name) continue;
      if (this.#startedAt.has(poll)) this.#hurried.add(poll);
      this.#dueAt.set(poll, this.#soonestAt.get(poll) ?? 0);
    }
  }

  /** Whether each has ended once. */
  get haveAllEnded(): boolean {
    return this.#polls.every((poll) => this.#soonestAt.has(poll));
  }

  /** What is known of a poll. */
  look(name: string): Look {
    const poll = this.#polls.find((candidate) => candidate.name === name);
    if (poll === undefined) return {};
    const startedAt = this.#startedAt.get(poll);
    return {
      readAt: this.#readAt.get(poll),
      failure: this.#failures.get(poll),
      runningMs: startedAt === undefined ? undefined : this.#now() - startedAt,
    };
  }
}
