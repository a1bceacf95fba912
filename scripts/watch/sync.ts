import type { Diagnostic } from '../../stack/diagnostic.ts';
import { type Changed, changeStack } from '../apply/change.ts';
import type { Run } from '../apply/run.ts';
import { EngineError, toStackError } from '../engine/engine-error.ts';
import { OtherOriginError } from '../plan/origin.ts';
import type { Rendering } from '../render/rendering.ts';
import { LockedError } from '../state/lock.ts';
import { InputError, InterruptedError, StackError } from '../util/stack-error.ts';

/** The result of one read of the files. */
export type Synced =
  /** The stack runs the files; `changed` is undefined if it already did. */
  | {
      readonly kind: 'live';
      readonly stack: string;
      readonly revision: string;
      readonly changed: Changed | undefined;
      readonly tookMs: number;
    }
  /** The files are invalid; the stack still runs the previous ones. */
  | { readonly kind: 'wrong'; readonly diagnostics: readonly Diagnostic[] }
  /** A server or the engine rejected them; the error says what runs. */
  | { readonly kind: 'refused'; readonly error: StackError }
  /** The engine cannot be reached, or another command holds the lock: to be retried. */
  | { readonly kind: 'postponed'; readonly why: string };

export interface TakeOverOptions {
  /** Manage the stack from this file, even if it was managed from a different one. */
  readonly takeOver?: boolean | undefined;
  /** Asks whether to do so; without it, such a change is refused. */
  readonly mayTakeOver?: ((error: OtherOriginError) => Promise<boolean>) | undefined;
}

/** Applies a rendering like `reload`. Rejects only on an abort or an internal error. */
export async function syncStack(
  rendering: Rendering,
  options: Run & TakeOverOptions & { readonly runTests: boolean; readonly followsTargets: boolean },
): Promise<Synced> {
  const { clock, signal } = options;
  const startedAt = clock.now();
  try {
    const changed = await changeStack({ ...options, rendering, command: 'watch', filesOnly: true, hasChanged: true });
    const isUnchanged = changed.plan.steps.length === 0;
    return {
      kind: 'live',
      stack: rendering.config.name,
      revision: rendering.revision,
      changed: isUnchanged ? undefined : changed,
      tookMs: clock.now() - startedAt,
    };
  } catch (error) {
    if (error instanceof InterruptedError) options.report({ kind: 'note', text: error.message });
    signal.throwIfAborted();
    if (error instanceof InputError) return { kind: 'wrong', diagnostics: error.diagnostics };
    if (error instanceof LockedError) return { kind: 'postponed', why: error.why };
    if (error instanceof OtherOriginError && (await options.mayTakeOver?.(error)) === true) {
      return syncStack(rendering, { ...options, takeOver: true });
    }
    const unreachable = unreachableEngine(error);
    if (unreachable !== undefined) {
      return { kind: 'postponed', why: `the engine does not answer: ${unreachable.message}` };
    }
    if (error instanceof EngineError) {
      return { kind: 'refused', error: toStackError(error) };
    }
    if (error instanceof StackError) return { kind: 'refused', error };
    throw error;
  }
}

/** The error of a failed connection to the engine, if it is the error or one of its causes. */
function unreachableEngine(error: unknown): EngineError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof EngineError && cause.code === 'unreachable') return cause;
  }
  return undefined;
}
