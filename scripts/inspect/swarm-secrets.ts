import type { Engine } from '../engine/engine.ts';
import type { SwarmObserved } from '../plan/swarm/observe.ts';
import { imageForClient } from '../plan/swarm/place.ts';
import { pathOf } from '../plan/swarm/release.ts';
import { hashTarget, taskLabels } from '../plan/swarm/service-spec.ts';
import type { SwarmServiceTarget } from '../plan/swarm/target.ts';
import { addSecretsOf } from '../state/release-files.ts';
import { readSecrets, type SecretReading } from '../state/swarm/secret-reader.ts';

interface TaskSecrets extends Pick<SecretReading, 'stack' | 'clock' | 'signal'> {
  readonly services: readonly string[];
  readonly observed: SwarmObserved;
  /** The names of those that are known to the redaction already; asked only when the tasks have secrets. */
  readonly known: () => Promise<ReadonlySet<string>>;
}

/** Makes the secrets of the tasks of services known to the redaction, so that they can be removed from their lines. */
export async function readTaskSecrets(engine: Engine, reading: TaskSecrets): Promise<void> {
  const { services, observed, known } = reading;
  const mounted = services.flatMap((service) =>
    targetsOf(service, observed).flatMap(({ files }) =>
      files.flatMap((file) => (file.kind === 'secret' ? [[file.name, { service, path: pathOf(file) }] as const] : [])),
    ),
  );
  const places = new Map(mounted);
  const stored = observed.files.filter(({ kind, name }) => kind === 'secret' && places.has(name));
  if (stored.length === 0) return;
  const knownNames = await known();
  const running = [...observed.services.values()].flatMap(({ target }) => target ?? []);
  await readSecrets(engine, {
    ...reading,
    image: imageForClient({ services: running }),
    secrets: stored.filter(({ name }) => !knownNames.has(name)),
    onRead: (name, text) => {
      const place = places.get(name);
      if (place !== undefined) addSecretsOf(place.service, place.path, text);
    },
  });
}

/** What the tasks of a service run, and what those have run that ended. */
function targetsOf(name: string, { services, records }: SwarmObserved): readonly SwarmServiceTarget[] {
  const service = services.get(name);
  const hashes = new Set(service?.tasks.map(({ labels }) => labels[taskLabels.target]));
  const recorded = records.flatMap(({ target }) => target?.services.filter((old) => old.service === name) ?? []);
  return [
    ...(service?.target === undefined ? [] : [service.target]),
    ...recorded.filter((target) => hashes.has(hashTarget(target))),
  ];
}
