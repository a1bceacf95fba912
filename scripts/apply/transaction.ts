import { EngineError } from '../engine/engine.ts';
import type { Desired } from '../plan/desired.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { Report } from '../util/event.ts';
import { StackError } from '../util/stack-error.ts';
import { createExecutors, type ExecutorContext } from './executors.ts';
import { restorePrevious } from './restore.ts';
import { type PlanOutcome, runPlan } from './run-plan.ts';

/** What a transaction needs beside its plan. */
interface TransactionOptions extends ExecutorContext {
  /** What ran before, to go back to; without services when nothing did. */
  readonly previous: Desired;
  /** Services that had a container before, running or not: going back removes none of them. */
  readonly present: ReadonlySet<string>;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly afterStep?: ((step: Step) => void) | undefined;
  /** Notes in the history that the revision was taken back, and why. */
  recordRefused(why: string): Promise<void>;
}

/**
 * Carries out a plan as a whole: when a step fails, or the person interrupts, after something that runs was touched,
 * everything goes back to what ran before, and that is confirmed as well. Throws the error of the step that failed; it
 * says where the stack is now.
 */
export async function transact(plan: Plan, options: TransactionOptions): Promise<void> {
  const { report, signal, previous } = options;
  const outcome = await runPlan(plan.steps, createExecutors(options), options);
  const [failure] = outcome.failed;
  if (failure === undefined && outcome.skipped.length === 0) return;
  const error = toStackError(failure?.error ?? signal.reason, `changing the stack ${plan.stack}`);

  const stopped = await stopFailing(outcome, options);
  const leftStopped = stopped.map((service) => `${service} was stopped; its container is left for a look at its log`);
  if (previous.services.length === 0 || !touchesRunning(outcome)) throw withNotes(error, leftStopped);

  report({ kind: 'phase', name: 'rolling back' });
  const { failed } = await restorePrevious({ ...options, leave: new Set([...options.present, ...stopped]) });
  const notes =
    failed === undefined
      ? ['everything was put back to what ran before, and that is confirmed', ...leftStopped]
      : [`going back to what ran before failed as well: ${failed}`, ...leftStopped];
  if (signal.aborted) {
    // The frame prints no error of work that was asked to stop.
    report({ kind: failed === undefined ? 'note' : 'warning', text: notes.join('\n') });
    throw signal.reason;
  }
  await options.recordRefused(whyOf(error)).catch(() => undefined);
  // A mistake of ours has no place for notes, but where the stack is now has to be said all the same.
  if (!(error instanceof StackError)) report({ kind: 'warning', text: notes.join('\n') });
  throw withNotes(error, notes);
}

/** Steps after which something that runs differs from what ran before. */
const touching: ReadonlySet<Step['do']> = new Set([
  'switchReleases',
  'stopContainer',
  'removeContainer',
  'reload',
  'startContainer',
]);

/** What failed or was cut short may have come through all the same. */
function touchesRunning({ done, failed }: PlanOutcome): boolean {
  return [...done, ...failed.map(({ step }) => step)].some((step) => touching.has(step.do));
}

/** A server that did not come up would be restarted for ever: it is stopped, unless going back puts another in its place. */
async function stopFailing({ done, failed }: PlanOutcome, options: TransactionOptions): Promise<readonly string[]> {
  const { engine, containers, previous, signal } = options;
  if (signal.aborted) return [];
  const started = new Set(done.flatMap((step) => (step.do === 'startContainer' ? [step.service] : [])));
  const failing = failed.flatMap(({ step }) =>
    (step.do === 'waitReady' || step.do === 'confirm') && started.has(step.service) ? [step.service] : [],
  );
  const isKept = (service: string): boolean => previous.services.some((one) => one.service.name === service);
  const doomed = [...new Set(failing)].filter((service) => !isKept(service));
  await Promise.all(
    doomed.map((service) => engine.stopContainer(containers.get(service) ?? '', 5).catch(() => undefined)),
  );
  return doomed;
}

const whyOf = (error: unknown): string =>
  error instanceof StackError ? `${error.doing}: ${error.why}` : String(error);

function withNotes(error: unknown, notes: readonly string[]): unknown {
  if (!(error instanceof StackError) || notes.length === 0) return error;
  const { doing, why, tryThis, cause } = error;
  return new StackError({ doing, why: [why, ...notes].join('\n  '), tryThis, cause: cause ?? error });
}

/** The engine's refusal as an error for a person; any other error stays what it is. */
function toStackError(error: unknown, doing: string): unknown {
  if (!(error instanceof EngineError)) return error;
  return new StackError({ doing, why: `${error.doing}: ${error.message}`, cause: error });
}
