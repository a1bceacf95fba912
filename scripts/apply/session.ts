import type { PassedFiles } from '../check/sparing.ts';
import type { Engine } from '../engine/engine.ts';
import { ensureImages } from '../engine/images/ensure.ts';
import { missingImages, missingImagesError } from '../engine/images/outcome.ts';
import type { Desired, ResolvedImage } from '../plan/desired.ts';
import type { Rendering } from '../render/rendering.ts';
import { archivedFiles, type ConfigFiles } from '../state/config-files.ts';
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
