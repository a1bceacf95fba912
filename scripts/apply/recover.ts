import { counted } from '../../stack/values/words.ts';
import { EngineError } from '../engine/engine-error.ts';
import type { Desired } from '../plan/desired.ts';
import { observe } from '../plan/observe.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { reconcile } from '../plan/reconcile.ts';
import { LockedOutError } from '../servers/service-driver.ts';
import type { Report } from '../util/event.ts';
import { InterruptedError, isAbort, StackError } from '../util/stack-error.ts';
import { createExecutors, type ExecutorContext } from './executors.ts';
import { type PlanOutcome, runPlan } from './run-plan.ts';

/** How long a rollback may take in total; of its steps, a reload has the longest deadline. */
const restoreMs = 420_000;

export interface RecoverOptions extends ExecutorContext {
  readonly previous: Desired;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** Records in the history that the revision was rolled back, and why. */
  record(refused?: string): Promise<void>;
}

/**
 * Called when a step has failed or the user has interrupted. If anything running was changed, restores the previous state
 * and confirms it. Always throws the error of the failed step, with a note on the current state of the stack.
 */
export async function recover(plan: Plan, outcome: PlanOutcome, options: RecoverOptions): Promise<never> {
  const { report, signal, previous, observed } = options;
  const cause = outcome.failed[0]?.error ?? signal.reason;
  const error =
    cause instanceof EngineError
      ? new StackError({
          doing: `changing the stack ${plan.stack}`,
          why: `${cause.doing}: ${cause.message}`,
          tryThis: cause.tryThis,
          cause,
        })
      : cause;

  const stopped = await stopFailing(outcome, options);
  const leftStopped = stopped.map(
    (service) => `${service} was stopped; its container is left so that its log can be read`,
  );
  if (previous.services.length === 0 || !touchesRunning(outcome, options.links.areSwitched)) {
    if (signal.aborted) throw interruptedWith(outcome, options);
    if (options.links.areSwitched) await options.record(whyOf(error)).catch(() => undefined);
    throw withNotes(error, leftStopped);
  }

  const failure = await restore(options, new Set([...observed.services.keys(), ...stopped]), failedServices(outcome));
  const notes =
    failure === undefined
      ? ['everything was rolled back to what ran before, and that is confirmed', ...leftStopped]
      : [`rolling back to what ran before failed as well: ${failure}`, ...leftStopped];
  if (signal.aborted) {
    throw new InterruptedError({ left: [...notes, ...genuine(outcome, signal)].join('\n  '), cause: signal.reason });
  }
  await options.record(whyOf(error)).catch(() => undefined);
  // Notes cannot be added to an internal error, but the state of the stack must be reported.
  if (!(error instanceof StackError)) report({ kind: 'warning', text: notes.join('\n') });
  throw withNotes(error, notes);
}

/** The error of an interrupt that is not rolled back, since nothing that ran before was changed. */
function interruptedWith(outcome: PlanOutcome, { previous, signal }: RecoverOptions): InterruptedError {
  // An interrupted step may have taken effect.
  const steps = [...outcome.done, ...outcome.failed.map(({ step }) => step)];
  const networks = steps.flatMap((step) => (step.do === 'createNetwork' ? [`the network ${step.name}`] : []));
  const volumes = steps.filter((step) => step.do === 'createVolume').length;
  const servicesOf = (kind: 'createContainer' | 'startContainer'): readonly string[] =>
    steps.flatMap((step) => (step.do === kind ? [step.service] : []));
  const [containers, started] = [servicesOf('createContainer'), servicesOf('startContainer')];
  const created = [
    ...networks,
    ...(volumes === 0 ? [] : [counted(volumes, 'volume')]),
    ...(containers.length === 0
      ? []
      : [`the container${containers.length === 1 ? '' : 's'} of ${containers.join(', ')}`]),
  ].join(', ');
  const left = [
    ...(previous.services.length === 0 ? [] : ['nothing that ran before was changed']),
    ...(created === '' ? [] : [`created so far: ${created}`]),
    ...(started.length === 0 ? [] : [`started so far: ${started.join(', ')}`]),
  ].join('; ');
  const isFirst = previous.services.length === 0 && steps.length > 0;
  return new InterruptedError({
    left: [left === '' ? 'nothing was changed' : left, ...genuine(outcome, signal)].join('\n  '),
    tryThis: isFirst ? 'promstack up continues; promstack down removes what was created, and keeps volumes' : undefined,
    cause: signal.reason,
  });
}

/** Why steps failed that were not interrupted themselves. */
function genuine({ failed }: PlanOutcome, signal: AbortSignal): readonly string[] {
  return failed.flatMap(({ error }) => (isAbort(error, signal) ? [] : [`before that, it failed: ${whyOf(error)}`]));
}

/** Steps that change something running. */
const touching: ReadonlySet<Step['do']> = new Set([
  'switchReleases',
  'stopContainer',
  'removeContainer',
  'reload',
  'startContainer',
]);

/** A failed or interrupted step may have taken effect. */
function touchesRunning({ done, failed }: PlanOutcome, areSwitched: boolean): boolean {
  return [...done, ...failed.map(({ step }) => step)].some(
    (step) => touching.has(step.do) && (areSwitched || step.do !== 'switchReleases'),
  );
}

/** Stops servers that did not start, which the engine would restart forever, unless the rollback replaces them. */
async function stopFailing({ done, failed }: PlanOutcome, options: RecoverOptions): Promise<readonly string[]> {
  const { engine, containers, previous, signal } = options;
  if (signal.aborted) return [];
  const started = new Set(done.flatMap((step) => (step.do === 'startContainer' ? [step.service] : [])));
  const failing = failed.flatMap(({ step, error }) =>
    !(error instanceof LockedOutError) &&
    (step.do === 'waitReady' || step.do === 'confirm') &&
    started.has(step.service)
      ? [step.service]
      : [],
  );
  const ranBefore = new Set(previous.services.map(({ service }) => service.name));
  const stopping = [...new Set(failing)].filter((service) => !ranBefore.has(service));
  await Promise.all(
    stopping.map((service) => engine.stopContainer(containers.get(service) ?? '', 5).catch(() => undefined)),
  );
  return stopping;
}

/** The services that did not start or were not confirmed: one may look as before, and exit again and again. */
function failedServices({ failed }: PlanOutcome): ReadonlySet<string> {
  return new Set(
    failed.flatMap(({ step }) => (step.do === 'waitReady' || step.do === 'confirm' ? [step.service] : [])),
  );
}

/** Applies the previous state. Returns why that failed and what runs now, or undefined. */
async function restore(
  options: RecoverOptions,
  leave: ReadonlySet<string>,
  unconfirmed: ReadonlySet<string>,
): Promise<string | undefined> {
  const signal = AbortSignal.timeout(restoreMs);
  try {
    const first = await tryRestore(options, leave, signal, unconfirmed);
    if (first.failed.length === 0) return undefined;
    // A server may have exited since the first observation, which needs other steps.
    const second = await tryRestore(options, leave, signal, first.unconfirmed);
    if (second.failed.length === 0) return undefined;
    return [...second.failed, ...(await whatRunsNow(options, second.unconfirmed))].join('\n  ');
  } catch (error) {
    return (error as Error).message;
  }
}

/** The result of an attempt: the reasons of failures, and the services that are not confirmed. */
interface RestoreAttempt {
  readonly failed: readonly string[];
  readonly unconfirmed: ReadonlySet<string>;
}

/** Observes and runs the needed steps; unconfirmed services are confirmed again although their files are linked. */
async function tryRestore(
  options: RecoverOptions,
  leave: ReadonlySet<string>,
  signal: AbortSignal,
  unconfirmed: ReadonlySet<string>,
): Promise<RestoreAttempt> {
  const { engine, client, files, previous } = options;
  const observed = await observe(engine, previous, client, { files });
  const plan = reconcile(previous, observed, { leave, unrecorded: true, unconfirmed });
  const executors = createExecutors({
    ...options,
    observed,
    desired: previous,
    written: undefined,
    loaded: undefined,
    isRestored: true,
  });
  // One failure must not prevent the restoration of other services.
  const { failed, skipped } = await runPlan(plan.steps, executors, { ...options, signal, keepGoing: true });
  const why = failed.map(({ error }) => (error as Error).message.replaceAll('\n', '\n  '));
  const undone = [...failed.map(({ step }) => step), ...skipped];
  return {
    failed: why.length === 0 && skipped.length > 0 ? ['it took too long'] : why,
    unconfirmed: new Set(undone.flatMap((step) => (step.do === 'confirm' ? [step.service] : []))),
  };
}

/** What runs after a new observation, one line per service. */
async function whatRunsNow(
  { engine, client, files, previous }: RecoverOptions,
  unconfirmed: ReadonlySet<string>,
): Promise<readonly string[]> {
  const observed = await observe(engine, previous, client, { files, proofs: 'all' });
  return previous.services.map(({ service, release }) => {
    const current = observed.services.get(service.name);
    if (current === undefined) return `${service.name}: it has no container now`;
    if (current.container.state !== 'running') return `${service.name}: its container is ${current.container.state}`;
    if (release === undefined) return `${service.name}: it is running`;
    const hasProofs = service.proofs(release).length > 0;
    const doubt =
      !hasProofs && unconfirmed.has(service.name) ? 'it is not confirmed that it loaded them' : current.unproven;
    if (current.linked === release.revision && doubt === undefined) {
      return `${service.name}: it runs revision ${release.revision}, as before`;
    }
    return `${service.name}: it is running, with the files of revision ${current.linked} in place: ${doubt ?? 'not confirmed'}`;
  });
}

const whyOf = (error: unknown): string =>
  error instanceof StackError ? `${error.doing}: ${error.why}` : String(error);

function withNotes(error: unknown, notes: readonly string[]): unknown {
  if (!(error instanceof StackError) || notes.length === 0) return error;
  const { doing, why, tryThis, cause } = error;
  return new StackError({ doing, why: [why, ...notes].join('\n  '), tryThis, cause: cause ?? error });
}
