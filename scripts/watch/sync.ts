import type { Diagnostic } from '../../stack/diagnostic.ts';
import { type Changed, changeStack } from '../apply/change.ts';
import type { Run } from '../apply/run.ts';
import { EngineError } from '../engine/engine.ts';
import type { Rendering } from '../render/rendering.ts';
import { LockedError } from '../state/lock.ts';
import { InputError, StackError } from '../util/stack-error.ts';

/** The result of one read of the files. */
export type Synced =
  /** The stack runs them; `changed` is undefined when it did already. */
  | { readonly kind: 'live'; readonly revision: string; readonly changed: Changed | undefined; readonly tookMs: number }
  /** They are wrong; the stack runs what it ran before. */
  | { readonly kind: 'wrong'; readonly diagnostics: readonly Diagnostic[] }
  /** A server or the engine refused; the error says what runs. */
  | { readonly kind: 'refused'; readonly error: StackError }
  /** The engine does not answer, or another command holds the lock: to be tried again. */
  | { readonly kind: 'postponed'; readonly why: string };

/** Applies a rendering as `reload` does; every outcome is an answer, except an abort and internal errors. */
export async function syncStack(rendering: Rendering, options: Run & { readonly runTests: boolean }): Promise<Synced> {
  const { clock, signal } = options;
  const began = clock.now();
  try {
    const changed = await changeStack({ ...options, rendering, command: 'watch', filesOnly: true, hasChanged: true });
    const isUnchanged = changed.plan.steps.length === 0;
    return {
      kind: 'live',
      revision: rendering.revision,
      changed: isUnchanged ? undefined : changed,
      tookMs: clock.now() - began,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof InputError) return { kind: 'wrong', diagnostics: error.diagnostics };
    if (error instanceof LockedError) return { kind: 'postponed', why: error.why };
    const unreachable = unreachableEngine(error);
    if (unreachable !== undefined) {
      return { kind: 'postponed', why: `the engine does not answer: ${unreachable.message}` };
    }
    if (error instanceof EngineError) {
      return { kind: 'refused', error: new StackError({ doing: error.doing, why: error.message, cause: error }) };
    }
    if (error instanceof StackError) return { kind: 'refused', error };
    throw error;
  }
}

/** The engine's failure to answer, where that is the error or one of its causes. */
function unreachableEngine(error: unknown): EngineError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof EngineError && cause.code === 'unreachable') return cause;
  }
  return undefined;
}
