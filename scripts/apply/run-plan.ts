import { type Action, describe, type EngineAction, isInternal, type Step } from '../plan/plan.ts';
import type { Clock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import { StackError } from '../util/stack-error.ts';

/** One function for each kind of step; executors decide nothing. */
export type Executors<A extends Action = EngineAction> = {
  readonly [K in A['do']]: (step: Step<Extract<A, { do: K }>>, context: StepContext) => Promise<void>;
};

/** The context of a running step. */
export interface StepContext {
  /** Aborted when the user interrupts, or when another step has failed. */
  readonly signal: AbortSignal;
  /** Reports progress as text. */
  onProgress(detail: string): void;
  /** Reports something the user should know although nothing failed. */
  note(text: string): void;
}

/** The result of a plan: every step is in exactly one of the lists. */
export interface PlanOutcome<A extends Action = EngineAction> {
  readonly done: readonly Step<A>[];
  readonly failed: readonly { readonly step: Step<A>; readonly error: unknown }[];
  readonly skipped: readonly Step<A>[];
}

/**
 * Runs the steps in parallel, each after its dependencies. After the first failure no step starts, and running steps are
 * aborted and awaited, so that nothing runs after the return.
 */
export async function runPlan<A extends Action>(
  steps: readonly Step<A>[],
  executors: Executors<A>,
  options: {
    readonly report: Report;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    /** A failure skips only the steps that depend on the failed one. */
    readonly keepGoing?: boolean | undefined;
    /** Called after a step has succeeded, before its dependents start. */
    readonly afterStep?: ((step: Step<A>) => void) | undefined;
  },
): Promise<PlanOutcome<A>> {
  const { report, clock } = options;
  const failing = new AbortController();
  const signal = AbortSignal.any([options.signal, failing.signal]);
  const done: Step<A>[] = [];
  const failed: { step: Step<A>; error: unknown }[] = [];
  const skipped: Step<A>[] = [];
  const ends = new Map<number, Promise<boolean>>();

  for (const step of steps) {
    // Steps depend only on earlier ones, so their promises exist.
    const dependencies = step.after.map((id) => ends.get(id) ?? Promise.resolve(false));
    ends.set(step.id, perform(step, dependencies));
  }
  await Promise.all(ends.values());
  // Waits that outlive their step, such as one for a container's exit, keep a connection to the engine open.
  failing.abort(new Error('the plan is done'));
  return { done, failed, skipped };

  async function perform(step: Step<A>, dependencies: readonly Promise<boolean>[]): Promise<boolean> {
    const mayStart = (await Promise.all(dependencies)).every(Boolean) && !signal.aborted;
    const id = `step-${step.id}`;
    const what = describe(step);
    if (!mayStart) {
      skipped.push(step);
      return false;
    }
    const startedAt = clock.now();
    report({ kind: 'started', id, what, isInternal: isInternal(step) || undefined });
    const onProgress = (detail: string): void => report({ kind: 'progress', id, what, detail });
    const note = (text: string): void => report({ kind: 'note', text });
    try {
      await execute(executors, step, { signal, onProgress, note });
    } catch (error) {
      // A step aborted because another step failed has not failed itself.
      if (failing.signal.aborted) {
        report({ kind: 'skipped', id, what, because: 'another step failed' });
        skipped.push(step);
        return false;
      }
      failed.push({ step, error });
      report({ kind: 'failed', id, what, why: firstLine(error) });
      if (options.keepGoing !== true) failing.abort(new Error(`${what} failed`));
      return false;
    }
    done.push(step);
    report({ kind: 'done', id, what, tookMs: clock.now() - startedAt, isInternal: isInternal(step) || undefined });
    options.afterStep?.(step);
    return true;
  }
}

function firstLine(error: unknown): string {
  const why =
    error instanceof StackError ? (error.brief ?? error.why) : error instanceof Error ? error.message : String(error);
  return why.split('\n')[0] ?? '';
}

function execute<A extends Action>(executors: Executors<A>, step: Step<A>, context: StepContext): Promise<void> {
  // TypeScript cannot relate a member of the union to its executor.
  const executor = executors[step.do as A['do']] as (step: Step<A>, context: StepContext) => Promise<void>;
  return executor(step, context);
}
