import type { Engine } from '../engine/engine.ts';
import type { Desired } from '../plan/desired.ts';
import type { Observed } from '../plan/observed.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { ConfigFiles } from '../state/config-files.ts';
import type { ReleaseFolder } from '../state/release-folder.ts';
import type { ServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import { recordRevision } from './record.ts';
import { transact } from './transaction.ts';

/** What carrying out a plan needs; the lock is held by whoever calls. */
export interface CarryOutOptions {
  readonly engine: Engine;
  readonly desired: Desired;
  readonly reach: ServiceClient;
  readonly files: ConfigFiles;
  readonly observed: Observed;
  readonly plan: Plan;
  readonly previous: Desired;
  /** The command as the history names it. */
  readonly command: string;
  readonly clock: Clock;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly afterStep?: ((step: Step) => void) | undefined;
}

/** Carries out a plan as one transaction, and notes in the history how it ended. */
export async function carryOut(options: CarryOutOptions): Promise<void> {
  const { desired, files, observed, plan, previous, command, clock } = options;
  const record = (refused?: string): Promise<void> =>
    recordRevision(files, desired, {
      previous,
      command,
      at: new Date(clock.now()),
      folders: foldersAfter(plan, observed),
      ...(refused === undefined ? {} : { refused }),
    });
  await transact(plan, {
    ...options,
    present: new Set(observed.services.keys()),
    containers: new Map([...observed.services].map(([name, { container }]) => [name, container.id])),
    record: () => record(),
    recordRefused: record,
  });
}

/** The folder of each service's release once the plan is carried out. */
function foldersAfter(plan: Plan, observed: Observed): ReadonlyMap<string, ReleaseFolder> {
  const before = [...observed.services].flatMap(([name, { folder }]) =>
    folder === undefined ? [] : [[name, folder] as const],
  );
  const moved = plan.steps.flatMap((step) =>
    step.do === 'switchReleases' || step.do === 'placeReleases' ? step.releases : [],
  );
  return new Map([...before, ...moved.map(({ service, folder }) => [service, folder] as const)]);
}
