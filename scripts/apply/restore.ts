import type { Desired } from '../plan/desired.ts';
import { observe } from '../plan/observe.ts';
import { reconcile } from '../plan/reconcile.ts';
import type { Report } from '../util/event.ts';
import { createExecutors, type ExecutorContext } from './executors.ts';
import { runPlan } from './run-plan.ts';

/** How long going back may take in all: each step has a deadline of its own, of which that of a reload is the longest. */
const goBackMs = 420_000;

/** What going back needs. */
export interface RestoreOptions extends ExecutorContext {
  readonly previous: Desired;
  /** Services that are left as they are though they did not run before. */
  readonly leave: ReadonlySet<string>;
  readonly report: Report;
}

/**
 * Makes what ran before the desired state and carries that out, whatever signal ended the change. Answers why it could
 * not, with what runs where now.
 */
export async function restorePrevious(options: RestoreOptions): Promise<{ readonly failed: string | undefined }> {
  const signal = AbortSignal.timeout(goBackMs);
  try {
    const first = await tryGoingBack(options, signal, new Set());
    if (first.failed.length === 0) return { failed: undefined };
    // A server that was dying when it was looked at has died by now: that calls for other steps.
    const { failed, unconfirmed } = await tryGoingBack(options, signal, first.unconfirmed);
    if (failed.length === 0) return { failed: undefined };
    return { failed: [...failed, ...(await whereItStands(options, unconfirmed))].join('\n  ') };
  } catch (error) {
    return { failed: (error as Error).message };
  }
}

/** How a try ended: why what failed did, and the services that it leaves without a proof. */
interface RestoreAttempt {
  readonly failed: readonly string[];
  readonly unconfirmed: ReadonlySet<string>;
}

/** Looks, and takes the steps that are needed: for services without a proof too, whose files are in place by now. */
async function tryGoingBack(
  options: RestoreOptions,
  signal: AbortSignal,
  unconfirmed: ReadonlySet<string>,
): Promise<RestoreAttempt> {
  const { engine, reach, files, previous, leave, report, clock } = options;
  const observed = await observe(engine, previous, reach, { files });
  const plan = reconcile(previous, observed, { leave, unrecorded: true, unconfirmed });
  const executors = createExecutors({ ...options, desired: previous });
  const { failed, skipped } = await runPlan(plan.steps, executors, { report, clock, signal });
  const why = failed.map(({ error }) => (error as Error).message.replaceAll('\n', '\n  '));
  const undone = [...failed.map(({ step }) => step), ...skipped];
  return {
    failed: why.length === 0 && skipped.length > 0 ? ['it took too long'] : why,
    unconfirmed: new Set(undone.flatMap((step) => (step.do === 'confirm' ? [step.service] : []))),
  };
}

/** One line a service: what runs, by looking again. */
async function whereItStands(
  { engine, reach, files, previous }: RestoreOptions,
  unconfirmed: ReadonlySet<string>,
): Promise<readonly string[]> {
  const observed = await observe(engine, previous, reach, { files, asked: 'all' });
  return previous.services.map(({ service, release }) => {
    const found = observed.services.get(service.name);
    if (found === undefined) return `${service.name}: it has no container now`;
    if (found.container.state !== 'running') return `${service.name}: its container is ${found.container.state}`;
    if (release === undefined) return `${service.name}: it runs`;
    const isAsked = service.proofs(release).length > 0;
    const doubt = !isAsked && unconfirmed.has(service.name) ? 'that it took them is not confirmed' : found.unproven;
    if (found.linked === release.revision && doubt === undefined) {
      return `${service.name}: it runs revision ${release.revision}, as before`;
    }
    return `${service.name}: it runs, with the files of revision ${found.linked} in place: ${doubt ?? 'not asked'}`;
  });
}
