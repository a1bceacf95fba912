import type { Service } from '../../../stack/service.ts';
import { EngineError } from '../../engine/engine-error.ts';
import { ensureImages } from '../../engine/images/ensure.ts';
import { resolvedImages } from '../../engine/images/outcome.ts';
import type { Plan, SwarmAction } from '../../plan/plan.ts';
import { forRunningImages } from '../../plan/substitutes.ts';
import { checkOwner } from '../../plan/swarm/owner.ts';
import { checkPlaces, imageForClient, observeStack, requireManager, targetOf, urlsOf } from '../../plan/swarm/place.ts';
import { reconcileSwarm } from '../../plan/swarm/reconcile.ts';
import { knownSecrets, type SwarmTarget } from '../../plan/swarm/target.ts';
import { takeLock } from '../../state/lock.ts';
import { originLabels } from '../../state/origin.ts';
import { swarmLocks } from '../../state/swarm/lock-store.ts';
import { endRecord, lastConfirmed } from '../../state/swarm/records.ts';
import { removeLeftReaders } from '../../state/swarm/secret-reader.ts';
import { openTaskClient, removeLeftClients } from '../../state/swarm/task-client.ts';
import { InterruptedError, StackError, unchangedIfInterrupted } from '../../util/stack-error.ts';
import type { Changed, ChangeOptions } from '../change.ts';
import { crashPoint } from '../crash-point.ts';
import type { Run } from '../run.ts';
import { type PlanOutcome, runPlan } from '../run-plan.ts';
import { validateInContainers } from '../validate.ts';
import { type SwarmContext, swarmExecutors } from './executors.ts';
import { findHealthChecks } from './health-checks.ts';

/** How long a rollback may take in total. */
const restoreMs = 900_000;

export type SwarmChangeOptions = Pick<ChangeOptions, 'rendering' | 'command' | 'recreate' | 'takeOver'> & Run;

/** The result of a change on a swarm. */
export type SwarmChanged = Pick<Changed, 'urls'> & { readonly plan: Plan<SwarmAction> };

/**
 * Applies a rendering to a swarm as a whole, or rolls it back as a whole: what `up` and `reload` do. Nothing is touched before
 * the files are validated; then one service after another is updated, and each of its tasks confirmed.
 */
export function changeSwarm(options: SwarmChangeOptions): Promise<SwarmChanged> {
  return unchangedIfInterrupted(change(options), options.signal);
}

async function change(given: SwarmChangeOptions): Promise<SwarmChanged> {
  const { engine, report, signal, command, recreate = false, takeOver } = given;
  // Fails when it is no manager, before images are pulled.
  const cluster = await requireManager(engine);
  const required = given.rendering.services.map(({ container }) => ({
    service: container.service,
    reference: container.image,
  }));
  const outcomes = await ensureImages(engine, required, given.rendering.config.images, report, signal);
  const { imageOf } = resolvedImages(outcomes, 'swarm');
  const rendering = forRunningImages(given.rendering, { get: imageOf });
  const { config, origin } = rendering;
  const stack = config.name;
  const checks = await findHealthChecks(engine, rendering, imageOf, given.env);
  const compare = async () => {
    const observed = await observeStack(engine, stack);
    const target = targetOf(rendering, observed, { cluster, image: (reference) => imageOf(reference).ref, checks });
    return { observed, target, plan: reconcileSwarm(target, observed, { recreate }) };
  };

  const first = await compare();
  if (first.plan.steps.length === 0) return { plan: first.plan, urls: urlsOf(first.target, first.observed) };
  await checkOwner(engine, first.observed, { stack, origin, takeOver });
  await using _lock = await takeLock({ ...given, engine: swarmLocks(engine.swarm, stack), stack });
  const { observed, target, plan } = await compare();
  if (plan.steps.length === 0) return { plan, urls: urlsOf(target, observed) };
  await checkOwner(engine, observed, { stack, origin, takeOver });
  checkPlaces(target, observed, rendering, plan);
  const changed = new Set(plan.changes.flatMap(({ service, action }) => (action === 'none' ? [] : [service])));
  await validateInContainers({ ...given, rendering, imageOf, isChanged: ({ name }: Service) => changed.has(name) });
  await applyTarget(plan, { ...given, target, observed, config, command, recreate, labels: originLabels(origin) });
  // The change is confirmed: neither an engine that is lost now nor an interrupt makes it a failure.
  const now = await observeStack(engine, stack).catch((error: unknown) => {
    if (!(error instanceof EngineError) && !signal.aborted) throw error;
    return observed;
  });
  return { plan, urls: urlsOf(target, now) };
}

export type ApplyTargetOptions = Run & Omit<SwarmContext, 'client' | 'record'>;

/** Runs a plan; when a step fails or the user interrupts, restores the last confirmed revision on every node, and throws. */
export async function applyTarget(plan: Plan<SwarmAction>, options: ApplyTargetOptions): Promise<void> {
  const { engine, target, signal, report, clock } = options;
  const { stack } = target;
  await removeLeftClients(engine, stack, 'ended');
  await removeLeftReaders(engine, stack, 'ended');
  const image = imageForClient(target);
  const known = knownSecrets(target);
  await using client = openTaskClient(engine, { stack, image, known, clock, signal: AbortSignal.any([]) });
  const context: SwarmContext = { ...options, client };
  const outcome = await runPlan<SwarmAction>(plan.steps, swarmExecutors(context), {
    report,
    clock,
    signal,
    afterStep: crashPoint(options.env),
  });
  if (outcome.failed.length === 0 && outcome.skipped.length === 0) return;
  if (await hasConfirmed(context, outcome)) return;
  const cause = outcome.failed[0]?.error ?? signal.reason;
  const done = [...outcome.done, ...outcome.failed.map(({ step }) => step)];
  const touched = done.some(({ do: kind }) => ['createService', 'updateService', 'removeService'].includes(kind));
  const error = toStackError(cause, stack);
  const notes = touched ? [await restore(options, client)] : ['nothing that runs was changed'];
  const why = error instanceof StackError ? `${error.doing}: ${error.why}` : String(cause);
  const { record } = context;
  if (record !== undefined) {
    const refused = { state: 'refused', why: signal.aborted ? 'it was interrupted' : why } as const;
    await endRecord(engine.swarm, record, refused).catch(() => undefined);
  }
  if (signal.aborted) throw new InterruptedError({ left: notes.join('\n  '), cause: signal.reason });
  if (!(error instanceof StackError)) {
    report({ kind: 'warning', text: notes.join('\n') });
    throw error;
  }
  throw new StackError({ doing: error.doing, why: [error.why, ...notes].join('\n  '), tryThis: error.tryThis, cause });
}

/** Restores the last confirmed revision, or removes what a first change has created; says how that went. */
async function restore(options: ApplyTargetOptions, client: SwarmContext['client']): Promise<string> {
  const { engine, target, report, clock } = options;
  try {
    const observed = await observeStack(engine, target.stack);
    const previous = lastConfirmed(observed.records);
    const wasDown = options.observed.services.size === 0;
    if (!wasDown && previous !== undefined && previous.target === undefined)
      return `it cannot be rolled back: the record of revision ${previous.revision} was written by another version of promstack, in a form that this one does not know; the services stay as they are, and promstack up continues`;
    const before: SwarmTarget = {
      stack: target.stack,
      revision: previous?.revision ?? 'none',
      services: wasDown ? [] : (previous?.target?.services ?? []),
      stored: [],
    };
    const plan = reconcileSwarm(before, observed, { isRestore: true });
    const context: SwarmContext = { ...options, target: before, observed, client, recreate: false, isRestored: true };
    const signal = AbortSignal.timeout(restoreMs);
    const outcome = await runPlan<SwarmAction>(plan.steps, swarmExecutors(context), { report, clock, signal });
    const [failure] = outcome.failed;
    if (failure !== undefined) throw failure.error;
    if (outcome.skipped.length > 0) throw new Error(`it took more than ${restoreMs / 60_000} minutes`);
    if (wasDown || previous === undefined)
      return 'the services that it had created were removed; their volumes are kept';
    return `everything was rolled back to revision ${previous.revision}, and that is confirmed on every node`;
  } catch (error) {
    const said = error instanceof StackError ? `${error.doing}: ${error.why}` : (error as Error).message;
    const isLost = error instanceof EngineError && error.code === 'unreachable';
    const how = isLost ? '; promstack up finishes the change, on this manager or on another one' : '';
    return `rolling back to what ran before failed as well: ${said}${how}`;
  }
}

/** Whether the revision was recorded as confirmed, though what follows failed or was interrupted. */
async function hasConfirmed({ engine, target, record }: SwarmContext, { done, failed }: PlanOutcome<SwarmAction>) {
  if (done.some(({ do: kind }) => kind === 'endRevision')) return true;
  if (record === undefined || failed.every(({ step }) => step.do !== 'endRevision')) return false;
  // The engine may have responded too late.
  const { records } = await observeStack(engine, target.stack).catch(() => ({ records: [] }));
  return records.some(({ file, state }) => file.id === record.id && state === 'confirmed');
}

function toStackError(cause: unknown, stack: string): unknown {
  if (!(cause instanceof EngineError)) return cause;
  const { doing, message, tryThis } = cause;
  return new StackError({ doing: `changing the stack ${stack}`, why: `${doing}: ${message}`, tryThis, cause });
}
