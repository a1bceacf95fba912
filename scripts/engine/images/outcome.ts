import { StackError } from '../../util/stack-error.ts';
import { recipeFor } from './recipes.ts';

/** An image that a service of a stack needs. */
export interface RequiredImage {
  readonly service: string;
  readonly reference: string;
}

/** Where an available image came from. */
export type ImageOrigin = 'present' | 'registry' | 'packages';

/** A source tried, and why the image could not be taken from it. */
export interface ImageAttempt {
  readonly source: string;
  readonly why: string;
}

/** The result of getting an image. */
export type ImageOutcome = RequiredImage &
  (
    | {
        readonly kind: 'available';
        /** What to create containers from; differs from `reference` with a mirror and when built from packages. */
        readonly ref: string;
        readonly imageId: string;
        readonly from: ImageOrigin;
      }
    | { readonly kind: 'missing'; readonly attempts: readonly ImageAttempt[] }
  );

type MissingImage = Extract<ImageOutcome, { kind: 'missing' }>;

export function missingImages(outcomes: readonly ImageOutcome[]): readonly MissingImage[] {
  return outcomes.filter((outcome) => outcome.kind === 'missing');
}

/** The error when images of a stack are unavailable; it lists every source tried. */
export function missingImagesError(missing: readonly MissingImage[]): StackError {
  return new StackError({
    doing: 'getting the images',
    why: missing.map(describeMissing).join('\n'),
    tryThis: otherSources(missing).join(', or '),
  });
}

function otherSources(missing: readonly MissingImage[]): readonly string[] {
  const wasTried = (name: string) => missing.some(({ attempts }) => attempts.some(({ source }) => source === name));
  const isInDebian = missing.some(({ reference }) => recipeFor(reference) !== undefined);
  return [
    ...(isInDebian && !wasTried('packages')
      ? ["`images: { source: packages }` in stack.yml, which builds images from Debian's packages"]
      : []),
    ...(wasTried('registry') ? ['`images: { mirror: … }` with a registry that the engine can reach'] : []),
    '`promstack images save FILE` on a host that has them and `promstack images load FILE` here',
  ];
}

/** `prom/prometheus:v3.5.3 for prometheus is not available`, followed by a line per source with the reason. */
export function describeMissing(missing: MissingImage): string {
  const reasons = missing.attempts.map(({ source, why }) => `\n    ${source}: ${why}`).join('');
  return `${missing.reference} for ${missing.service} is not available${reasons}`;
}
