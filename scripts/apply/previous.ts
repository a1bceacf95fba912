import type { StackConfig } from '../../stack/config.ts';
import { findService } from '../../stack/services.ts';
import type { Engine } from '../engine/engine.ts';
import { configWriterFor, type Desired, type DesiredService, hashSpec, volumesOf } from '../plan/desired.ts';
import type { Observed, ObservedService } from '../plan/observed.ts';
import type { ConfigFiles } from '../state/config-files.ts';
import { lastConfirmed, type RecordedRelease } from '../state/history.ts';
import { readRelease, type StoredRelease } from '../state/release-files.ts';
import { revisionOf } from '../state/release-folder.ts';
import { openSecretStore, type Secrets } from '../state/secret-store.ts';
import { md5 } from '../util/hash.ts';

/**
 * What the stack was before a change, as a state to go back to: each running container by the spec on its label, with
 * the release that was confirmed last. Read before the change begins, while everything it is read through exists.
 */
export async function previousState(
  engine: Engine,
  files: ConfigFiles,
  observed: Observed,
  desired: Desired,
): Promise<Desired> {
  const { stack, config } = desired;
  const last = lastConfirmed(observed.history);
  const services = await Promise.all(
    [...observed.services].map(async ([name, present]): Promise<DesiredService[]> => {
      if (present.container.state !== 'running') return [];
      const [release, given] = await Promise.all([
        confirmedRelease(files, name, present, last?.services[name]),
        currentSecrets(engine, name, present, desired),
      ]);
      return asCreated(present, { stack, config, release, given });
    }),
  );
  const kept = services.flat();
  // The config volume writer gets the volumes of both states, so that going back does not have to recreate it.
  const removed = kept.filter(({ service }) => !desired.services.some((wanted) => wanted.service === service));
  return {
    stack,
    revision: last?.revision ?? 'before',
    config,
    services: kept,
    volumes: [],
    configWriter: configWriterFor(stack, [...desired.services, ...removed]),
  };
}

/** A service to desire just as its container was created, with a release that is in place already; empty when its label cannot be read. */
export function asCreated(
  { container, spec, specHash }: Pick<ObservedService, 'container' | 'spec' | 'specHash'>,
  about: {
    readonly stack: string;
    readonly config: StackConfig;
    readonly release: Pick<StoredRelease, 'folder' | 'files'> | undefined;
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
      release: release && { config, files: release.files, revision: revisionOf(release.folder), md5 },
      folder: release?.folder,
    },
  ];
}

/**
 * The release that the history names, since it was confirmed; the link may have been left by a run that was cut short.
 * The linked one when there is no such release, or it was changed since.
 */
async function confirmedRelease(
  files: ConfigFiles,
  service: string,
  { folder, files: linked }: ObservedService,
  recorded: RecordedRelease | undefined,
): Promise<Pick<StoredRelease, 'folder' | 'files'> | undefined> {
  if (recorded !== undefined && recorded.folder !== folder) {
    const release = await readRelease(files, service, recorded.folder);
    if (release?.hash === recorded.hash) return release;
  }
  return folder === undefined || linked === undefined ? undefined : { folder, files: linked };
}

/** The present values of the secrets that the change sets: going back sets them to these again. */
async function currentSecrets(
  engine: Engine,
  service: string,
  { container, spec }: ObservedService,
  { stack, services }: Desired,
): Promise<Secrets> {
  const given = services.find((wanted) => wanted.service.name === service)?.given ?? new Map();
  const store = openSecretStore(engine, { stack, service, user: spec?.user ?? '', container: container.id });
  const secrets = await Promise.all([...given.keys()].map(async (name) => [name, await store.read(name)] as const));
  return new Map(secrets.flatMap(([name, secret]) => (secret === undefined ? [] : [[name, secret] as const])));
}
