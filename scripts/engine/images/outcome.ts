import { StackError } from '../../util/stack-error.ts';
import { recipeFor } from './recipes.ts';

/** An image a stack wants. */
export interface WantedImage {
  readonly service: string;
  readonly reference: string;
}

/** Where an image that was had came from. */
export type ImageOrigin = 'present' | 'registry' | 'packages';

/** One way that was tried, and why it did not lead to the image. */
export interface ImageAttempt {
  readonly way: string;
  readonly why: string;
}

/** What became of the wish for an image. */
export type ImageOutcome = WantedImage &
  (
    | {
        readonly kind: 'had';
        /** What to create containers by; another name than `reference` under a mirror or when built from packages. */
        readonly ref: string;
        readonly imageId: string;
        readonly from: ImageOrigin;
      }
    | { readonly kind: 'missing'; readonly attempts: readonly ImageAttempt[] }
  );

/** An image that cannot be had. */
export type MissingImage = Extract<ImageOutcome, { kind: 'missing' }>;

/** The images that cannot be had. */
export function missingImages(outcomes: readonly ImageOutcome[]): readonly MissingImage[] {
  return outcomes.filter((one) => one.kind === 'missing');
}

/** What stops a stack whose images cannot all be had: each with every way tried. */
export function missingImagesError(missing: readonly MissingImage[]): StackError {
  return new StackError({
    doing: 'getting the images',
    why: missing.map(sayMissing).join('\n'),
    tryThis: waysLeft(missing).join(', or '),
  });
}

function waysLeft(missing: readonly MissingImage[]): readonly string[] {
  const wasTried = (way: string) => missing.some((one) => one.attempts.some((attempt) => attempt.way === way));
  const isInDebian = missing.some((one) => recipeFor(one.reference) !== undefined);
  return [
    ...(isInDebian && !wasTried('packages')
      ? ["`images: { source: packages }` in stack.yml, which builds images from Debian's packages"]
      : []),
    ...(wasTried('registry') ? ['`images: { mirror: … }` with a registry that the engine reaches'] : []),
    '`promstack images save FILE` on a host that has them and `promstack images load FILE` here',
  ];
}

/** `prom/prometheus:v3.5.3 for prometheus cannot be had: registry: …; packages: …` */
export function sayMissing(missing: MissingImage): string {
  const ways = missing.attempts.map(({ way, why }) => `\n    ${way}: ${why}`).join('');
  return `${missing.reference} for ${missing.service} cannot be had${ways}`;
}
