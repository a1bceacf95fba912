import type { StackConfig } from '../../stack/config.ts';
import type { RenderedFile } from '../../stack/model.ts';
import type { Secret } from '../../stack/secret.ts';
import { findService } from '../../stack/services.ts';
import type { Engine } from '../engine/engine.ts';
import { configWriterFor, type Desired, type DesiredService, hashSpec, volumesOf } from '../plan/desired.ts';
import type { Observed, ObservedService } from '../plan/observed.ts';
import type { ConfigFiles } from '../state/config-files.ts';
import { hashFiles } from '../state/files-hash.ts';
import { lastConfirmed, type RecordedRelease } from '../state/history.ts';
import { names } from '../state/names.ts';
import { readRelease } from '../state/release-files.ts';
import { type ReleaseFolder, revisionOf } from '../state/release-folder.ts';
import { openSecretStore, type Secrets } from '../state/secret-store.ts';
import { md5 } from '../util/hash.ts';

/**
 * What the stack was before a change, as something to desire again: each running container by the spec on its label,
 * with the release that was confirmed last. Read before the change begins, while all that gives access to it is there.
 */
export async function previousState(
  engine: Engine,
  files: ConfigFiles,
  observed: Observed,
  desired: Desired,
): Promise<Desired> {
  const recorded = lastConfirmed(observed.history)?.services ?? {};
  const services = await Promise.all(
    [...observed.services].map(async ([name, found]): Promise<DesiredService[]> => {
      if (found.container.state !== 'running') return [];
      const [release, given] = await Promise.all([
        keptRelease(files, name, found, recorded[name]),
        keptUntilNow(engine, name, found, desired),
      ]);
      return asItWasMade(found, { stack: desired.stack, config: desired.config, release, given });
    }),
  );
  const kept = services.flat();
  return {
    stack: desired.stack,
    revision: observed.recorded ?? 'before',
    config: desired.config,
    services: kept,
    volumes: [],
    configWriter: configWriterFor(desired.stack, withOthers(kept, desired.services)),
  };
}

/** A release that lies in a config volume. */
export interface PlacedRelease {
  readonly folder: ReleaseFolder;
  readonly files: readonly RenderedFile[];
}

/** A service to desire just as its container was made, with a release that is there already; empty when its label does not tell how. */
export function asItWasMade(
  { container, spec, specHash }: Pick<ObservedService, 'container' | 'spec' | 'specHash'>,
  about: {
    readonly stack: string;
    readonly config: StackConfig;
    readonly release: PlacedRelease | undefined;
    readonly given: Secrets;
  },
): DesiredService[] {
  const service = spec === undefined ? undefined : findService(spec.service);
  if (service === undefined || spec === undefined) return [];
  const { stack, config, release, given } = about;
  return [
    {
      service,
      name: container.name,
      spec,
      imageId: container.imageId,
      specHash: specHash ?? hashSpec(spec),
      labels: container.labels,
      volumes: volumesOf(stack, spec),
      given,
      ...(release === undefined
        ? { release: undefined }
        : {
            release: { config, files: release.files, revision: revisionOf(release.folder), md5 },
            folder: release.folder,
          }),
    },
  ];
}

/**
 * The release the history names, since it was confirmed; what the link points at may be left over from a run that was
 * cut short. The linked one when there is no such release, or it is not as it was written.
 */
async function keptRelease(
  files: ConfigFiles,
  service: string,
  found: ObservedService,
  recorded: RecordedRelease | undefined,
): Promise<PlacedRelease | undefined> {
  if (recorded !== undefined && recorded.folder !== found.folder) {
    const read = await readRelease(files, service, recorded.folder);
    if (read !== undefined && hashFiles(read) === recorded.hash) return { folder: recorded.folder, files: read };
  }
  if (found.folder === undefined) return undefined;
  const read = await readRelease(files, service, found.folder);
  return read === undefined ? undefined : { folder: found.folder, files: read };
}

/** What is kept now of the secrets that the change gives: it may set those it gives, and going back sets them as they were. */
async function keptUntilNow(
  engine: Engine,
  service: string,
  { container, spec }: ObservedService,
  { stack, services }: Desired,
): Promise<Secrets> {
  const given = services.find((one) => one.service.name === service)?.given ?? new Map();
  const place = { carrier: names.carrier(stack), service, user: spec?.user ?? '', container: container.id };
  const kept = openSecretStore(engine, place);
  const read = await Promise.all(
    [...given.keys()].map(async (name): Promise<[string, Secret][]> => {
      const secret = await kept.read(name);
      return secret === undefined ? [] : [[name, secret]];
    }),
  );
  return new Map(read.flat());
}

/** The carrier has the volumes of what was and of what was wanted, so that going back does not have to make it anew. */
function withOthers(kept: readonly DesiredService[], wanted: readonly DesiredService[]): readonly DesiredService[] {
  const gone = kept.filter((one) => !wanted.some((other) => other.service === one.service));
  return [...wanted, ...gone];
}
