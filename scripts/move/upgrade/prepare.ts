import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { sectionPath } from '../../../stack/service.ts';
import { valueAt } from '../../../stack/values/mapping.ts';
import type { Run } from '../../apply/run.ts';
import { checkRendering } from '../../check/check.ts';
import { cachedRunner, checkedCache } from '../../check/checked-cache.ts';
import { containerRunner } from '../../check/container-runner.ts';
import { hostRunner, noImage } from '../../check/host-runner.ts';
import { planEdits, type StackEdit } from '../../config/edit-files.ts';
import type { Engine } from '../../engine/engine.ts';
import { ensureImages, findImages } from '../../engine/images/ensure.ts';
import { missingImages, missingImagesError } from '../../engine/images/outcome.ts';
import { hasVisibleSteps } from '../../plan/plan.ts';
import { planStack } from '../../plan/plan-stack.ts';
import { forRunningImages, withRunningImages } from '../../plan/substitutes.ts';
import type { Rendering } from '../../render/rendering.ts';
import type { StackContainers } from '../../state/find-stack.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import { proveSameData } from '../backup/proof.ts';
import { shellImage } from '../helper.ts';
import { dropKeptData, findDataVolumes, findKeptData, type UpgradeState } from './kept-data.ts';
import { removedFlags, type UpgradeTarget } from './newer.ts';
import { goBack, type UpgradeOptions, whyOf } from './upgrade.ts';

/** Throws an InputError for flags in stack.yml with which the new versions do not start. */
export function refuseRemovedFlags(targets: readonly UpgradeTarget[], { config, locate }: Rendering): void {
  const diagnostics = targets.flatMap((target) => {
    const extra = valueAt(config, [...sectionPath(target.service), 'extra_args']);
    const items = Array.isArray(extra) ? extra.map(String) : [];
    return removedFlags(target, items).map(({ path, item, since, instead }): Diagnostic => {
      const message = `${target.service.title} ${since} and later do not start with ${item}`;
      return { severity: 'error', code: 'removed-flag', message, hint: instead, where: locate?.(path) };
    });
  });
  if (diagnostics.length > 0) throw new InputError(diagnostics);
}

/** Throws a StackError unless the stack runs as stack.yml says. */
export async function requireUnchanged(engine: Engine, rendering: Rendering): Promise<void> {
  const { plan } = await planStack({ engine, rendering, recreate: false });
  if (!hasVisibleSteps(plan)) return;
  throw new StackError({
    doing: `upgrading the stack ${rendering.config.name}`,
    why: 'it does not run as stack.yml says, so that there is no state to return to',
    tryThis: '`promstack plan` shows the differences, `promstack up` applies them',
  });
}

/** Gets the new images, and validates the files with them; throws an InputError with all problems. */
export async function validateAfter(
  { engine, env, report, signal }: Run,
  rendering: Rendering,
  targets: readonly UpgradeTarget[],
): Promise<void> {
  const { services, config } = rendering;
  const required = services.map(({ container: { service, image } }) => ({ service, reference: image }));
  const outcomes = await ensureImages(engine, required, config.images, report, signal);
  const missing = missingImages(outcomes);
  if (missing.length > 0) throw missingImagesError(missing);
  const images = await findImages(engine, required, config.images);
  const fitting = forRunningImages(rendering, images);
  const changed = fitting.services.filter(({ service }) =>
    targets.some((target) => target.service.name === service.name),
  );
  const findImage = async (reference: string) => images.get(reference);
  const open = containerRunner(engine, config.name, findImage, hostRunner(env, noImage));
  const diagnostics = await checkRendering(
    { ...fitting, config: withRunningImages(fitting.config, images), services: changed },
    cachedRunner(open, checkedCache(env), findImage),
    report,
    signal,
    fitting,
  );
  if (diagnostics.some(({ severity }) => severity === 'error')) throw new InputError(diagnostics);
  for (const diagnostic of diagnostics) report({ kind: 'diagnostic', diagnostic });
}

/** The edit of stack.yml that sets the new images. */
export function editImages(
  targets: readonly Pick<UpgradeTarget, 'path' | 'from' | 'to'>[],
  { locate }: Rendering,
  cwd: string,
): Promise<StackEdit> {
  return planEdits(targets, { locate: locate ?? (() => undefined), cwd });
}

/** An image with a shell, of the stack's containers, or of the images that they would get. */
export async function findShellImage(
  engine: Engine,
  { services, config }: Rendering,
  containers: StackContainers,
): Promise<string> {
  if (containers.size > 0) return shellImage(engine, [...containers.values()]);
  const required = services.map(({ container: { service, image } }) => ({ service, reference: image }));
  const [image] = (await findImages(engine, required, config.images)).values();
  return image?.ref ?? required[0]?.reference ?? '';
}

export interface LeftOptions extends Run {
  readonly rendering: Rendering;
  readonly image: string;
  /** Whether the user agrees to go back although the stack runs. */
  readonly yes: boolean;
  /** The rendering with other images. */
  withImages(images: readonly { readonly service: string; readonly image: string }[]): Promise<Rendering>;
  editBack(state: UpgradeState): Promise<StackEdit>;
}

/** After this time with the new images, their data counts. */
const recentMs = 3_600_000;

/**
 * Ends an upgrade that was killed: the servers keep the new images when they have all data, else the images and the data of before
 * return. Returns a sentence; undefined when there was none.
 */
export async function endInterrupted(options: LeftOptions): Promise<string | undefined> {
  const { engine, rendering, image, report, clock, signal } = options;
  const stack = rendering.config.name;
  const all = { engine, stack, image, volumes: await findDataVolumes(engine, rendering), signal };
  const state = await findKeptData(all);
  if (state === undefined) return undefined;
  const what = `the upgrade of ${state.at.slice(0, 19).replace('T', ' ')} UTC was interrupted`;
  const { plan } = await planStack({ engine, rendering, recreate: false });
  const isApplied = !hasVisibleSteps(plan);
  if (!state.isTouched) {
    await dropKeptData(all);
    return `${what} before anything was changed`;
  }
  const lacking = isApplied
    ? await proveSameData(options, rendering.config, state.manifest).then(() => undefined, whyOf)
    : undefined;
  const age = clock.now() - Date.parse(state.at);
  if (isApplied && (lacking === undefined || age > recentMs)) {
    await dropKeptData(all);
    return `${what}, and the stack runs as stack.yml says with all data since`;
  }
  if (isApplied && !options.yes) {
    throw new StackError({
      doing: `upgrading the stack ${stack}`,
      why: `${what}, and the running servers lack data of before: ${lacking}`,
      tryThis: '--yes goes back to the images and the data of before, without what came since',
    });
  }
  const targets = state.targets.flatMap(({ service: name, from, to }) => {
    const found = rendering.services.find(({ service }) => service.name === name);
    return found === undefined ? [] : [{ service: found.service, from, to }];
  });
  const before = await options.withImages(state.targets.map(({ service, from }) => ({ service, image: from })));
  const edit = await options.editBack(state);
  const volumes = all.volumes.filter(({ service }) => targets.some((target) => target.service.name === service));
  report({ kind: 'note', text: what });
  const run: Pick<UpgradeOptions, keyof Run | 'targets' | 'before' | 'restoreStack'> = {
    ...options,
    targets,
    before,
    restoreStack: edit.apply,
  };
  return `${what}: ${await goBack(run, { ...all, volumes }, state.manifest)}`;
}
