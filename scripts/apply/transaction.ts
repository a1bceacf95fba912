import { observe } from '../plan/observe.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { reconcile } from '../plan/reconcile.ts';
import { StackError } from '../util/stack-error.ts';
import { createExecutors, type Workshop } from './executors.ts';
import { type Outcome, runPlan } from './run-plan.ts';
import type { Desired } from '../plan/desired.ts';
import type { Report } from '../report/event.ts';

/** What a transaction needs beside its plan. */
export interface TransactionOptions extends Workshop {
  /** What ran before, to go back to; undefined when nothing did. */
  readonly former: Desired | undefined;
  /** Services that had a container before, running or not: going back removes none of them. */
  readonly present: ReadonlySet<string>;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly afterStep?: ((step: Step) => void) | undefined;
}

/**
 * Carries out a plan as a whole: when a step fails after something that runs was touched, everything goes back to what
 * ran before, and that is confirmed as well. Throws the error of the step that failed; it says where the stack is now.
 */
export async function transact(plan: Plan, options: TransactionOptions): Promise<void> {
  const outcome = await runPlan(plan.steps, createExecutors(options), options);
  const [failure] = outcome.failed;
  if (failure === undefined && outcome.skipped.length === 0) return;
  if (options.signal.aborted) throw interrupted(options.signal);
  const error = failure?.error ?? new Error('steps of the plan were not begun and none of them failed');
  if (options.former === undefined || options.former.services.length === 0 || !touchesRunning(outcome)) throw error;
  const ended = await goBack(options, options.former);
  if (ended === undefined) throw withNote(error, 'everything was put back to what ran before, and that is confirmed');
  throw withNote(error, `going back to what ran before failed as well: ${ended}\n  promstack status says what runs where`);
}

/** Steps after which something that runs differs from what ran before. */
const touching: ReadonlySet<Step['do']> = new Set(['switchReleases', 'stopContainer', 'removeContainer', 'reload', 'startContainer']);

function touchesRunning({ done, failed }: Outcome): boolean {
  return [...done, ...failed.map(({ step }) => step)].some((step) => touching.has(step.do));
}

/** Makes the former state the desired one and carries that out; answers why it could not be. */
async function goBack(options: TransactionOptions, former: Desired): Promise<string | undefined> {
  const { engine, reach, report } = options;
  report({ kind: 'phase', name: 'rolling back' });
  try {
    const plan = reconcile(former, await observe(engine, former, reach), { leave: options.present });
    const shop = { ...options, desired: former };
    const outcome = await runPlan(plan.steps, createExecutors(shop), { ...options, afterStep: undefined });
    return outcome.failed.map(({ error }) => (error as Error).message).join('\n  ') || undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function withNote(error: unknown, note: string): unknown {
  if (!(error instanceof StackError)) return error;
  const { doing, why, tryThis, cause } = error;
  return new StackError({ doing, why: `${why}\n  ${note}`, tryThis, cause: cause ?? error });
}

function interrupted(signal: AbortSignal): unknown {
  return signal.reason ?? new Error('interrupted');
}
