import type { StackConfig } from '../../stack/config.ts';
import { serviceOf } from '../../stack/services.ts';
import type { StackOrigin } from '../config/loaded.ts';
import { specHashLabel } from '../engine/labels.ts';
import { configWriterFor, type Desired, type DesiredService } from '../plan/desired.ts';
import { observe } from '../plan/observe.ts';
import { checkOrigin } from '../plan/origin.ts';
import type { Plan } from '../plan/plan.ts';
import { reconcile } from '../plan/reconcile.ts';
import { type FoundStack, findStack } from '../state/find-stack.ts';
import { type History, type HistoryEntry, newestRevisions, type RecordedRelease } from '../state/history.ts';
import { takeLock } from '../state/lock.ts';
import { specOf } from '../state/names.ts';
import { refuseNewer } from '../state/newer-version.ts';
import { currentFolder, readRelease, type StoredRelease } from '../state/release-files.ts';
import { openServiceClient } from '../state/service-client.ts';
import { misuse } from '../util/misuse.ts';
import { InputError, StackError, unchangedIfInterrupted } from '../util/stack-error.ts';
import { applyPlan } from './change.ts';

import { asCreated, previousState } from './previous.ts';
import type { Run } from './run.ts';

export interface RollBackOptions extends Run {
  readonly stack: string;
  readonly config: StackConfig;
  /** The file that the name is from, if any. */
  readonly origin?: StackOrigin | undefined;
  /** Change the stack even if it is managed from a different file: else that is an OtherOriginError. */
  readonly takeOver?: boolean | undefined;
  /** Chooses an entry; called under the lock. */
  readonly choose: (history: History) => HistoryEntry;
}

/** The result of a rollback. */
export interface RolledBack {
  readonly plan: Plan;
  /** Services of the revision that are no longer part of the stack. */
  readonly absent: readonly string[];
}

/**
 * Restores the files of a recorded revision, as a whole or not at all: they are still in the config volumes, so the links
 * are switched and the servers reloaded and confirmed. Containers stay unchanged. So do passwords: a later change may
 * have been made because the old one was known to others.
 */
export function rollBack(options: RollBackOptions): Promise<RolledBack> {
  return unchangedIfInterrupted(restoreEntry(options), options.signal);
}

async function restoreEntry(options: RollBackOptions): Promise<RolledBack> {
  const { engine, stack, config, origin, choose } = options;
  await using _lock = await takeLock({ ...options, command: 'rollback' });
  const current = await findStack(engine, stack, origin);
  refuseNewer(stack, current.newestVersion);
  await checkOrigin({ ...options, current: current.origin });
  const entry = choose(current.history);
  const desired = await desiredAt(current, entry, config);
  const { files } = current;
  const client = openServiceClient(engine);
  try {
    const observed = await observe(engine, desired, client, { files });
    const plan = reconcile(desired, observed, { leave: new Set(observed.services.keys()) });
    if (plan.steps.length > 0) {
      const previous = await previousState(engine, files, observed, desired);
      await applyPlan(plan, { ...options, command: 'rollback', desired, observed, previous, files, client });
    }
    return { plan, absent: Object.keys(entry.services).filter((name) => !current.containers.has(name)) };
  } finally {
    client.close();
  }
}

/** The current containers with the releases of a revision; a service without one keeps its current release. */
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
      const spec = specOf(container);
      const created = { container, spec, specHash: container.labels[specHashLabel] };
      const refusal = spec && serviceOf(spec)?.cannotRun?.(release?.files ?? [], spec);
      if (recorded !== undefined && refusal !== undefined) throw cannotRun(name, refusal, entry.revision);
      return asCreated(created, { stack, config, release, given: new Map() });
    }),
  );
  const desired = services.flat();
  const configWriter = configWriterFor(stack, desired);
  return { stack, revision: entry.revision, config, services: desired, volumes: [], configWriter };
}

const cannotRun = (service: string, why: string, revision: string): StackError =>
  new StackError({
    doing: `rolling back to revision ${revision}`,
    why: `${service}: ${why}`,
    tryThis: `set ${service}.image to the version that ran it and run \`promstack up\`, or choose a different revision from \`promstack history\``,
  });

async function recordedRelease(
  files: FoundStack['files'],
  service: string,
  { folder, hash }: RecordedRelease,
  revision: string,
): Promise<StoredRelease> {
  const release = await readRelease(files, service, folder);
  if (release?.hash === hash) return release;
  throw new StackError({
    doing: `rolling back to revision ${revision}`,
    why: `its files of ${service} ${release === undefined ? 'no longer exist' : 'were changed by hand'}`,
    tryThis: 'choose a different revision from `promstack history`, or edit stack.yml and run `promstack up`',
  });
}

async function linkedRelease(files: FoundStack['files'], service: string): Promise<StoredRelease | undefined> {
  const folder = await currentFolder(files, service);
  return folder === undefined ? undefined : readRelease(files, service, folder);
}

/** The entry for a revision or its prefix; without one, the entry before the current one. Throws an InputError. */
export function chooseRevision(history: History, named: string | undefined): HistoryEntry {
  const revisions = newestRevisions(history);
  const list = revisions.map(({ revision }) => revision).join(', ');
  if (named === undefined) {
    const previous = revisions[1];
    if (previous !== undefined) return previous;
    const why = revisions.length === 0 ? 'no revision was confirmed yet' : `the history has only ${list}`;
    throw new InputError([misuse('there is no revision before the current one', why)]);
  }
  const matching = revisions.filter(({ revision }) => revision.startsWith(named));
  const [first, second] = matching;
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined) {
    const all = matching.map(({ revision }) => revision).join(', ');
    throw new InputError([misuse(`${named} is ambiguous: ${all}`, 'write more digits')]);
  }
  const isRefused = history.entries.some(
    ({ revision, refused }) => refused !== undefined && revision.startsWith(named),
  );
  const hint = isRefused
    ? 'it was rolled back and never confirmed; see promstack history'
    : `the history has ${list || 'no revisions'}`;
  throw new InputError([misuse(`there is no revision ${named} to roll back to`, hint)]);
}
