import type { Diagnostic } from '../../stack/diagnostic.ts';
import { type Changed, changeStack } from '../apply/change-stack.ts';
import { type Engine, EngineError } from '../engine/engine.ts';
import type { Rendering } from '../render/rendering.ts';
import { LockedError } from '../state/lock.ts';
import type { Clock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import type { WarmSession } from './warm-session.ts';

/** What became of the files as they were read. */
export type Synced =
  /** The stack runs them; `changed` is absent when it did already. */
  | { readonly kind: 'live'; readonly revision: string; readonly changed: Changed | undefined; readonly tookMs: number }
  /** They are wrong; the stack runs what it ran before. */
  | { readonly kind: 'wrong'; readonly diagnostics: readonly Diagnostic[] }
  /** A server or the engine refused; the error says what runs. */
  | { readonly kind: 'refused'; readonly error: StackError }
  /** The engine is away, or another has the lock: to be tried again. */
  | { readonly kind: 'postponed'; readonly why: string };

/** What making files current needs. */
export interface SyncOptions {
  readonly engine: Engine;
  readonly session: WarmSession;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Run the person's own tests though no file of a server changed. */
  readonly judgesTests: boolean;
}

/** Makes a rendering current as `reload` does; every end of it is an answer, but for an abort and mistakes of ours. */
export async function syncStack(rendering: Rendering, options: SyncOptions): Promise<Synced> {
  const { clock, signal, session } = options;
  const began = clock.now();
  try {
    const changed = await changeStack({ ...options, rendering, command: 'watch', filesOnly: true });
    const isNothing = changed.plan.steps.length === 0;
    return {
      kind: 'live',
      revision: rendering.revision,
      changed: isNothing ? undefined : changed,
      tookMs: clock.now() - began,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof InputError) return { kind: 'wrong', diagnostics: error.diagnostics };
    if (error instanceof LockedError) return { kind: 'postponed', why: error.why };
    const unreachable = causeOf(
      error,
      (one): one is EngineError => one instanceof EngineError && one.code === 'unreachable',
    );
    // What was known of the engine may be otherwise when it is back, or once the stack is put right.
    await session.forget();
    if (unreachable !== undefined)
      return { kind: 'postponed', why: `the engine does not answer: ${unreachable.message}` };
    if (error instanceof EngineError) {
      return { kind: 'refused', error: new StackError({ doing: error.doing, why: error.message, cause: error }) };
    }
    if (error instanceof StackError) return { kind: 'refused', error };
    throw error;
  }
}

function causeOf<T extends Error>(error: unknown, fits: (one: unknown) => one is T): T | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (fits(at)) return at;
  }
  return undefined;
}
