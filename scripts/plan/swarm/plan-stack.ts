import type { RenderedFile } from '../../../stack/model.ts';
import { Secret } from '../../../stack/secret.ts';
import { serviceOf } from '../../../stack/services.ts';
import type { Engine } from '../../engine/engine.ts';
import { findImages } from '../../engine/images/ensure.ts';
import type { Rendering } from '../../render/rendering.ts';
import { checkLock } from '../../state/lock.ts';
import { swarmLocks } from '../../state/swarm/lock-store.ts';
import { alertImpact } from '../alert-impact.ts';
import { fileChanges } from '../file-changes.ts';
import type { SwarmAction } from '../plan.ts';
import { findObstacle, type PlanReport } from '../plan-stack.ts';
import { forRunningImages, substitutesOf } from '../substitutes.ts';
import { withRunningSecrets } from './missing-secrets.ts';
import type { SwarmObserved } from './observe.ts';
import { checkOwner } from './owner.ts';
import { checkPlaces, observeStack, requireManager, targetOf } from './place.ts';
import { reconcileSwarm } from './reconcile.ts';
import { toRelease } from './release.ts';
import type { SwarmServiceTarget, SwarmTarget } from './target.ts';

export interface SwarmPlanOptions {
  readonly engine: Engine;
  readonly rendering: Rendering;
  readonly recreate?: boolean | undefined;
  /** The health check of each service. */
  readonly findChecks: (
    rendering: Rendering,
    imageOf: (reference: string) => { readonly ref: string; readonly id: string | undefined },
  ) => Promise<ReadonlyMap<string, readonly string[] | undefined>>;
}

/** The target of a rendering on a swarm, compared with what is there; changes nothing, and pulls nothing. */
export async function compareWithSwarm({ engine, rendering: given, findChecks }: SwarmPlanOptions) {
  const cluster = await requireManager(engine);
  const { services, config } = given;
  const references = services.map(({ container: { service, image } }) => ({ service, reference: image }));
  const images = await findImages(engine, references, config.images);
  const forImages = forRunningImages(given, images);
  const imageOf = (reference: string) => images.get(reference) ?? { ref: reference, id: undefined };
  const [found, observed] = await Promise.all([findChecks(forImages, imageOf), observeStack(engine, config.name)]);
  const checks = withRunning(found, forImages, imageOf, observed);
  const image = (reference: string) => imageOf(reference).ref;
  const { rendering, target } = withRunningSecrets(forImages, observed, (rendered) =>
    targetOf(rendered, observed, { cluster, image, checks }),
  );
  return { rendering, references, images, observed, target };
}

/** The health checks, of services whose image this engine does not have those that they run with. */
function withRunning(
  found: ReadonlyMap<string, readonly string[] | undefined>,
  { services }: Rendering,
  imageOf: (reference: string) => { readonly id: string | undefined },
  observed: SwarmObserved,
): ReadonlyMap<string, readonly string[] | undefined> {
  const running = services.flatMap(({ service: { name }, container: { image } }) => {
    const target = imageOf(image).id === undefined ? observed.services.get(name)?.target : undefined;
    return target === undefined ? [] : [[name, target.healthCheck] as const];
  });
  return new Map([...found, ...running]);
}

/** Plans what `up` would do on a swarm; changes nothing, and pulls nothing. */
export async function planOnSwarm(options: SwarmPlanOptions): Promise<PlanReport<SwarmAction>> {
  const { engine, recreate } = options;
  const { rendering, references, images, observed, target } = await compareWithSwarm(options);
  const plan = reconcileSwarm(target, observed, { recreate });
  const { stack } = target;
  const obstacle = await findObstacle(async () => {
    if (plan.steps.length === 0) return;
    await checkOwner(engine, observed, { stack, origin: rendering.origin });
    await checkLock(swarmLocks(engine.swarm, stack), stack);
    checkPlaces(target, observed, rendering, plan);
  });
  return {
    plan,
    ...(obstacle === undefined ? {} : { obstacle }),
    drift: driftOf(observed),
    substitutes: substitutesOf(references, images),
    absentImages: [...new Set(references.map(({ reference }) => reference))].filter((name) => !images.has(name)),
    ...compareFiles(rendering, target, observed),
  };
}

/** What was changed by hand in the services of the swarm, which `up` undoes. */
function driftOf({ services }: SwarmObserved): PlanReport['drift'] {
  return [...services].flatMap(([service, { edits }]) =>
    edits.length === 0 ? [] : [{ service, message: `its service was changed by hand: ${edits.join(', ')}` }],
  );
}

function compareFiles(
  { services, config }: Rendering,
  target: SwarmTarget,
  { services: running, files }: SwarmObserved,
): Pick<PlanReport, 'files' | 'meaning' | 'stackFiles'> {
  const after = services.flatMap(({ service, files: own, revision }) =>
    own.length === 0 ? [] : [{ service, files: own, revision }],
  );
  const before = [...running].flatMap(([name, { target: old }]) => {
    const service = old && serviceOf(old.container);
    if (old === undefined || service === undefined || old.revision === undefined) return [];
    const now = target.services.find((candidate) => candidate.service === name);
    const rendered = after.find((candidate) => candidate.service.name === name)?.files ?? [];
    const known = knownFiles(toRelease(old, config, files).files, old, now, rendered);
    return [{ service, files: known, revision: old.revision }];
  });
  const names = [...new Set([...after, ...before].map(({ service }) => service.name))];
  return {
    files: names.flatMap((name) => {
      const [old, now] = [before, after].map((all) => all.find(({ service }) => service.name === name));
      return fileChanges(name, old, now);
    }),
    meaning: alertImpact(before, after),
    stackFiles: { before, after },
  };
}

/** A swarm shows no secret: one of the same name has the same content as the rendered one, of another only that is known. */
function knownFiles(
  stored: readonly RenderedFile[],
  old: SwarmServiceTarget,
  now: SwarmServiceTarget | undefined,
  rendered: readonly RenderedFile[],
): readonly RenderedFile[] {
  return stored.flatMap((file): readonly RenderedFile[] => {
    const mounted = old.files.find(({ name }) => name === file.origin);
    const current = rendered.find(({ path }) => path === file.path);
    const isSame = now?.files.some(({ name, mode }) => name === file.origin && mode === file.mode) === true;
    if (current !== undefined && isSame) return [current];
    if (mounted?.kind !== 'secret') return [file];
    if (file.path.startsWith('secrets/') && current === undefined) return [];
    return [{ ...file, content: new Secret(`another than now: ${file.origin}`, 'swarm'), masked: current?.masked }];
  });
}
