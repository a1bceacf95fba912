import type { KeyPath } from '../../../stack/diagnostic.ts';
import { type Service, sectionPath } from '../../../stack/service.ts';
import {
  compareVersions,
  isCrossed,
  knownVersions,
  type VersionNote,
  versionNumbers,
} from '../../../stack/values/known-versions.ts';
import { valueAt } from '../../../stack/values/mapping.ts';
import { recipeFor } from '../../engine/images/recipes.ts';
import { registryOf, splitReference } from '../../engine/images/reference.ts';
import type { Rendering } from '../../render/rendering.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';

/** What promstack knows of newer versions of a service. */
export interface NewerVersions {
  readonly service: string;
  /** The image of stack.yml, or the default. */
  readonly image: string;
  /** The version that runs, which is another one where an image from packages runs in its place. */
  readonly version: string | undefined;
  /** The newest of the same minor version, of the same major version, and of all; those that are newer than the running one. */
  readonly patch?: string | undefined;
  readonly minor?: string | undefined;
  readonly major?: string | undefined;
  /** What changes on the way to the newest of these. */
  readonly notes: readonly VersionNote[];
}

/** An image to change to. */
export interface UpgradeTarget {
  readonly service: Service;
  /** The key of its image in stack.yml. */
  readonly path: KeyPath;
  readonly from: string;
  readonly to: string;
  /** The image that runs, and has written the data. */
  readonly running: string;
  readonly notes: readonly VersionNote[];
}

/** The key of a service's image in stack.yml. */
export const imagePath = (service: Service): KeyPath => [...sectionPath(service), 'image'];

/** The newer versions of each service of a stack, by the images that run. */
export function findNewer(
  rendering: Rendering,
  runningImage: (service: string) => string | undefined,
): readonly NewerVersions[] {
  // Others run an image of another service, such as the sink.
  const own = rendering.services.filter(({ service }) => valueAt(rendering.config, imagePath(service)) !== undefined);
  return own.map(({ service: { name: service }, container: { image } }) => {
    const version = splitReference(runningImage(service) ?? image).tag;
    const numbers = versionNumbers(version);
    if (numbers === undefined) return { service, image, version: undefined, notes: [] };
    const { versions, notes } = knownVersions(officialName(image));
    const newer = versions.filter((candidate) => compareVersions(version, candidate) < 0);
    const last = (parts: number): string | undefined =>
      newer.findLast((candidate) =>
        numbers.slice(0, parts).every((part, at) => part === versionNumbers(candidate)?.[at]),
      );
    const [patch, minor, newest] = [last(2), last(1), newer.at(-1)];
    return {
      service,
      image,
      version: numbers.join('.'),
      patch,
      minor: minor === patch ? undefined : minor,
      major: newest === minor ? undefined : newest,
      notes: newest === undefined ? [] : notes.filter(({ since }) => isCrossed(since, version, newest)),
    };
  });
}

/** The repository of an image without its registry, also of one that promstack built or that is in a mirror. */
function officialName(image: string): string {
  const { repository } = splitReference(image);
  const registry = registryOf(repository);
  const path = registry === undefined ? repository : repository.slice(registry.length + 1);
  return recipeFor(image)?.replaces[0] ?? path;
}

/** Reads `prometheus=v3.14.0`, `prometheus=quay.io/prometheus/prometheus:v3.14.0`, or `prometheus` for the newest of its major version. */
export function readTarget(
  text: string,
  rendering: Rendering,
  newer: readonly NewerVersions[],
  runningImage: (service: string) => string | undefined,
): UpgradeTarget {
  const [name = '', tag] = text.split(/=(.*)/s);
  const rendered = rendering.services.find(({ service }) => service.name === name);
  const refuse = (why: string, hint?: string): never => {
    throw new InputError([misuse(`--to ${text}: ${why}`, hint)]);
  };
  if (rendered === undefined) {
    const names = rendering.services.map(({ service }) => service.name).join(', ');
    return refuse('the stack has no such service', `its services are ${names}`);
  }
  const { service, container } = rendered;
  const from = container.image;
  const known = newer.find((each) => each.service === name);
  const wanted = tag ?? known?.minor ?? known?.patch;
  if (wanted === undefined)
    return refuse(`promstack knows no newer version than ${known?.version ?? from}`, `name one: --to ${name}=TAG`);
  if (!/^[\w][\w./:@-]*$/.test(wanted)) return refuse('a tag has letters, digits, ., - and _');
  const to = /[/:@]/.test(wanted)
    ? wanted
    : `${splitReference(from).repository}:${tagLike(splitReference(from).tag, wanted)}`;
  const running = runningImage(name) ?? from;
  const [before, after] = [splitReference(running).tag, splitReference(to).tag];
  if (to === from) return refuse('it is the image of stack.yml already', '`promstack up` applies stack.yml');
  if (
    versionNumbers(before) !== undefined &&
    versionNumbers(after) !== undefined &&
    compareVersions(before, after) > 0
  ) {
    return refuse(
      `it is older than ${running}, whose data it may not be able to read`,
      'restore a backup of that version: `promstack restore FILE`',
    );
  }
  const notes = knownVersions(officialName(to)).notes.filter(
    ({ since }) => versionNumbers(after) !== undefined && isCrossed(since, before, after),
  );
  return { service, path: imagePath(service), from, to, running, notes };
}

/** Tags of one repository are written alike: with a v or without. */
function tagLike(before: string, wanted: string): string {
  if (/^v\d/.test(before) && /^\d/.test(wanted)) return `v${wanted}`;
  return /^\d/.test(before) && /^v\d/.test(wanted) ? wanted.slice(1) : wanted;
}

/** Items of `extra_args` with which the new version does not start. */
export function removedFlags({ service, to, running }: UpgradeTarget, extra: readonly string[]) {
  const { removedFlags: all } = knownVersions(officialName(to));
  const [before, after] = [splitReference(running).tag, splitReference(to).tag];
  if (versionNumbers(after) === undefined) return [];
  return extra.flatMap((item, at) => {
    const gone = all.find(({ flag, since }) => flag.test(item) && isCrossed(since, before, after));
    return gone === undefined ? [] : [{ path: [...sectionPath(service), 'extra_args', at], item, ...gone }];
  });
}
