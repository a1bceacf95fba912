import type { Report } from '../../util/event.ts';
import { StackError } from '../../util/stack-error.ts';
import type { Engine, ImageSummary } from '../engine.ts';
import { ensureImages, type ImageSettings } from './ensure.ts';
import { describeMissing, type ImageOutcome, missingImages, type RequiredImage } from './outcome.ts';
import { splitReference } from './reference.ts';

/** What identifies an image that was validated; its tag may be moved to another one. */
export interface Pin {
  /** The image that ran: the one of stack.yml, in a mirror, or one built from packages. */
  readonly image: string;
  /** In a registry: the same for all architectures. */
  readonly digest?: string | undefined;
  /** The packages with their versions, for an image that promstack built: such an image is in no registry. */
  readonly packages?: string | undefined;
  /** The id on the engine, which alone identifies an image that was loaded from a file. */
  readonly id: string;
}

/** Pins by the image of stack.yml. */
export type Pins = ReadonlyMap<string, Pin>;

const packagesLabel = 'dev.promstack.packages';

export function pinOf(image: string, { id, digests, labels }: ImageSummary): Pin {
  const { repository } = splitReference(image);
  const own = digests.find((digest) => withoutHub(splitReference(digest).repository) === withoutHub(repository));
  const digest = own === undefined ? undefined : splitReference(own).tag;
  const packages = digest === undefined ? labels[packagesLabel] : undefined;
  return { image, ...(digest && { digest }), ...(packages && { packages }), id };
}

/** Podman lists the images of Docker Hub with its host name. */
const withoutHub = (repository: string): string => repository.replace(/^docker\.io\/(?:library\/)?/, '');

/** Whether an image is the pinned one. */
export function isPinned({ id, digests, labels }: ImageSummary, pin: Pin): boolean {
  if (pin.digest !== undefined) return digests.some((digest) => splitReference(digest).tag === pin.digest);
  return pin.packages === undefined ? id === pin.id : labels[packagesLabel] === pin.packages;
}

export interface PinnedOptions {
  readonly pins: Pins;
  /** The file of the pins, for messages. */
  readonly file: string;
  readonly settings: ImageSettings;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Gets the pinned images of a stack, wherever their tags are now; throws a StackError for one that cannot be got, or is not pinned. */
export async function ensurePinned(
  engine: Engine,
  required: readonly RequiredImage[],
  { pins, file, settings, report, signal }: PinnedOptions,
): Promise<readonly ImageOutcome[]> {
  const fail = (why: string, tryThis: string): never => {
    throw new StackError({ doing: `taking the images of ${file}`, why, tryThis });
  };
  const present = await engine.listImages({});
  const outcomes: ImageOutcome[] = [];
  for (const wanted of required) {
    const { reference, service } = wanted;
    const pin = pins.get(reference);
    if (pin === undefined) {
      return fail(
        `it has no ${reference}, the image of ${service}`,
        '`promstack up` without --locked, then `promstack images lock` if it works',
      );
    }
    const image = present.find((candidate) => isPinned(candidate, pin));
    if (image !== undefined) {
      const ref = await referenceTo(engine, image, pin);
      noteMoved(present, { pin, ref, report });
      outcomes.push({ ...wanted, kind: 'available', ref, imageId: image.id, from: 'present' });
      continue;
    }
    const source = pin.digest === undefined ? reference : `${splitReference(pin.image).repository}@${pin.digest}`;
    // What has no digest can only be built again, which may result in the same packages.
    if (pin.digest === undefined && pin.packages === undefined) return fail(...lost(pin, present));
    const asked = [{ service, reference: source }];
    // The image in the file has the mirror in its name already.
    const from = pin.digest === undefined ? settings : { source: registryOnly(settings.source) };
    const got = await ensureImages(engine, asked, from, report, signal);
    const [outcome] = got;
    if (outcome?.kind !== 'available') {
      return fail(`${describeMissing(missingImages(got))}${movedText(pin, present)}`, lost(pin, present)[1]);
    }
    const made = await engine.findImage(outcome.ref);
    if (made === undefined || !isPinned(made, pin)) return fail(...differentText(pin, made));
    outcomes.push({ ...outcome, reference, ref: await referenceTo(engine, made, pin) });
  }
  return outcomes;
}

const registryOnly = (source: ImageSettings['source']): ImageSettings['source'] =>
  source === 'archive' ? 'archive' : 'registry';

/** The pinned image by its tag, which it gets when no other image has it; else by its digest. */
async function referenceTo(engine: Engine, image: ImageSummary, pin: Pin): Promise<string> {
  const tagged = await engine.findImage(pin.image);
  if (tagged?.id === image.id) return pin.image;
  if (tagged === undefined && !pin.image.includes('@')) {
    await engine.tagImage(image.id, pin.image);
    return pin.image;
  }
  return pin.digest === undefined ? image.id : `${splitReference(pin.image).repository}@${pin.digest}`;
}

function noteMoved(
  present: readonly ImageSummary[],
  { pin, ref, report }: { readonly pin: Pin; readonly ref: string; readonly report: Report },
): void {
  if (ref === pin.image) return;
  report({ kind: 'note', text: `the pinned image runs as ${ref}${movedText(pin, present)}` });
}

/** That the tag is of another image, if it is. */
function movedText(pin: Pin, present: readonly ImageSummary[]): string {
  const now = present.find(({ tags }) => tags.includes(pin.image));
  if (now === undefined || isPinned(now, pin)) return '';
  const { digest, id } = pinOf(pin.image, now);
  return `: the tag ${pin.image} is ${digest ?? id} by now, and ${pin.digest ?? pin.id} is pinned`;
}

/** Why and what to try for an image that no registry has. */
function lost(pin: Pin, present: readonly ImageSummary[]): readonly [string, string] {
  const why = `${pin.image} with the id ${pin.id} is not on the engine, and has no digest in a registry${movedText(pin, present)}`;
  return [why, '`promstack images save FILE` on a host that has it, and `promstack images load FILE` here'];
}

function differentText(pin: Pin, made: ImageSummary | undefined): readonly [string, string] {
  const [before, now] = [pin.packages ?? pin.digest ?? pin.id, made && (made.labels[packagesLabel] ?? made.id)];
  const gone = before.split(', ').filter((entry) => now?.split(', ').includes(entry) !== true);
  const why = `${pin.image} here is built from other packages than the pinned one: ${gone.join(', ')} ${gone.length === 1 ? 'is' : 'are'} not among them`;
  const save =
    '`promstack images save FILE` on a host that has the pinned image, and `promstack images load FILE` here';
  return [why, `${save}; or \`promstack up\`, then \`promstack images lock\``];
}
