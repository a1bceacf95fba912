import { EngineError } from '../engine/engine.ts';
import type { Desired } from '../plan/desired.ts';
import { observe } from '../plan/observe.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { reconcile } from '../plan/reconcile.ts';
import type { Report } from '../util/event.ts';
import { StackError } from '../util/stack-error.ts';
import { createExecutors, type ExecutorContext } from './executors.ts';
import { type PlanOutcome, runPlan } from './run-plan.ts';

/** How long going back may take in all; a reload has the longest deadline of its steps. */
const restoreMs = 420_000;

/** What recovering from a failed change needs. */
export interface RecoverOptions extends ExecutorContext {
  readonly previous: Desired;
  /** The services that had a container before, running or not: going back removes none of them. */
  readonly observed: { readonly services: ReadonlyMap<string, unknown> };
  readonly report: Report;
  readonly signal: AbortSignal;
  /** Notes in the history that the revision was rolled back, and why. */
  record(refused?: string): Promise<void>;
}

/**
 * Called when a step has failed or the user has interrupted: when something that runs was touched, everything goes back
 * to what ran before, and that is confirmed as well. Always throws: the error of the failed step, with where the stack is now.
 */
export async function recover(plan: Plan, outcome: PlanOutcome, options: RecoverOptions): Promise<never> {
  const { report, signal, previous, observed } = options;
  const cause = outcome.failed[0]?.error ?? signal.reason;
  const error =
    cause instanceof EngineError
      ? new StackError({ doing: `changing the stack ${plan.stack}`, why: `${cause.doing}: ${cause.message}`, cause })
      : cause;

  const stopped = await stopFailing(outcome, options);
  const leftStopped = stopped.map(
    (service) => `${service} was stopped; its container is left so that its log can be read`,
  );
  if (previous.services.length === 0 || !touchesRunning(outcome)) throw withNotes(error, leftStopped);

  const failure = await restore(options, new Set([...observed.services.keys(), ...stopped]));
  const notes =
    failure === undefined
      ? ['everything was rolled back to what ran before, and that is confirmed', ...leftStopped]
      : [`rolling back to what ran before failed as well: ${failure}`, ...leftStopped];
  if (signal.aborted) {
    // No error is printed for a command that was asked to stop.
    report({ kind: failure === undefined ? 'note' : 'warning', text: notes.join('\n') });
    throw signal.reason;
  }
  await options.record(whyOf(error)).catch(() => undefined);
  // An internal error has no room for notes, but where the stack is now has to be said anyway.
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

/** A step that failed or was interrupted may have taken effect anyway. */
function touchesRunning({ done, failed }: PlanOutcome): boolean {
  return [...done, ...failed.map(({ step }) => step)].some((step) => touching.has(step.do));
}

/** A server that did not come up would be restarted for ever: it is stopped, unless going back replaces it. */
async function stopFailing({ done, failed }: PlanOutcome, options: RecoverOptions): Promise<readonly string[]> {
  const { engine, containers, previous, signal } = options;
  if (signal.aborted) return [];
  const started = new Set(done.flatMap((step) => (step.do === 'startContainer' ? [step.service] : [])));
  const failing = failed.flatMap(({ step }) =>
    (step.do === 'waitReady' || step.do === 'confirm') && started.has(step.service) ? [step.service] : [],
  );
  const ranBefore = new Set(previous.services.map(({ service }) => service.name));
  const stopping = [...new Set(failing)].filter((service) => !ranBefore.has(service));
  await Promise.all(
    stopping.map((service) => engine.stopContainer(containers.get(service) ?? '', 5).catch(() => undefined)),
  );
  return stopping;
}

/** Makes what ran before the desired state and applies that, whatever ended the change. Answers why it could not, with what runs now. */
async function restore(options: RecoverOptions, leave: ReadonlySet<string>): Promise<string | undefined> {
  const signal = AbortSignal.timeout(restoreMs);
  try {
    const first = await tryRestore(options, leave, signal, new Set());
    if (first.failed.length === 0) return undefined;
    // A server that was dying when it was looked at is dead by now: that calls for other steps.
    const second = await tryRestore(options, leave, signal, first.unconfirmed);
    if (second.failed.length === 0) return undefined;
    return [...second.failed, ...(await whatRunsNow(options, second.unconfirmed))].join('\n  ');
  } catch (error) {
    return (error as Error).message;
  }
}

/** How an attempt ended: why what failed did, and the services that are left without a proof. */
interface RestoreAttempt {
  readonly failed: readonly string[];
  readonly unconfirmed: ReadonlySet<string>;
}

/** Looks, and takes the steps that are needed; services that are unconfirmed are asked again, though their files are in place. */
async function tryRestore(
  options: RecoverOptions,
  leave: ReadonlySet<string>,
  signal: AbortSignal,
  unconfirmed: ReadonlySet<string>,
): Promise<RestoreAttempt> {
  const { engine, client, files, previous } = options;
  const observed = await observe(engine, previous, client, { files });
  const plan = reconcile(previous, observed, { leave, unrecorded: true, unconfirmed });
  const executors = createExecutors({ ...options, desired: previous, written: undefined });
  // What can be restored is, though something else cannot.
  const { failed, skipped } = await runPlan(plan.steps, executors, { ...options, signal, keepGoing: true });
  const why = failed.map(({ error }) => (error as Error).message.replaceAll('\n', '\n  '));
  const undone = [...failed.map(({ step }) => step), ...skipped];
  return {
    failed: why.length === 0 && skipped.length > 0 ? ['it took too long'] : why,
    unconfirmed: new Set(undone.flatMap((step) => (step.do === 'confirm' ? [step.service] : []))),
  };
}

/** One line a service: what runs, by looking again. */
async function whatRunsNow(
  { engine, client, files, previous }: RecoverOptions,
  unconfirmed: ReadonlySet<string>,
): Promise<readonly string[]> {
  const observed = await observe(engine, previous, client, { files, proofs: 'all' });
  return previous.services.map(({ service, release }) => {
    const present = observed.services.get(service.name);
    if (present === undefined) return `${service.name}: it has no container now`;
    if (present.container.state !== 'running') return `${service.name}: its container is ${present.container.state}`;
    if (release === undefined) return `${service.name}: it is running`;
    const isAsked = service.proofs(release).length > 0;
    const doubt =
      !isAsked && unconfirmed.has(service.name) ? 'whether it took them is not confirmed' : present.unproven;
    if (present.linked === release.revision && doubt === undefined) {
      return `${service.name}: it runs revision ${release.revision}, as before`;
    }
    return `${service.name}: it is running, with the files of revision ${present.linked} in place: ${doubt ?? 'not asked'}`;
  });
}

const whyOf = (error: unknown): string =>
  error instanceof StackError ? `${error.doing}: ${error.why}` : String(error);

function withNotes(error: unknown, notes: readonly string[]): unknown {
  if (!(error instanceof StackError) || notes.length === 0) return error;
  const { doing, why, tryThis, cause } = error;
  return new StackError({ doing, why: [why, ...notes].join('\n  '), tryThis, cause: cause ?? error });
}
