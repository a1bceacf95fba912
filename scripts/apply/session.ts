import type { PassedFiles } from '../check/sparing.ts';
import type { Engine } from '../engine/engine.ts';
import { ensureImages } from '../engine/images/ensure.ts';
import { missingImages, missingImagesError } from '../engine/images/outcome.ts';
import type { Desired, ResolvedImage } from '../plan/desired.ts';
import type { Step } from '../plan/plan.ts';
import type { EngineSnapshot } from '../plan/snapshot.ts';
import type { Rendering } from '../render/rendering.ts';
import { archivedFiles, type ConfigFiles } from '../state/config-files.ts';
import type { Clock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';

/** What a change finds out before it looks at the stack, and its way to the files. */
export interface Session {
  /** Gets every image the stack needs; a StackError when one cannot be had, before anything is touched. */
  images(rendering: Rendering, report: Report, signal: AbortSignal): Promise<(reference: string) => ResolvedImage>;
  files(desired: Desired): Promise<ConfigFiles>;
  /** Files that passed their checks, where there are many changes. */
  readonly passed?: PassedFiles;
  /** Whether it is worth a look, before the lock is taken, if anything has to be done at all. */
  readonly looksFirst: boolean;
}

/** What a change of a running stack needs. */
export interface ChangeOptions {
  readonly engine: Engine;
  readonly rendering: Rendering;
  /** The command as the lock and the history name it: `up`. */
  readonly command: string;
  /** Tells where the tools of this host and the cache of passed checks are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What changes of this stack share when there are many; a single one finds it out by itself. */
  readonly session?: Session;
  /** A look that was taken already, and may show without the lock that there is nothing to do. */
  readonly stock?: EngineSnapshot | undefined;
  /** Make every container anew. */
  readonly recreate?: boolean;
  /** Only files may change: whatever else is needed is refused, with what it is. */
  readonly filesOnly?: boolean;
  /** Run the person's own tests though nothing else has to be done: they may be what has changed. */
  readonly judgesTests?: boolean;
  readonly afterStep?: ((step: Step) => void) | undefined;
}

/** For one change: asks the engine for everything. */
export function coldSession(engine: Engine): Session {
  return {
    images: (rendering, report, signal) => getImages(engine, rendering, report, signal),
    files: async (desired) => archivedFiles(engine, desired.stack),
    looksFirst: true,
  };
}

async function getImages(
  engine: Engine,
  rendering: Rendering,
  report: Report,
  signal: AbortSignal,
): Promise<(reference: string) => ResolvedImage> {
  const wanted = rendering.services.map(({ container }) => ({
    service: container.service,
    reference: container.image,
  }));
  const outcomes = await ensureImages(engine, wanted, rendering.config.images, report, signal);
  const missing = missingImages(outcomes);
  if (missing.length > 0) throw missingImagesError(missing);
  const byReference = new Map(
    outcomes.flatMap((one) =>
      one.kind === 'had' ? [[one.reference, { ref: one.ref, id: one.imageId }] as const] : [],
    ),
  );
  return (reference) => byReference.get(reference) ?? { ref: reference, id: undefined };
}
