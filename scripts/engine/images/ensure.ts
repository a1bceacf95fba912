import type { StackConfig } from '../../../stack/config.ts';
import type { Report } from '../../util/event.ts';
import { type Engine, EngineError, type ImageSummary, type PullProgress } from '../engine.ts';
import type { ImageAttempt, ImageOrigin, ImageOutcome, WantedImage } from './outcome.ts';
import { newestBuilt, type Recipe, recipeFor, upstreamVersionOf } from './recipes.ts';
import { registryOf, splitReference, underMirror } from './reference.ts';

/** The `images` part of stack.yml. */
export type ImageSettings = StackConfig['images'];

/** What each source allows, in the order in which it is tried. `built` is a present image made from packages earlier. */
const waysOf: Readonly<Record<ImageSettings['source'], readonly Way[]>> = {
  registry: ['present', 'registry'],
  packages: ['built', 'packages'],
  archive: ['present', 'built'],
  auto: ['present', 'built', 'registry', 'packages'],
};
type Way = 'present' | 'built' | 'registry' | 'packages';

/**
 * Gets the images a stack wants, all at once, from where its settings allow. An image that cannot be had is an outcome
 * and no error, so that the caller can go on without it: see `missingImages` and `missingImagesError`.
 */
export async function ensureImages(
  engine: Engine,
  wanted: readonly WantedImage[],
  settings: ImageSettings,
  report: Report,
  signal: AbortSignal,
): Promise<readonly ImageOutcome[]> {
  const wishes = [...new Set(wanted.map((one) => one.reference))].map(
    (reference) => new ImageRequest(reference, settings),
  );
  await findPresent(engine, wishes);
  const absent = wishes.filter((wish) => wish.had === undefined);
  for (const wish of absent) wish.telling = beginTelling(report, wish.reference);
  await Promise.all(absent.filter((wish) => wish.allows('registry')).map((wish) => pull(engine, wish, signal)));
  await build(
    engine,
    absent.filter((wish) => wish.allows('packages') && wish.had === undefined),
    signal,
  );
  for (const wish of absent) wish.tellEnd();
  for (const wish of wishes) warnOfOtherVersion(wish, report);
  return wanted.map((one) => ({ ...one, ...outcomeOf(wishes, one.reference) }));
}

interface Had {
  readonly image: ImageSummary;
  readonly ref: string;
  readonly from: ImageOrigin;
}

/** One image on its way. */
class ImageRequest {
  readonly reference: string;
  readonly settings: ImageSettings;
  /** How Debian's packages could make it, if they can. */
  readonly recipe: Recipe | undefined;
  readonly attempts: ImageAttempt[] = [];
  had: Had | undefined;
  /** Package suites that could not be used, and why. */
  skipped: readonly string[] = [];
  telling: Telling | undefined;

  constructor(reference: string, settings: ImageSettings) {
    this.reference = reference;
    this.settings = settings;
    this.recipe = recipeFor(reference);
  }

  allows(way: Way): boolean {
    return waysOf[this.settings.source].includes(way);
  }

  tellEnd(): void {
    if (this.had !== undefined) {
      const from = { present: 'present', registry: `pulled ${this.had.ref}`, packages: `built ${this.had.ref}` };
      this.telling?.done(from[this.had.from]);
    } else {
      this.telling?.failed(this.attempts.map(({ way, why }) => `${way}: ${why}`).join('; '));
    }
  }
}

async function findPresent(engine: Engine, wishes: readonly ImageRequest[]): Promise<void> {
  const present = await engine.listImages({});
  const byTag = new Map(present.flatMap((image) => image.tags.map((tag) => [tag, image] as const)));
  const tryNames = async (wish: ImageRequest) => {
    const names = [...new Set([wish.reference, pullReference(wish.reference, wish.settings.mirror)])];
    for (const ref of names) {
      const image = byTag.get(ref) ?? (isListedSo(engine, ref) ? undefined : await engine.findImage(ref));
      if (image !== undefined) {
        wish.had = { image, ref, from: 'present' };
        return;
      }
    }
  };
  await Promise.all(wishes.filter((wish) => wish.allows('present')).map(tryNames));

  const open = wishes.filter((wish) => wish.had === undefined && wish.allows('built') && wish.recipe !== undefined);
  for (const wish of open) {
    const built = wish.recipe === undefined ? undefined : newestBuilt(wish.recipe, present);
    if (built !== undefined) wish.had = { image: built.image, ref: built.tag, from: 'present' };
  }
  for (const wish of wishes) {
    const isEnd = !wish.allows('registry') && !wish.allows('packages');
    if (wish.had === undefined && isEnd) wish.attempts.push({ way: 'archive', why: 'it has not been loaded' });
  }
}

/** Docker lists an image by its tags in their short form: what is written otherwise, with a digest say, has to be asked for by itself. */
function isListedSo({ kind }: Engine, reference: string): boolean {
  return kind === 'docker' && registryOf(reference) === undefined && /^[^@]*:[^@/]+$/.test(reference);
}

async function pull(engine: Engine, wish: ImageRequest, signal: AbortSignal): Promise<void> {
  const ref = pullReference(wish.reference, wish.settings.mirror);
  const why = await pullFromRegistry(engine, ref, (...told) => wish.telling?.progress(...told), signal);
  const image = why === undefined ? await engine.findImage(ref) : undefined;
  if (image !== undefined) wish.had = { image, ref, from: 'registry' };
  else wish.attempts.push({ way: 'registry', why: why ?? `the engine pulled ${ref} and does not have it` });
}

async function build(engine: Engine, wishes: readonly ImageRequest[], signal: AbortSignal): Promise<void> {
  for (const wish of wishes.filter((one) => one.recipe === undefined)) {
    const { repository } = splitReference(wish.reference);
    wish.attempts.push({ way: 'packages', why: `Debian has no package of ${repository}` });
  }
  const recipes = [...new Set(wishes.flatMap((wish) => wish.recipe ?? []))];
  if (recipes.length === 0) return;
  const { buildFromPackages } = await import('./packages.ts');
  const tell = (program: string, detail: string) => {
    for (const wish of wishes) if (wish.recipe?.program === program) wish.telling?.progress(detail);
  };
  const outcomes = await buildFromPackages(engine, recipes, tell, signal);
  for (const wish of wishes) {
    const outcome = wish.recipe === undefined ? undefined : outcomes.get(wish.recipe.program);
    if (outcome?.kind === 'refused') wish.attempts.push({ way: 'packages', why: outcome.why });
    if (outcome?.kind !== 'built') continue;
    const image = await engine.findImage(outcome.reference);
    if (image !== undefined) wish.had = { image, ref: outcome.reference, from: 'packages' };
    wish.skipped = outcome.skipped;
  }
}

/** Packages have the version Debian has: who asked for another should know. */
function warnOfOtherVersion({ reference, had, recipe, skipped }: ImageRequest, report: Report): void {
  if (had === undefined || recipe === undefined) return;
  const version = upstreamVersionOf(recipe, had.ref);
  const asked = splitReference(reference).tag.replace(/^v/, '');
  if (version === undefined || asked === version || had.ref === reference) return;
  const because = skipped.length === 0 ? '' : ` (not used: ${skipped.join('; ')})`;
  const text = `${had.ref} stands in for ${reference}: Debian's packages have ${version}${because}`;
  report({ kind: 'warning', text });
}

function outcomeOf(wishes: readonly ImageRequest[], reference: string) {
  const wish = wishes.find((one) => one.reference === reference);
  if (wish?.had === undefined) return { kind: 'missing' as const, attempts: wish?.attempts ?? [] };
  const { image, ref, from } = wish.had;
  return { kind: 'had' as const, ref, imageId: image.id, from };
}

/** The images that are here already, by the reference that was asked for; pulls and builds nothing. */
export async function findImages(
  engine: Engine,
  wanted: readonly WantedImage[],
  settings: ImageSettings,
): Promise<ReadonlyMap<string, { readonly ref: string; readonly id: string }>> {
  const wishes = [...new Set(wanted.map((one) => one.reference))].map(
    (reference) => new ImageRequest(reference, settings),
  );
  await findPresent(engine, wishes);
  return new Map(
    wishes.flatMap(({ reference, had }) =>
      had === undefined ? [] : [[reference, { ref: had.ref, id: had.image.id }] as const],
    ),
  );
}

/** How long a pull may say nothing before it is given up, in milliseconds. */
const silenceMs = 60_000;

/** The name an image is pulled by: its own, or the one it has under the mirror. */
function pullReference(reference: string, mirror: string | undefined): string {
  return mirror === undefined ? reference : underMirror(reference, mirror);
}

/** Pulls an image, telling how far it is; undefined when it was had, else why not. */
async function pullFromRegistry(
  engine: Engine,
  reference: string,
  tell: (detail: string, fraction?: number) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  const silence = createSilence(silenceMs);
  try {
    await engine.pullImage(
      reference,
      (progress) => {
        silence.broken();
        if (progress.totalBytes > 0) tell(sayProgress(progress), progress.doneBytes / progress.totalBytes);
      },
      AbortSignal.any([signal, silence.signal]),
    );
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (silence.signal.aborted) return `no word from the registry for ${silenceMs / 1_000} s`;
    if (error instanceof EngineError && error.code !== 'unreachable') return error.message;
    throw error;
  } finally {
    silence.end();
  }
}

/** `42 of 98 MB` */
function sayProgress({ doneBytes, totalBytes }: PullProgress): string {
  const inMegabytes = (bytes: number) => Math.round(bytes / 1e6);
  return `${inMegabytes(doneBytes)} of ${inMegabytes(totalBytes)} MB`;
}

/** A signal that aborts after a time in which nothing was heard. */
function createSilence(ms: number): { readonly signal: AbortSignal; broken(): void; end(): void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, broken: () => timer.refresh(), end: () => clearTimeout(timer) };
}

/** Tells of a piece of work from its beginning to its end. */
interface Telling {
  progress(detail: string, fraction?: number): void;
  done(detail: string): void;
  failed(why: string): void;
}

/** Begins to tell of getting an image. */
function beginTelling(report: Report, reference: string): Telling {
  const id = `image:${reference}`;
  const what = `image ${reference}`;
  const startedAt = performance.now();
  report({ kind: 'started', id, what });
  return {
    progress: (detail, fraction) =>
      report({ kind: 'progress', id, what, detail, ...(fraction === undefined ? {} : { fraction }) }),
    done: (detail) => report({ kind: 'done', id, what, tookMs: performance.now() - startedAt, detail }),
    failed: (why) => report({ kind: 'failed', id, what, why }),
  };
}
