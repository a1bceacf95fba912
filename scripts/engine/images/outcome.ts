import { keyOf } from '../../../stack/services.ts';
import { StackError } from '../../util/stack-error.ts';
import { recipeFor, recipes } from './recipes.ts';

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
        /** A sentence, when its version is not the one in `reference`. */
        readonly otherVersion?: string | undefined;
      }
    | {
        readonly kind: 'missing';
        readonly attempts: readonly ImageAttempt[];
        /** Local images of the same repository. */
        readonly otherTags?: readonly string[] | undefined;
      }
  );

type MissingImage = Extract<ImageOutcome, { kind: 'missing' }>;

export function missingImages(outcomes: readonly ImageOutcome[]): readonly MissingImage[] {
  return outcomes.filter((outcome) => outcome.kind === 'missing');
}

/** Why an image that stack.yml names is not built under the source `auto`. */
export const notReplaced: ImageAttempt = {
  source: 'packages',
  why: "not tried: the source auto replaces only the default images by the versions of Debian's packages",
};

const isNotReplaced = ({ attempts }: MissingImage): boolean => attempts.includes(notReplaced);

/** What to create containers from, by the references in stack.yml; throws when an image is missing. */
export function resolvedImages(outcomes: readonly ImageOutcome[], target?: 'swarm') {
  const missing = missingImages(outcomes);
  if (missing.length > 0) throw missingImagesError(missing, target);
  const available = outcomes.flatMap((image) => (image.kind === 'available' ? [image] : []));
  const resolved = new Map(available.map(({ reference, ref, imageId }) => [reference, { ref, id: imageId }]));
  return {
    imageOf: (reference: string): { readonly ref: string; readonly id: string | undefined } =>
      resolved.get(reference) ?? { ref: reference, id: undefined },
    /** The versions that are not those of stack.yml, as sentences by image. */
    otherVersions: new Map(
      available.flatMap(({ ref, otherVersion: text }) => (text === undefined ? [] : [[ref, text]])),
    ),
  };
}

/** The error when images of a stack are unavailable; it lists every source tried. */
export function missingImagesError(missing: readonly MissingImage[], target?: 'swarm'): StackError {
  return new StackError({
    doing: 'getting the images',
    why: describeMissing(missing),
    tryThis: otherSources(missing, target).join(', or '),
  });
}

function otherSources(missing: readonly MissingImage[], target?: 'swarm'): readonly string[] {
  const wasTried = (name: string) => missing.some(({ attempts }) => attempts.some(({ source }) => source === name));
  const isInDebian = missing.some(({ reference }) => recipeFor(reference) !== undefined);
  const buildable =
    "`images: {source: packages}` in stack.yml, which runs the versions of Debian's packages in place of those named";
  return [
    ...(isInDebian && !wasTried('packages')
      ? ["`images: {source: auto}` in stack.yml, which also builds images from Debian's packages"]
      : []),
    ...missing
      .filter(
        (image, at) =>
          isNotReplaced(image) && missing.findIndex(({ reference }) => reference === image.reference) === at,
      )
      .map(({ service }) => `correct \`${keyOf(service, 'image')}\`, or remove it for the default image`),
    ...(missing.some(isNotReplaced) ? [buildable] : []),
    ...missing.flatMap(({ service, otherTags = [] }) =>
      otherTags.slice(0, 1).map((tag) => `\`${keyOf(service, 'image')}: ${tag}\`, which is present`),
    ),
    ...withoutPackage(missing).map((service) =>
      target === 'swarm'
        ? `\`${keyOf(service, 'enabled')}: false\` in stack.yml`
        : `\`promstack up --without ${service}\``,
    ),
    ...(wasTried('registry') ? ['`images: { mirror: … }` with a registry that the engine can reach'] : []),
    target === 'swarm'
      ? '`promstack images save FILE` on a host that has them and `docker load --input FILE` on each node'
      : '`promstack images save FILE` on a host that has them and `promstack images load FILE` here',
  ];
}

/** The services that Debian has no package for, so that no other source replaces their image. */
function withoutPackage(missing: readonly MissingImage[]): readonly string[] {
  return missing.flatMap(({ service, reference }) => {
    const hasRecipe = recipeFor(reference) !== undefined || recipes.some(({ program }) => program === service);
    return hasRecipe ? [] : [service];
  });
}

/** `prom/prometheus:v3.5.3 for prometheus is not available`, followed by a line per reason, each once for all images it holds for. */
export function describeMissing(missing: readonly MissingImage[]): string {
  const images = missing.map(({ reference, service }) => `${reference} for ${service}`);
  const reasons = new Map<string, { readonly text: string; readonly of: MissingImage[] }>();
  for (const image of missing) {
    for (const { source, why } of image.attempts) {
      const text = `${source}: ${why}`;
      const key = withoutDetails(text, image);
      reasons.set(key, { text, of: [...(reasons.get(key)?.of ?? []), image] });
    }
  }
  const lines = [...reasons.values()].map(({ text, of }) => {
    const whose = of.length === missing.length ? '' : ` (${of.map(({ reference }) => reference).join(', ')})`;
    return `\n    ${text}${whose}`;
  });
  return `${images.join(', ')} ${images.length === 1 ? 'is' : 'are'} not available${lines.join('')}`;
}

/** A reason without what differs although the cause is the same: the image, and the port that a DNS query was sent from. */
function withoutDetails(text: string, { reference }: MissingImage): string {
  return text.replaceAll(reference, '').replaceAll(/:\d+->/g, '->');
}
