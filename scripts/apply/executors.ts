import type { RenderedFile } from '../../stack/model.ts';
import type { Release, Service } from '../../stack/service.ts';
import { isDistroless } from '../../stack/values/busybox.ts';
import { checkedCache } from '../check/checked-cache.ts';
import type { ArchiveEntry, ContainerRequest, Engine } from '../engine/engine.ts';
import { baseLabels, specHashLabel } from '../engine/labels.ts';
import { linksOf } from '../plan/connections.ts';
import type { Desired, DesiredService } from '../plan/desired.ts';
import type { Observed } from '../plan/observed.ts';
import type { ServiceRelease } from '../plan/plan.ts';
import { driverContext, driverOf } from '../servers/drivers.ts';
import type { DriverContext } from '../servers/service-driver.ts';
import { type ConfigFiles, openConfigFiles } from '../state/config-files.ts';
import { discoveredFolderEntry, discoveringService } from '../state/discovery.ts';
import { provideCertificates } from '../state/internal-ca.ts';
import { configWriterRole, names } from '../state/names.ts';
import { originLabels } from '../state/origin.ts';
import {
  currentFolder,
  linkEntries,
  readRelease,
  releaseEntries,
  rereadEntries,
  slotPath,
  switchEntries,
  withTimes,
} from '../state/release-files.ts';
import {
  missingSecrets,
  openSecretStore,
  type RememberedStore,
  rememberSecrets,
  secretEntries,
} from '../state/secret-store.ts';
import { locationOf, type ServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import { removalExecutors, startExecutors } from './container-executors.ts';
import { createWithHealthCheck } from './health-check.ts';
import { whileAlive } from './ready.ts';
import type { Executors, StepContext } from './run-plan.ts';
import type { WrittenSlots } from './validate.ts';

const confirmMs = 60_000;

export interface ExecutorContext {
  readonly engine: Engine;
  readonly desired: Desired;
  readonly client: ServiceClient;
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  /** Container ids by service; executors add to it. */
  readonly containers: Map<string, string>;
  readonly files: ConfigFiles;
  readonly observed: Pick<Observed, 'services'>;
  /** The new releases that are already written. */
  readonly written?: WrittenSlots | undefined;
  /** The files that the running servers have loaded, by service; absent for those of which that is not certain. */
  readonly loaded?: ReadonlyMap<string, readonly RenderedFile[]> | undefined;
  /** The files of the last confirmed releases, by service. */
  readonly confirmed?: ReadonlyMap<string, readonly RenderedFile[]> | undefined;
  /** Whether a link may have been switched: until then, writing files changes nothing that runs. */
  readonly links: { areSwitched: boolean };
  /** The services whose secrets this command has generated; executors add to it. */
  readonly firstStarts: Set<string>;
  /** The passwords that a server has rejected within this command, and are not tried again. */
  readonly rejected: Set<string>;
  /** Whether it restores what ran before a change that failed. */
  readonly isRestored?: boolean | undefined;
  /** Adds the confirmed revision to the stack's history. */
  record(): Promise<void>;
}

export function createExecutors(context: ExecutorContext): Executors {
  const { engine, desired, client, clock, containers, files } = context;
  const existing = new Set(containers.keys());
  const exits = new Map<string, Promise<number>>();
  const changes = new Map<string, Date>();
  const cache = checkedCache(context.env);
  const discovering = discoveringService(desired.config)?.name;

  const desiredService = (name: string): DesiredService => {
    const result = desired.services.find(({ service }) => service.name === name);
    if (result === undefined) throw new Error(`the plan has a step for ${name}, which the stack does not have`);
    return result;
  };
  const containerOf = (service: string): string => {
    const id = containers.get(service);
    if (id === undefined) throw new Error(`the plan uses the container of ${service} before it is created`);
    return id;
  };
  const stores = new Map<string, RememberedStore>();
  /** The stack is locked: nobody else changes its secrets. */
  const storeOf = (service: string): RememberedStore => {
    const { user } = desiredService(service).spec;
    const { stack } = desired;
    const open = () => openSecretStore(engine, { stack, service, user, container: containers.get(service) });
    const store = stores.get(service) ?? rememberSecrets(open);
    stores.set(service, store);
    return store;
  };
  const contextOf = (name: string, release: Release, step: StepContext): DriverContext => {
    const { service, given } = desiredService(name);
    const server = { engine, client, clock, service, container: containerOf(name), given, kept: storeOf(name) };
    const { signal, onProgress, note: onNote } = step;
    const { rejected } = context;
    const loaded = context.loaded?.get(name);
    const changedAt = changes.get(name);
    const isFirstStart = context.firstStarts.has(name);
    const isStarted = exits.has(name);
    return driverContext({
      ...server,
      ...{ release, loaded, changedAt, signal, onProgress, onNote, rejected, isFirstStart, isStarted },
      confirmed: context.confirmed?.get(name),
      isRestored: context.isRestored,
      hasStarted: (other) => exits.has(other),
      deadlineMs: confirmMs,
    });
  };
  const switchReleases = async (releases: readonly ServiceRelease[]): Promise<void> => {
    const fresh = releases.filter(({ isNew }) => isNew);
    const created = await Promise.all(
      fresh.map(async ({ service: name }) => {
        const target = desiredService(name);
        const { service, spec, given } = target;
        const store = storeOf(name);
        const secrets = await missingSecrets(store, service, given);
        return { name, store, secrets, entries: secretEntries({ service: name, user: spec.user }, secrets) };
      }),
    );
    const missing = fresh.filter(({ service, folder }) => context.written?.has(slotPath(service, folder)) !== true);
    const entries = [
      ...created.flatMap((secrets) => secrets.entries),
      ...missing.flatMap(({ service, folder }) =>
        releaseEntries(desiredService(service), folder, context.observed.services.get(service)?.files),
      ),
    ];
    const cleared = missing.map(({ service, folder }) => slotPath(service, folder));
    // Podman takes one call per volume: the files of running servers are written before any link is switched.
    const isSplit = engine.kind === 'podman' && missing.some(({ service }) => existing.has(service));
    if (isSplit) await files.write(entries, cleared);
    const linked = await Promise.all(releases.map(({ service }) => linkEntries(desiredService(service), files)));
    const switched = [
      ...switchEntries(releases),
      ...releases.filter(({ service }) => discovering === service).map(({ service }) => discoveredFolderEntry(service)),
      ...linked.flat(),
      ...releases.flatMap(({ service }) => reread(service)),
    ];
    context.links.areSwitched = true;
    if (isSplit) await files.write(switched);
    else await files.write([...entries, ...switched], cleared);
    for (const { name, store, secrets } of created) {
      if (secrets.size === 0) continue;
      store.remember(secrets);
      context.firstStarts.add(name);
    }
  };

  /** Makes a running server notice that its files are no longer those that it has read. */
  const reread = (name: string): ArchiveEntry[] => {
    const { folder, files: linked = [] } = context.observed.services.get(name) ?? {};
    return folder === undefined ? [] : rereadEntries(desiredService(name).service, folder, linked);
  };

  const { stack } = desired;
  const starting = startExecutors({ engine, client, clock, stack, exits, containerOf, serviceOf: desiredService });
  return {
    ...removalExecutors(engine),
    createNetwork: async ({ name }) => {
      const labels = baseLabels(desired.stack, 'network');
      await engine.createNetwork(name, labels);
    },
    createVolume: async ({ name, labels }) => {
      await engine.createVolume(name, labels);
    },
    createConfigWriter: async () => {
      const { configWriter } = desired;
      if (configWriter === undefined)
        throw new Error('the plan creates a config volume writer for a stack without files');
      const { name, image, mounts, hash } = configWriter;
      const base = { ...baseLabels(desired.stack, configWriterRole), ...originLabels(desired.origin) };
      const labels = { ...base, [specHashLabel]: hash };
      const request = { name, image, user: '0:0', entrypoint: ['/bin/true'], args: [], labels, mounts };
      await engine.createHelper(request);
    },
    provideCertificates: async () => {
      // Not through the containers: one that is recreated may not mount the volume yet.
      const volumes = openConfigFiles(engine, desired.stack);
      await provideCertificates(volumes, desired.services, { stack: desired.stack, now: clock.now() });
    },
    switchReleases: ({ releases }) => switchReleases(releases),
    createContainer: async ({ service, connections, gone }, { note }) => {
      const { name, spec, labels, volumes, imageId, service: declared } = desiredService(service);
      const network = names.network(desired.stack);
      const request = { name, spec, labels, volumes, network, connections, links: linksOf(desired) };
      const id = await createWithHealthCheck(engine, request, { service: declared, imageId, cache });
      await takeOwnership(engine, desired.stack, request, declared);
      containers.set(service, id);
      files.locate(service, id, spec);
      client.locate(service, locationOf(id, spec, desired.stack));
      for (const lost of gone)
        note(`the network ${lost} no longer exists; ${service} was connected to it by hand and now is not`);
    },
    startContainer: (step, stepContext) => {
      changes.set(step.service, new Date(clock.now()));
      return starting.startContainer(step, stepContext);
    },
    waitReady: starting.waitReady,
    reload: async ({ service: name }, step) => {
      const { service, release, volumes } = desiredService(name);
      if (release === undefined) return;
      const running = { service, volumes, container: containerOf(name), engine, clock, doing: `reloading ${name}` };
      changes.set(name, new Date(clock.now()));
      const unread = reread(name);
      if (unread.length > 0) await files.write(unread);
      await whileAlive({ ...running, exit: exits.get(name), signal: step.signal }, (signal) =>
        driverOf(name).reload(contextOf(name, release, { ...step, signal })),
      );
    },
    confirm: async ({ service: name }, step) => {
      const { service, release, volumes } = desiredService(name);
      if (release === undefined) return;
      const running = { service, volumes, container: containerOf(name), engine, clock, doing: `confirming ${name}` };
      const timed = await withTimes(service, release, async () => {
        const folder = await currentFolder(files, name);
        return folder === undefined ? [] : ((await readRelease(files, name, folder))?.files ?? []);
      });
      const notes = await whileAlive({ ...running, exit: exits.get(name), signal: step.signal }, (signal) =>
        driverOf(name).confirm(contextOf(name, timed, { ...step, signal })),
      );
      for (const text of notes) step.note(text);
    },
    record: () => context.record(),
  };
}

/**
 * Gives the data volumes to the user that the container runs as. Distroless images are made for user 65532, some images run as root, and
 * a new volume gets the owner of the image's folder whenever a container is created. A helper changes it, since the root of a volume can only be written
 * from outside of it, and the container's own file system is read-only.
 */
async function takeOwnership(
  engine: Engine,
  stack: string,
  { name, spec, volumes }: ContainerRequest,
  { needsVolumeOwner }: Service,
): Promise<void> {
  const { image, user } = spec;
  const folders = spec.mounts.flatMap(({ kind, target }, at) =>
    kind === 'data' ? [{ volume: volumes[at] ?? '', target, readOnly: false }] : [],
  );
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  if ((needsVolumeOwner !== true && !isDistroless(image)) || folders.length === 0) return;
  const helper = await engine.createHelper({
    name: `${name}-owner`,
    image,
    user: '0:0',
    entrypoint: ['/bin/true'],
    args: [],
    labels: baseLabels(stack, 'check'),
    mounts: folders,
  });
  try {
    const entries = folders.map(
      ({ target }) => ({ path: target.slice(1), kind: 'directory', mode: 0o755, uid, gid }) as const,
    );
    await engine.putFiles(helper, '/', entries);
  } finally {
    await engine.removeContainer(helper);
  }
}
