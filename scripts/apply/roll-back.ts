import type { StackConfig } from '../../stack/config.ts';
import { specHashLabel } from '../engine/labels.ts';
import { configWriterFor, type Desired, type DesiredService } from '../plan/desired.ts';
import { observe } from '../plan/observe.ts';
import type { Plan } from '../plan/plan.ts';
import { reconcile } from '../plan/reconcile.ts';
import { type FoundStack, findStack } from '../state/find-stack.ts';
import { type History, type HistoryEntry, newestRevisions, type RecordedRelease } from '../state/history.ts';
import { takeLock } from '../state/lock.ts';
import { specOf } from '../state/names.ts';
import { currentFolder, readRelease, type StoredRelease } from '../state/release-files.ts';
import { openServiceClient } from '../state/service-client.ts';
import { misuse } from '../util/misuse.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import { applyPlan } from './change.ts';

import { asCreated, previousState } from './previous.ts';
import type { Run } from './run.ts';

/** What going back to a revision of the history needs. */
export interface RollBackOptions extends Run {
  readonly stack: string;
  readonly config: StackConfig;
  /** Chooses from the history once it cannot change any more. */
  readonly choose: (history: History) => HistoryEntry;
}

/** What a rollback did. */
export interface RolledBack {
  readonly plan: Plan;
  /** Services that the revision had and the stack does not have any more. */
  readonly absent: readonly string[];
}

/**
 * Makes the files of a recorded revision current again, as a whole or not at all: they are in place already, so the
 * links are switched, the servers reloaded and confirmed. Containers stay as they are, and so do passwords: one that
 * was changed since may have been changed because others knew it.
 */
export async function rollBack(options: RollBackOptions): Promise<RolledBack> {
  const { engine, stack, config, choose } = options;
  await using _lock = await takeLock({ ...options, command: 'rollback' });
  const found = await findStack(engine, stack);
  const entry = choose(found.history);
  const desired = await desiredAt(found, entry, config);
  const { files } = found;
  const client = openServiceClient(engine);
  try {
    const observed = await observe(engine, desired, client, { files });
    const plan = reconcile(desired, observed, { leave: new Set(observed.services.keys()) });
    if (plan.steps.length > 0) {
      const previous = await previousState(engine, files, observed, desired);
      await applyPlan(plan, { ...options, command: 'rollback', desired, observed, previous, files, client });
    }
    return { plan, absent: Object.keys(entry.services).filter((name) => !found.containers.has(name)) };
  } finally {
    client.close();
  }
}

/** The stack with the containers it has and the releases of a revision; a service that had none then keeps what it has. */
async function desiredAt(
  { stack, containers, files }: FoundStack,
  entry: HistoryEntry,
  config: StackConfig,
): Promise<Desired> {
  const services = await Promise.all(
    [...containers].map(async ([name, container]): Promise<readonly DesiredService[]> => {
      const recorded = entry.services[name];
      const release =
        recorded === undefined
          ? await linkedRelease(files, name)
          : await recordedRelease(files, name, recorded, entry.revision);
      const present = { container, spec: specOf(container), specHash: container.labels[specHashLabel] };
      return asCreated(present, { stack, config, release, given: new Map() });
    }),
  );
  const kept = services.flat();
  const configWriter = configWriterFor(stack, kept);
  return { stack, revision: entry.revision, config, services: kept, volumes: [], configWriter };
}

async function recordedRelease(
  files: FoundStack['files'],
  service: string,
  { folder, hash }: RecordedRelease,
  revision: string,
): Promise<StoredRelease> {
  const release = await readRelease(files, service, folder);
  if (release?.hash === hash) return release;
  throw new StackError({
    doing: `going back to revision ${revision}`,
    why: `the files of ${service} in it ${release === undefined ? 'do not exist any more' : 'were changed by hand since'}`,
    tryThis: 'promstack history for another revision; or edit stack.yml and promstack up',
  });
}

async function linkedRelease(files: FoundStack['files'], service: string): Promise<StoredRelease | undefined> {
  const folder = await currentFolder(files, service);
  return folder === undefined ? undefined : readRelease(files, service, folder);
}

/** The entry for a revision or the start of one; without one, the entry before the current. An InputError when there is none. */
export function chooseRevision(history: History, named: string | undefined): HistoryEntry {
  const revisions = newestRevisions(history);
  const list = revisions.map(({ revision }) => revision).join(', ');
  if (named === undefined) {
    const previous = revisions[1];
    if (previous !== undefined) return previous;
    const why = revisions.length === 0 ? 'nothing was ever confirmed' : `there is only one, ${list}`;
    throw new InputError([misuse('there is no revision before the current one', why)]);
  }
  const matching = revisions.filter(({ revision }) => revision.startsWith(named));
  const [first, second] = matching;
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined) {
    const all = matching.map(({ revision }) => revision).join(', ');
    throw new InputError([misuse(`${named} may be any of ${all}`, 'give more of it')]);
  }
  const isRefused = history.entries.some(
    ({ revision, refused }) => refused !== undefined && revision.startsWith(named),
  );
  const hint = isRefused
    ? 'it was rolled back and never confirmed; see promstack history'
    : `there are ${list || 'none'}`;
  throw new InputError([misuse(`there is no revision ${named} to go back to`, hint)]);
}
