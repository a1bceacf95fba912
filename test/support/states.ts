import type { ContainerState, ContainerSummary, NetworkSummary } from '../../scripts/engine/engine.ts';
import { roleLabel, serviceLabel, specHashLabel, stackLabel } from '../../scripts/engine/labels.ts';
import { type Desired, toDesired } from '../../scripts/plan/desired.ts';
import type { Observed, ObservedService } from '../../scripts/plan/observed.ts';
import { hashFiles } from '../../scripts/state/files-hash.ts';
import type { HistoryEntry } from '../../scripts/state/history.ts';
import { names } from '../../scripts/state/names.ts';
import { type StackConfig, stackSchema } from '../../stack/config.ts';
import { containerOf } from '../../stack/networks.ts';
import { findService } from '../../stack/services.ts';

/** A desired stack of these services with one small file each. */
export function desiredStack(services: readonly string[], overrides: object = {}): Desired {
  const config: StackConfig = stackSchema.parse({ name: 'demo', sink: { enabled: true }, ...overrides });
  const renderings = services.map((name) => {
    const service = findService(name);
    if (service === undefined) throw new Error(`there is no service ${name}`);
    const files = [{ service: name, path: `${name}.yml`, content: 'a: 1\n', mode: 0o444, origin: 'a test' }];
    return { service, container: containerOf(service, config), files, revision: `${name}-new` };
  });
  const rendering = { config, folder: '/stack', revision: 'new', services: renderings, tests: [] };
  return toDesired(rendering, (ref) => ({ ref, id: `id of ${ref}` }));
}

/** A snapshot in which these services of a desired stack are unchanged, and the others do not exist. */
export function observedAs(desired: Desired, present: readonly string[]): Observed {
  const there = desired.services.filter(({ service }) => present.includes(service.name));
  const isAny = there.length > 0;
  const configWriter: ContainerSummary | undefined = isAny
    ? { ...container('carrier', 'created'), labels: { [specHashLabel]: desired.configWriter?.hash ?? '' } }
    : undefined;
  return {
    stack: desired.stack,
    history: { sequence: 1, entries: present.length === desired.services.length ? [confirmedEntry(desired)] : [] },
    services: new Map(
      there.map(({ service, spec, specHash, release, imageId }): [string, ObservedService] => [
        service.name,
        {
          container: { ...container(service.name, 'running'), imageId: imageId ?? '' },
          specHash,
          spec,
          folder: release === undefined ? undefined : `1/${release.revision}`,
          linked: release?.revision,
          filesHash: release === undefined ? undefined : hashFiles(release.files),
          unproven: undefined,
        },
      ]),
    ),
    strays: [],
    configWriter,
    network: isAny ? network(names.network(desired.stack)) : undefined,
    networks: [],
    volumes: new Set(there.flatMap(({ volumes }) => volumes)),
    conflicts: [],
    portHolders: [],
  };
}

/** A network of the engine that services can join. */
export function network(name: string): NetworkSummary {
  return {
    id: `id of ${name}`,
    name,
    labels: {},
    driver: 'bridge',
    isAttachable: false,
    isOfSwarm: false,
    isDefault: false,
  };
}

/** The history entry of a desired stack that was confirmed, each release in the first slot. */
function confirmedEntry({ revision, services }: Desired): HistoryEntry {
  const releases = services.flatMap(({ service, release }) =>
    release === undefined
      ? []
      : [[service.name, { folder: `1/${release.revision}`, hash: hashFiles(release.files) }] as const],
  );
  return { revision, at: '', who: '', command: 'up', changed: [], services: Object.fromEntries(releases) };
}

/** The same snapshot with one service changed. */
export function withService(
  observed: Observed,
  name: string,
  otherwise: Partial<ObservedService> & { readonly state?: ContainerState },
): Observed {
  const current = observed.services.get(name);
  if (current === undefined) throw new Error(`${name} is not there`);
  const { state, ...given } = otherwise;
  const fields = given.linked === undefined ? given : { folder: `1/${given.linked}`, ...given };
  const changed = {
    ...current,
    ...fields,
    container: { ...current.container, ...given.container, state: state ?? current.container.state },
  };
  return { ...observed, services: new Map([...observed.services, [name, changed]]) };
}

function container(service: string, state: ContainerState): ContainerSummary {
  return {
    id: `container of ${service}`,
    name: `demo-${service}`,
    image: '',
    imageId: '',
    state,
    status: '',
    labels: { [stackLabel]: 'demo', [roleLabel]: 'service', [serviceLabel]: service },
    createdAt: 0,
    hostPorts: [],
    networks: [],
  };
}
