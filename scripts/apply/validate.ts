import type { Diagnostic } from '../../stack/diagnostic.ts';
import type { RenderedFile } from '../../stack/model.ts';
import type { Service } from '../../stack/service.ts';
import { configMount } from '../../stack/values/container.ts';
import { checkRendering } from '../check/check.ts';
import { cachedRunner, checkedCache } from '../check/checked-cache.ts';
import { containerRunner, toEntries } from '../check/container-runner.ts';
import { execRunner, type Staged } from '../check/exec-runner.ts';
import { hostRunner, noImage } from '../check/host-runner.ts';
import { withOwnTests } from '../check/own-tests.ts';
import { type CheckJob, type FindImage, filesOf, type OpenRunner } from '../check/runner.ts';
import type { ArchiveEntry } from '../engine/engine.ts';
import type { Desired } from '../plan/desired.ts';
import type { Observed } from '../plan/observed.ts';
import { type Plan, switchedReleases } from '../plan/plan.ts';
import { withRunningImages } from '../plan/substitutes.ts';
import type { Rendering } from '../render/rendering.ts';
import { type ConfigFiles, checkFolder } from '../state/config-files.ts';
import { releaseEntries, slotPath } from '../state/release-files.ts';
import { InputError } from '../util/stack-error.ts';
import type { Run } from './run.ts';

export interface ValidateOptions extends Run {
  readonly desired: Desired;
  readonly rendering: Rendering;
  readonly observed: Observed;
  readonly files: ConfigFiles;
  readonly plan: Plan;
}

/**
 * Validates the files of each service that the plan changes (of all when it has no steps) with the image that will run
 * them: in the running container if it has that image, otherwise in a temporary one. Throws an InputError with all
 * problems; returns the releases that it has written.
 */
export async function validate(options: ValidateOptions): Promise<WrittenSlots> {
  const { engine, desired, files, plan, report } = options;
  const { rendering, diagnostics } = await withOwnTests(options.rendering);
  const touched = new Set(plan.changes.flatMap(({ service, action }) => (action === 'none' ? [] : [service])));
  const services = rendering.services.filter(({ service }) => plan.steps.length === 0 || touched.has(service.name));
  // The shipped tests cover only shipped rules, which a user cannot have changed.
  const tests = rendering.tests.filter((test) => test.isShipped !== true);
  const images = new Map(
    rendering.services.map(({ service, container }) => {
      const target = desired.services.find((candidate) => candidate.service === service);
      return [container.image, { ref: target?.spec.image ?? container.image, id: target?.imageId ?? '' }];
    }),
  );
  const written = new Set<string>();
  const staged = new Set<string>();
  const byTools = await checkFiles({ ...rendering, services, tests }, rendering, images, options, (inContainer) =>
    execRunner(engine, (job) => stageForCheck(options, job, written, staged), inContainer),
  );
  const all = [...diagnostics, ...byTools];
  const errors = all.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    // Invalid files may have secrets in them, too; the errors are reported even if they cannot be removed.
    if (staged.size > 0) await files.write([], [...staged]).catch(() => undefined);
    throw new InputError(errors);
  }
  for (const diagnostic of all) report({ kind: 'diagnostic', diagnostic });
  return written;
}

/**
 * Validates the files of the services that change with the images that will run them, each in a temporary container. Throws an
 * InputError with all problems.
 */
export async function validateInContainers({
  isChanged,
  imageOf,
  ...options
}: Run & {
  readonly rendering: Rendering;
  readonly isChanged: (service: Service) => boolean;
  readonly imageOf: (reference: string) => { readonly ref: string; readonly id: string | undefined };
}): Promise<void> {
  const { rendering, diagnostics } = await withOwnTests(options.rendering);
  const services = rendering.services.filter(({ service }) => isChanged(service));
  const tests = rendering.tests.filter((test) => test.isShipped !== true);
  const images = new Map(
    rendering.services.map(({ container: { image } }) => {
      const { ref, id = '' } = imageOf(image);
      return [image, { ref, id }];
    }),
  );
  const byTools = await checkFiles({ ...rendering, services, tests }, rendering, images, options, (open) => open);
  const all = [...diagnostics, ...byTools];
  const errors = all.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new InputError(errors);
  for (const diagnostic of all) options.report({ kind: 'diagnostic', diagnostic });
}

/** What the tools find in the files of `checked`, which is a part of `whole`. */
function checkFiles(
  checked: Rendering,
  whole: Rendering,
  images: ReadonlyMap<string, { readonly ref: string; readonly id: string }>,
  { engine, env, report, signal }: Run,
  runner: (inContainer: OpenRunner) => OpenRunner,
): Promise<readonly Diagnostic[]> {
  const findImage: FindImage = async (reference) => images.get(reference);
  const open = runner(containerRunner(engine, whole.config.name, findImage, hostRunner(env, noImage)));
  return checkRendering(
    { ...checked, config: withRunningImages(whole.config, images) },
    cachedRunner(open, checkedCache(env), findImage),
    report,
    signal,
    whole,
  );
}

/** New releases that are written but not linked yet, each by its slot: `prometheus/releases/7`. */
export type WrittenSlots = ReadonlySet<string>;

/** Writes a job's files to the running container; undefined when it does not have the image that will run them. */
async function stageForCheck(
  { files, desired, observed, plan }: ValidateOptions,
  job: CheckJob,
  written: Set<string>,
  folders: Set<string>,
): Promise<Staged | undefined> {
  const target = desired.services.find(({ service }) => service.name === job.service);
  const container = observed.services.get(job.service)?.container;
  if (observed.configWriter === undefined || container?.state !== 'running') return undefined;
  if (target === undefined || container.imageId !== target.imageId) return undefined;
  const checked = `${job.service}/${checkFolder}`;
  folders.add(checked);
  const staged = (path: string): Staged => ({ container: container.id, directory: `${configMount}/${path}` });

  const release = switchedReleases(plan).find(({ service, isNew }) => isNew && service === job.service);
  const extra = filesOf({ files: [], commands: job.commands }).filter(({ path }) => !hasPath(job.files, path));
  const tops = [...new Set((target.release?.files ?? []).map(({ path }) => topOf(path)))];
  if (release === undefined || extra.some(({ path }) => tops.includes(topOf(path)))) {
    // The folder is emptied first: a glob must not match files of an earlier check.
    await files.write(toEntries(filesOf(job), checked, job.user), [checked]);
    return staged(checkFolder);
  }
  // The new release is checked in its own folder, which no server reads yet: this avoids a second copy.
  const { folder } = release;
  const slot = slotPath(job.service, folder);
  folders.add(slot);
  const inRelease = releaseEntries(target, folder, observed.services.get(job.service)?.files);
  if (extra.length === 0) {
    await files.write(inRelease, [slot]);
  } else {
    const links = tops.map((top): ArchiveEntry => {
      return { kind: 'link', path: `${checked}/${top}`, to: `../releases/${folder}/${top}`, uid: 0, gid: 0 };
    });
    await files.write([...inRelease, ...toEntries(extra, checked, job.user), ...links], [slot, checked]);
  }
  written.add(slot);
  return staged(extra.length === 0 ? `releases/${folder}` : checkFolder);
}

const hasPath = (files: readonly RenderedFile[], path: string): boolean => files.some((file) => file.path === path);
const topOf = (path: string): string => path.split('/')[0] ?? path;
