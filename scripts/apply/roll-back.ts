import type { StackConfig } from '../../stack/config.ts';
import type { Engine } from '../engine/engine.ts';
import { specHashLabel } from '../engine/labels.ts';
import { configWriterFor, type Desired, type DesiredService } from '../plan/desired.ts';
import { observe } from '../plan/observe.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { reconcile } from '../plan/reconcile.ts';
import { hashFiles } from '../state/files-hash.ts';
import { type HistoryEntry, newestRevisions } from '../state/history.ts';
import { takeLock } from '../state/lock.ts';
import { specOf } from '../state/names.ts';
import { readRelease } from '../state/release-files.ts';
import { openServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import { misuse } from '../util/misuse.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import { carryOut } from './carry-out.ts';
import { type FoundStack, findStack } from './find-stack.ts';
import { asItWasMade, type PlacedRelease, previousState } from './previous.ts';

/** What going back to a revision of the history needs. */
export interface RollBackOptions {
  readonly engine: Engine;
  readonly stack: string;
  readonly config: StackConfig;
  /** Chooses from the history once it cannot change any more. */
  readonly choose: (history: readonly HistoryEntry[]) => HistoryEntry;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly afterStep?: ((step: Step) => void) | undefined;
}

/** What going back came to. */
export interface RolledBack {
  readonly plan: Plan;
  /** Services that the revision had and the stack has not any more. */
  readonly absent: readonly string[];
}

/**
 * Makes the files of a recorded revision current again, as one transaction: they are in place already, so the links
 * are switched, the servers reloaded and confirmed. Containers stay as they are, and so do passwords: one that was changed
 * since may have been changed because others knew it.
 */
export async function rollBack(options: RollBackOptions): Promise<RolledBack> {
  const { engine, stack, config, choose, report, clock, signal, afterStep } = options;
  await using _lock = await takeLock(engine, stack, 'rollback', report);
  const found = await findStack(engine, stack);
  const entry = choose(found.history);
  const desired = await desiredAgain(found, entry, config);
  const { files } = found;
  const reach = openServiceClient(engine);
  try {
    const observed = await observe(engine, desired, reach, { files });
    const plan = reconcile(desired, observed, { leave: new Set(observed.services.keys()) });
    if (plan.steps.length > 0) {
      const previous = await previousState(engine, files, observed, desired);
      const command = 'rollback';
      await carryOut({
        engine,
        desired,
        reach,
        files,
        observed,
        plan,
        previous,
        command,
        clock,
        report,
        signal,
        afterStep,
      });
    }
    return { plan, absent: Object.keys(entry.services).filter((name) => !found.containers.has(name)) };
  } finally {
    reach.close();
  }
}

/** The stack with the containers it has and the releases of a revision; a service that had none then keeps what it has. */
async function desiredAgain(
  { stack, containers, files }: FoundStack,
  entry: HistoryEntry,
  config: StackConfig,
): Promise<Desired> {
  const services = await Promise.all(
    [...containers].map(async ([name, container]): Promise<readonly DesiredService[]> => {
      const recorded = entry.services[name];
      const release =
        recorded === undefined ? await linkedRelease(files, name) : await recordedRelease(files, name, recorded, entry);
      const found = { container, spec: specOf(container), specHash: container.labels[specHashLabel] };
      return asItWasMade(found, { stack, config, release, given: new Map() });
    }),
  );
  const kept = services.flat();
  return {
    stack,
    revision: entry.revision,
    config,
    services: kept,
    volumes: [],
    configWriter: configWriterFor(stack, kept),
  };
}

async function recordedRelease(
  files: FoundStack['files'],
  service: string,
  { folder, hash }: { readonly folder: string; readonly hash: string },
  { revision }: HistoryEntry,
): Promise<PlacedRelease> {
  const read = await readRelease(files, service, folder);
  if (read !== undefined && hashFiles(read) === hash) return { folder, files: read };
  throw new StackError({
    doing: `going back to revision ${revision}`,
    why: `the files of ${service} in it ${read === undefined ? 'are not there any more' : 'were changed by hand since'}`,
    tryThis: 'promstack history for another revision; or edit stack.yml and promstack up',
  });
}

async function linkedRelease(files: FoundStack['files'], service: string): Promise<PlacedRelease | undefined> {
  const folder = (await files.readLink(service, 'current'))?.replace(/^releases\//, '');
  const read = folder === undefined ? undefined : await readRelease(files, service, folder);
  return folder === undefined || read === undefined ? undefined : { folder, files: read };
}

/** The entry a person means by a revision or the start of one; without, the one before the current. An InputError when there is none. */
export function chooseRevision(history: readonly HistoryEntry[], named: string | undefined): HistoryEntry {
  const revisions = newestRevisions(history);
  const list = revisions.map(({ revision }) => revision).join(', ');
  if (named === undefined) {
    const before = revisions[1];
    if (before !== undefined) return before;
    const why = revisions.length === 0 ? 'nothing was ever confirmed' : `there is only one, ${list}`;
    throw new InputError([misuse('there is no revision before the current one', why)]);
  }
  const fitting = revisions.filter(({ revision }) => revision.startsWith(named));
  const [only, other] = fitting;
  if (only !== undefined && other === undefined) return only;
  if (only !== undefined) {
    const all = fitting.map(({ revision }) => revision).join(', ');
    throw new InputError([misuse(`${named} may be any of ${all}`, 'give more of it')]);
  }
  const isRefused = history.some(({ revision, refused }) => refused !== undefined && revision.startsWith(named));
  const hint = isRefused
    ? 'it was taken back and never confirmed; see promstack history'
    : `there are ${list || 'none'}`;
  throw new InputError([misuse(`there is no revision ${named} to go back to`, hint)]);
}
