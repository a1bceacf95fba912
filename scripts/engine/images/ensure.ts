import type { StackConfig } from '../../../stack/config.ts';
import { defaultImages } from '../../../stack/values/default-images.ts';
import type { Report } from '../../util/event.ts';
import type { Engine, ImageSummary, PullProgress } from '../engine.ts';
import { EngineError } from '../engine-error.ts';
import { type ImageAttempt, type ImageOrigin, type ImageOutcome, notReplaced, type RequiredImage } from './outcome.ts';
import { newestBuilt, type Recipe, recipeFor, upstreamVersionOf } from './recipes.ts';
import { registryOf, splitReference, underMirror } from './reference.ts';

/** The `images` part of stack.yml. */
export type ImageSettings = StackConfig['images'];

/** `built` is a local image that was built from packages earlier. */
type ImageSource = 'present' | 'built' | 'registry' | 'packages';

/** The sources that each setting allows, in the order tried. */
const sourcesOf: Readonly<Record<ImageSettings['source'], readonly ImageSource[]>> = {
  registry: ['present', 'registry'],
  packages: ['built', 'packages'],
  archive: ['present', 'built'],
  auto: ['present', 'built', 'registry', 'packages'],
};

/**
 * Gets the images of a stack in parallel from the sources that its settings allow. An unavailable image is an outcome,
 * not an error, so that the caller can continue without it: see `missingImages` and `missingImagesError`.
 */
export async function ensureImages(
  engine: Engine,
  required: readonly RequiredImage[],
  settings: ImageSettings,
  report: Report,
  signal: AbortSignal,
): Promise<readonly ImageOutcome[]> {
  const images = pendingImages(required, settings);
  await findPresent(engine, images);
  const absent = images.filter((image) => image.available === undefined);
  for (const image of absent) image.progress = startProgress(report, image.reference);
  await Promise.all(absent.filter((image) => image.allows('registry')).map((image) => pull(engine, image, signal)));
  const unpulled = absent.filter((image) => image.allows('packages') && image.available === undefined);
  await build(engine, unpulled, signal);
  for (const image of absent) image.endProgress();
  return required.map((image) => ({ ...image, ...outcomeOf(images, image.reference) }));
}

/** The local images, by the required reference; pulls and builds nothing. */
export async function findImages(
  engine: Engine,
  required: readonly RequiredImage[],
  settings: ImageSettings,
): Promise<ReadonlyMap<string, { readonly ref: string; readonly id: string }>> {
  const images = pendingImages(required, settings);
  await findPresent(engine, images);
  return new Map(
    images.flatMap(({ reference, available }) =>
      available === undefined ? [] : [[reference, { ref: available.ref, id: available.image.id }] as const],
    ),
  );
}

interface AvailableImage {
  readonly image: ImageSummary;
  readonly ref: string;
  readonly from: ImageOrigin;
}

/** A required image and what is known about it so far. */
class PendingImage {
  readonly reference: string;
  readonly settings: ImageSettings;
  /** How to build it from Debian's packages, if possible. */
  readonly recipe: Recipe | undefined;
  readonly attempts: ImageAttempt[] = [];
  available: AvailableImage | undefined;
  /** Local images of the same repository. */
  otherTags: readonly string[] = [];
  /** Package suites that could not be used, and why. */
  skippedSuites: readonly string[] = [];
  progress: Progress | undefined;

  constructor(reference: string, settings: ImageSettings) {
    this.reference = reference;
    this.settings = settings;
    this.recipe = recipeFor(reference);
  }

  allows(source: ImageSource): boolean {
    // No package replaces a local image that Debian has no package of.
    if (source === 'present' && this.recipe === undefined) return true;
    return sourcesOf[this.settings.source].includes(source);
  }

  /** Whether a different version from packages may run in its place: under `auto`, only in place of a default image. */
  get isReplaceable(): boolean {
    return this.settings.source !== 'auto' || Object.values<string>(defaultImages).includes(this.reference);
  }

  endProgress(): void {
    if (this.available === undefined) {
      // Why is in the outcome, which covers all images with the same reason at once.
      this.progress?.failed('not available');
    } else {
      const { ref, from } = this.available;
      this.progress?.done({ present: 'present', registry: `pulled ${ref}`, packages: `built ${ref}` }[from]);
    }
  }
}

function pendingImages(required: readonly RequiredImage[], settings: ImageSettings): readonly PendingImage[] {
  return [...new Set(required.map(({ reference }) => reference))].map(
    (reference) => new PendingImage(reference, settings),
  );
}

async function findPresent(engine: Engine, images: readonly PendingImage[]): Promise<void> {
  const present = await engine.listImages({});
  const byTag = new Map(present.flatMap((image) => image.tags.map((tag) => [tag, image] as const)));
  const findByName = async (pending: PendingImage) => {
    const names = [...new Set([pending.reference, pullReference(pending.reference, pending.settings.mirror)])];
    for (const ref of names) {
      const image = byTag.get(ref) ?? (isListedAs(engine, ref) ? undefined : await engine.findImage(ref));
      if (image !== undefined) {
        pending.available = { image, ref, from: 'present' };
        return;
      }
    }
  };
  await Promise.all(images.filter((pending) => pending.allows('present')).map(findByName));

  for (const pending of images.filter(({ available }) => available === undefined)) {
    const { recipe } = pending;
    const { repository } = splitReference(pending.reference);
    pending.otherTags = present.flatMap(({ tags }) => tags.filter((tag) => isTagOf(tag, repository)));
    const version = pending.isReplaceable ? undefined : versionIn(pending.reference);
    const built = recipe === undefined || !pending.allows('built') ? undefined : newestBuilt(recipe, present, version);
    if (built !== undefined) pending.available = { image: built.image, ref: built.tag, from: 'present' };
    else if (!pending.allows('registry') && !pending.allows('packages')) {
      pending.attempts.push({ source: 'archive', why: 'it has not been loaded' });
    }
  }
}

/** Podman lists the images of Docker Hub with its host name. */
function isTagOf(reference: string, repository: string): boolean {
  return splitReference(reference).repository.replace(/^docker\.io\//, '') === repository.replace(/^docker\.io\//, '');
}

/** Docker lists images by the short form of their tags: references in another form, such as a digest, need a query each. */
function isListedAs({ kind }: Engine, reference: string): boolean {
  return kind === 'docker' && registryOf(reference) === undefined && /^[^@]*:[^@/]+$/.test(reference);
}

/** The name an image is pulled by: its own, or its name in the mirror. */
function pullReference(reference: string, mirror: string | undefined): string {
  return mirror === undefined ? reference : underMirror(reference, mirror);
}

async function pull(engine: Engine, pending: PendingImage, signal: AbortSignal): Promise<void> {
  const ref = pullReference(pending.reference, pending.settings.mirror);
  const why = await pullFromRegistry(engine, ref, (...args) => pending.progress?.update(...args), signal);
  const image = why === undefined ? await engine.findImage(ref) : undefined;
  if (image !== undefined) pending.available = { image, ref, from: 'registry' };
  else pending.attempts.push({ source: 'registry', why: why ?? `the engine pulled ${ref} but does not list it` });
}

/** How long a pull may make no progress, in milliseconds. */
const stallMs = 60_000;

/** Pulls an image; returns the reason if it failed. */
async function pullFromRegistry(
  engine: Engine,
  reference: string,
  onProgress: (detail: string, fraction?: number) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(), stallMs);
  try {
    await engine.pullImage(
      reference,
      (progress) => {
        timer.refresh();
        if (progress.totalBytes > 0) onProgress(formatProgress(progress), progress.doneBytes / progress.totalBytes);
      },
      AbortSignal.any([signal, stall.signal]),
    );
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (stall.signal.aborted) return `the registry has not answered for ${stallMs / 1_000} s`;
    if (error instanceof EngineError && error.code !== 'unreachable') return error.message;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** `42 of 98 MB` */
function formatProgress({ doneBytes, totalBytes }: PullProgress): string {
  const toMegabytes = (bytes: number) => Math.round(bytes / 1e6);
  return `${toMegabytes(doneBytes)} of ${toMegabytes(totalBytes)} MB`;
}

async function build(engine: Engine, absent: readonly PendingImage[], signal: AbortSignal): Promise<void> {
  const isBuilt = ({ isReplaceable, recipe, reference }: PendingImage): boolean =>
    isReplaceable || recipe === undefined || upstreamVersionOf(recipe, reference) !== undefined;
  for (const pending of absent.filter((image) => !isBuilt(image))) pending.attempts.push(notReplaced);
  const images = absent.filter(isBuilt);
  for (const { reference, attempts } of images.filter(({ recipe }) => recipe === undefined)) {
    const { repository } = splitReference(reference);
    attempts.push({ source: 'packages', why: `Debian has no package of ${repository}` });
  }
  const recipes = [...new Set(images.flatMap(({ recipe }) => recipe ?? []))];
  if (recipes.length === 0) return;
  const { buildFromPackages } = await import('./packages.ts');
  const onProgress = (program: string, detail: string) => {
    for (const { recipe, progress } of images) if (recipe?.program === program) progress?.update(detail);
  };
  const outcomes = await buildFromPackages(engine, recipes, onProgress, signal);
  for (const pending of images) {
    const outcome = pending.recipe === undefined ? undefined : outcomes.get(pending.recipe.program);
    if (outcome?.kind === 'failed') pending.attempts.push({ source: 'packages', why: outcome.why });
    if (outcome?.kind !== 'built') continue;
    if (!pending.isReplaceable && outcome.reference !== pending.reference) {
      pending.attempts.push({ source: 'packages', why: `they have ${outcome.reference}` });
      continue;
    }
    const image = await engine.findImage(outcome.reference);
    if (image !== undefined) pending.available = { image, ref: outcome.reference, from: 'packages' };
    pending.skippedSuites = outcome.skipped;
  }
}

/** The version in a reference: `3.5.3` for `prom/prometheus:v3.5.3`. */
const versionIn = (reference: string): string => splitReference(reference).tag.replace(/^v/, '');

/** Debian's packages have only one version, which may differ from the required one. */
function otherVersion({ reference, available, recipe, skippedSuites }: PendingImage): string | undefined {
  if (available === undefined || recipe === undefined) return undefined;
  const version = upstreamVersionOf(recipe, available.ref);
  if (version === undefined || versionIn(reference) === version || available.ref === reference) return undefined;
  const because = skippedSuites.length === 0 ? '' : ` (not used: ${skippedSuites.join('; ')})`;
  return `${available.ref} is used in place of ${reference}: Debian's packages have ${version}${because}`;
}

function outcomeOf(images: readonly PendingImage[], reference: string) {
  const pending = images.find((image) => image.reference === reference);
  if (pending?.available === undefined) {
    const { attempts = [], otherTags } = pending ?? {};
    return { kind: 'missing' as const, attempts, otherTags };
  }
  const { image, ref, from } = pending.available;
  return { kind: 'available' as const, ref, imageId: image.id, from, otherVersion: otherVersion(pending) };
}

/** Reports the progress of one image. */
interface Progress {
  update(detail: string, fraction?: number): void;
  done(detail: string): void;
  failed(why: string): void;
}

function startProgress(report: Report, reference: string): Progress {
  const id = `image:${reference}`;
  const what = `image ${reference}`;
  const startedAt = performance.now();
  report({ kind: 'started', id, what });
  return {
    update: (detail, fraction) => report({ kind: 'progress', id, what, detail, fraction }),
    done: (detail) => report({ kind: 'done', id, what, tookMs: performance.now() - startedAt, detail }),
    failed: (why) => report({ kind: 'failed', id, what, why }),
  };
}
