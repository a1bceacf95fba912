import { serviceOf, services } from '../../stack/services.ts';
import type { Engine } from '../engine/engine.ts';
import { findImages } from '../engine/images/ensure.ts';
import type { Rendering } from '../render/rendering.ts';
import { type ConfigFiles, openConfigFiles } from '../state/config-files.ts';
import { checkLock } from '../state/lock.ts';
import { refuseNewer } from '../state/newer-version.ts';
import { readMasked } from '../state/release-files.ts';
import { revisionOf } from '../state/release-folder.ts';
import { openServiceClient, type ServiceClient } from '../state/service-client.ts';
import { StackError } from '../util/stack-error.ts';
import { checkAddress } from './addresses.ts';
import { type AlertImpact, alertImpact, type StackFiles } from './alert-impact.ts';
import { type Desired, toDesired } from './desired.ts';
import { type Drift, driftOf } from './drift.ts';
import { type FileChange, fileChanges, type ReleaseFiles } from './file-changes.ts';
import { checkNetworks } from './joined-networks.ts';
import { type FindEdits, observe } from './observe.ts';
import type { Observed } from './observed.ts';
import { checkOrigin, OtherOriginError, runsElsewhere, volumesNote } from './origin.ts';
import type { Action, EngineAction, Plan } from './plan.ts';
import { preflight } from './preflight.ts';
import { reconcile } from './reconcile.ts';
import { forRunningImages, type Substitute, substitutesOf } from './substitutes.ts';

/** A plan, and its effects for the user. */
export interface PlanReport<A extends Action = EngineAction> {
  readonly plan: Plan<A>;
  /** Why `up` would refuse to apply it: a name or a port that is taken. */
  readonly obstacle?: Blocker;
  /** What to know about the volumes that it would go on with. */
  readonly volumesNote?: string | undefined;
  readonly drift: readonly Drift[];
  /** Images built from packages that run in place of others. */
  readonly substitutes: readonly Substitute[];
  /** Images that the engine does not have yet. */
  readonly absentImages: readonly string[];
  readonly files: readonly FileChange[];
  readonly meaning: AlertImpact;
  /** The files of all services that run, and those of the plan. */
  readonly stackFiles: { readonly before: StackFiles; readonly after: StackFiles };
}

/** What prevents a plan. */
type Blocker = Pick<StackError, 'doing' | 'why' | 'tryThis'> & {
  /** Whether it is a question that the user may answer with yes. */
  readonly isAsked: boolean;
};

/** Plans what `up` would do; changes nothing, and pulls nothing. */
export async function planStack(options: {
  readonly engine: Engine;
  readonly rendering: Rendering;
  readonly recreate: boolean;
  /** Finds what was changed by hand inside the running servers. */
  readonly findEdits?: ((client: ServiceClient) => FindEdits) | undefined;
}): Promise<PlanReport> {
  const { engine, recreate, findEdits } = options;
  const { services: named, config } = options.rendering;
  const references = named.map(({ container: { service, image } }) => ({ service, reference: image }));
  const images = await findImages(engine, references, config.images);
  const rendering = forRunningImages(options.rendering, images);
  const desired = toDesired(rendering, (reference) => images.get(reference) ?? { ref: reference, id: undefined });
  const client = openServiceClient(engine);
  try {
    const files = openConfigFiles(engine, desired.stack);
    const observed = await observe(engine, desired, client, { files, findEdits: findEdits?.(client) });
    const plan = reconcile(desired, observed, { recreate });
    const obstacle = await findObstacle(async () => {
      if (plan.steps.length === 0) return;
      refuseNewer(desired.stack, observed.newestVersion);
      await checkOrigin({ ...desired, current: observed.origin, renamedFrom: observed.renamedFrom });
      if (observed.isOnSwarm === true) throw runsElsewhere(desired.stack, 'swarm');
      await checkLock(engine, desired.stack);
      checkNetworks(desired, observed, rendering.locate);
      await checkAddress(plan, desired, engine.location.isLocal);
      await preflight(plan, desired, observed, engine.location.isLocal);
    });
    return {
      plan,
      ...(obstacle === undefined ? {} : { obstacle }),
      volumesNote: volumesNote(desired, observed.volumesFrom),
      drift: driftOf(desired, observed),
      substitutes: substitutesOf(references, images),
      absentImages: [...new Set(references.map(({ reference }) => reference))].filter((name) => !images.has(name)),
      ...compare(desired, observed, await runningFiles(files, observed)),
    };
  } finally {
    client.close();
  }
}

/** Why a check refuses; undefined when it does not. */
export async function findObstacle(check: () => Promise<void>): Promise<Blocker | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    const { doing, why, tryThis } = error;
    return { doing, why, tryThis, isAsked: error instanceof OtherOriginError };
  }
}

function compare(
  desired: Desired,
  observed: Observed,
  before: ReadonlyMap<string, ReleaseFiles>,
): Pick<PlanReport, 'files' | 'meaning' | 'stackFiles'> {
  const after = desired.services.flatMap(({ service, release }) =>
    release === undefined ? [] : [{ service, ...release }],
  );
  const old = [...before].flatMap(([name, { files }]) => {
    const spec = observed.services.get(name)?.spec;
    const service = spec && serviceOf(spec);
    return service === undefined ? [] : [{ service, files }];
  });
  return {
    files: namesOf(old, after).flatMap((name) =>
      fileChanges(
        name,
        before.get(name),
        after.find(({ service }) => service.name === name),
      ),
    ),
    meaning: alertImpact(old, after),
    stackFiles: { before: old, after },
  };
}

/** The services in any of these, in the order of `services`, then its exporters. */
function namesOf(...all: readonly StackFiles[]): readonly string[] {
  const present = new Set(all.flat().map(({ service }) => service.name));
  const known = services.map(({ name }) => name).filter((name) => present.has(name));
  return [...new Set([...known, ...present])];
}

/** The current files of each service that has some, including a service to be removed. */
async function runningFiles(files: ConfigFiles, observed: Observed): Promise<ReadonlyMap<string, ReleaseFiles>> {
  const releases = await Promise.all(
    [...observed.services].map(async ([name, { folder, files: stored }]): Promise<[string, ReleaseFiles][]> => {
      if (folder === undefined || stored === undefined) return [];
      const masked = await readMasked(files, name, folder);
      return [[name, { files: stored, revision: revisionOf(folder), masked }]];
    }),
  );
  return new Map(releases.flat());
}
