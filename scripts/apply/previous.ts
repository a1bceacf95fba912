import type { StackConfig } from '../../stack/config.ts';
import { serviceOf } from '../../stack/services.ts';
import type { Engine } from '../engine/engine.ts';
import { configWriterFor, type Desired, type DesiredService, hashSpec, volumesOf } from '../plan/desired.ts';
import type { Observed, ObservedService } from '../plan/observed.ts';
import type { ConfigFiles } from '../state/config-files.ts';
import { lastConfirmed, type RecordedRelease } from '../state/history.ts';
import { names } from '../state/names.ts';
import { readRelease, type StoredRelease } from '../state/release-files.ts';
import { revisionOf } from '../state/release-folder.ts';
import { openSecretStore, type Secrets } from '../state/secret-store.ts';
import { md5 } from '../util/hash.ts';

/**
 * The state before a change, to roll back to: each running container by the spec in its label, with the last confirmed
 * release. It is read before the change, because the change may remove the containers that it is read through.
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
    [...observed.services].map(async ([name, current]): Promise<DesiredService[]> => {
      if (current.container.state !== 'running') return [];
      const [release, given] = await Promise.all([
        confirmedRelease(files, name, current, last?.services[name]),
        currentSecrets(engine, name, current, desired),
      ]);
      return asCreated(current, { stack, config, release, given });
    }),
  );
  const running = services.flat();
  // The config volume writer mounts the volumes of both states, so that a rollback does not have to recreate it.
  const removed = running.filter(({ service }) => !desired.services.some((target) => target.service === service));
  return {
    stack,
    revision: last?.revision ?? 'before',
    config,
    services: running,
    volumes: [],
    configWriter: configWriterFor(stack, [...desired.services, ...removed]),
  };
}

/** The desired service for a container as it was created, with an existing release; empty when its label cannot be read. */
export function asCreated(
  { container, spec, specHash, details }: Pick<ObservedService, 'container' | 'spec' | 'specHash' | 'details'>,
  options: {
    readonly stack: string;
    readonly config: StackConfig;
    readonly release: Pick<StoredRelease, 'folder' | 'files'> | undefined;
    readonly given: Secrets;
  },
): DesiredService[] {
  const service = spec === undefined ? undefined : serviceOf(spec);
  if (service === undefined || spec === undefined) return [];
  const { stack, config, release, given } = options;
  const { [names.network(stack)]: _own, ...connections } = details?.networks ?? {};
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
      connections,
    },
  ];
}

/**
 * The last confirmed release by the history, since the link may be of an interrupted run. The linked release if there is
 * none, or if it was changed since.
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

/** The current values of the secrets that the change sets: a rollback restores them. */
async function currentSecrets(
  engine: Engine,
  service: string,
  { container, spec }: ObservedService,
  { stack, services }: Desired,
): Promise<Secrets> {
  const given = services.find((target) => target.service.name === service)?.given ?? new Map();
  const store = openSecretStore(engine, { stack, service, user: spec?.user ?? '', container: container.id });
  const secrets = await Promise.all([...given.keys()].map(async (name) => [name, await store.read(name)] as const));
  return new Map(secrets.flatMap(([name, secret]) => (secret === undefined ? [] : [[name, secret] as const])));
}
