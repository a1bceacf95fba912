import type { ContainerSpec, RenderedFile } from '../../stack/model.ts';
import type { Release } from '../../stack/service.ts';
import { isDistroless } from '../../stack/values/busybox.ts';
import { checkedCache } from '../check/checked-cache.ts';
import { type ContainerRequest, type Engine, EngineError } from '../engine/engine.ts';
import { baseLabels, specHashLabel } from '../engine/labels.ts';
import { linksOf } from '../plan/connections.ts';
import type { Desired, DesiredService } from '../plan/desired.ts';
import type { Observed } from '../plan/observed.ts';
import type { Removal, ServiceRelease } from '../plan/plan.ts';
import { holdersOf, portsTaken } from '../plan/ports.ts';
import { driverContext, driverOf } from '../servers/drivers.ts';
import type { DriverContext } from '../servers/service-driver.ts';
import type { ConfigFiles } from '../state/config-files.ts';
import { configWriterRole, names } from '../state/names.ts';
import { originLabels } from '../state/origin.ts';
import { linkEntries, releaseEntries, slotPath, switchEntries } from '../state/release-files.ts';
import { ensureSecrets, openSecretStore } from '../state/secret-store.ts';
import { locationOf, type ServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import { portProcess } from '../util/port-process.ts';
import { StackError } from '../util/stack-error.ts';
import { createWithHealthCheck } from './health-check.ts';
import { waitReady, whileAlive } from './ready.ts';
import type { Executors, StepContext } from './run-plan.ts';
import type { WrittenSlots } from './validate.ts';

/** A first start may have to set up a database. */
const readyMs = 120_000;
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
  /** Whether a link may have been switched: until then, writing files changes nothing that runs. */
  readonly links: { areSwitched: boolean };
  /** The services whose secrets this command has generated; executors add to it. */
  readonly firstStarts: Set<string>;
  /** The passwords that a server has rejected within this command, and are not tried again. */
  readonly rejected: Set<string>;
  /** Adds the confirmed revision to the stack's history. */
  record(): Promise<void>;
}

/** The executors of removal steps; they need only the engine. */
export function removalExecutors(engine: Engine): Executors<Removal> {
  return {
    stopContainer: ({ container, seconds }) => engine.stopContainer(container, seconds),
    removeContainer: ({ container }) => engine.removeContainer(container),
    removeNetwork: ({ name, network }) =>
      engine.removeNetwork(network).catch((error: unknown) => {
        throw explainRemoval('network', name, error);
      }),
    removeVolume: ({ name }) =>
      engine.removeVolume(name).catch((error: unknown) => {
        throw explainRemoval('volume', name, error);
      }),
  };
}

/** What the executors that start services use. */
interface StartContext extends Pick<ExecutorContext, 'engine' | 'client' | 'clock'> {
  readonly stack: string;
  /** The next exit of each started container; the executors add to it. */
  readonly exits: Map<string, Promise<number>>;
  readonly containerOf: (service: string) => string;
  readonly serviceOf: (service: string) => Pick<DesiredService, 'service' | 'spec' | 'volumes'>;
}

/** The executors of the steps that start a service. */
export function startExecutors(context: StartContext): Pick<Executors, 'startContainer' | 'waitReady'> {
  const { engine, client, clock, stack, exits, containerOf, serviceOf } = context;
  return {
    startContainer: async ({ service }, { signal }) => {
      const id = containerOf(service);
      // Requested before the start, so that the exit of a container that crashes immediately is not missed.
      const exit = engine.nextExit(id, signal);
      exit.catch(() => undefined);
      exits.set(service, exit);
      try {
        await engine.startContainer(id);
      } catch (error) {
        throw await explainStart(engine, stack, serviceOf(service).spec, error);
      }
    },
    waitReady: ({ service }, { signal, onProgress }) => {
      const options = { engine, client, clock, signal, onProgress, deadlineMs: readyMs, exit: exits.get(service) };
      const { service: declared, volumes } = serviceOf(service);
      return waitReady(declared, containerOf(service), { ...options, volumes });
    },
  };
}

export function createExecutors(context: ExecutorContext): Executors {
  const { engine, desired, client, clock, containers, files } = context;
  const existing = new Set(containers.keys());
  const exits = new Map<string, Promise<number>>();
  const changes = new Map<string, Date>();
  const cache = checkedCache(context.env);

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
  const contextOf = (name: string, release: Release, step: StepContext): DriverContext => {
    const { service, spec, given } = desiredService(name);
    const { stack } = desired;
    const server = { engine, client, clock, stack, service, user: spec.user, container: containerOf(name), given };
    const { signal, onProgress, note: onNote } = step;
    const { rejected } = context;
    const loaded = context.loaded?.get(name);
    const changedAt = changes.get(name);
    const isFirstStart = context.firstStarts.has(name);
    return driverContext({
      ...server,
      ...{ release, loaded, changedAt, signal, onProgress, onNote, rejected, isFirstStart },
      deadlineMs: confirmMs,
    });
  };
  const createSecrets = async ({ service, spec: { user }, given }: DesiredService): Promise<void> => {
    if (service.generatedSecrets === undefined) return;
    const store = openSecretStore(engine, { stack: desired.stack, service: service.name, user });
    if (await ensureSecrets(store, service, given)) context.firstStarts.add(service.name);
  };

  const switchReleases = async (releases: readonly ServiceRelease[]): Promise<void> => {
    const fresh = releases.filter(({ isNew }) => isNew);
    await Promise.all(fresh.map(({ service }) => createSecrets(desiredService(service))));
    const missing = fresh.filter(({ service, folder }) => context.written?.has(slotPath(service, folder)) !== true);
    const entries = missing.flatMap(({ service, folder }) =>
      releaseEntries(desiredService(service), folder, context.observed.services.get(service)?.files),
    );
    const cleared = missing.map(({ service, folder }) => slotPath(service, folder));
    // All files are written before any link is switched, since a write may take one call per volume; while no container
    // reads them, one write does.
    const isRead = releases.some(({ service }) => existing.has(service));
    if (isRead && entries.length > 0) await files.write(entries, cleared);
    const linked = await Promise.all(releases.map(({ service }) => linkEntries(desiredService(service), files)));
    const switched = [...switchEntries(releases), ...linked.flat()];
    context.links.areSwitched = true;
    if (isRead) await files.write(switched);
    else await files.write([...entries, ...switched], cleared);
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
    switchReleases: ({ releases }) => switchReleases(releases),
    createContainer: async ({ service, connections, gone }, { note }) => {
      const { name, spec, labels, volumes, imageId, service: declared } = desiredService(service);
      const network = names.network(desired.stack);
      const request = { name, spec, labels, volumes, network, connections, links: linksOf(service, desired) };
      const id = await createWithHealthCheck(engine, request, { ready: declared.ready, imageId, cache });
      await takeOwnership(engine, desired.stack, request);
      containers.set(service, id);
      files.locate(service, id);
      client.locate(service, locationOf(id, spec));
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
      await whileAlive({ ...running, exit: exits.get(name), signal: step.signal }, (signal) =>
        driverOf(name).reload(contextOf(name, release, { ...step, signal })),
      );
    },
    confirm: async ({ service: name }, step) => {
      const { service, release, volumes } = desiredService(name);
      if (release === undefined) return;
      const running = { service, volumes, container: containerOf(name), engine, clock, doing: `confirming ${name}` };
      const notes = await whileAlive({ ...running, exit: exits.get(name), signal: step.signal }, (signal) =>
        driverOf(name).confirm(contextOf(name, release, { ...step, signal })),
      );
      for (const text of notes) step.note(text);
    },
    record: () => context.record(),
  };
}

/** Converts the engine's error for a start to one about the stack; for a port in use, it names the holder. */
async function explainStart(engine: Engine, stack: string, spec: ContainerSpec, error: unknown): Promise<unknown> {
  if (!(error instanceof EngineError)) return error;
  if (error.code !== 'portTaken') {
    return new StackError({
      doing: `starting ${spec.service}`,
      why: error.message,
      tryThis: error.tryThis,
      cause: error,
    });
  }
  const port = spec.ports.find(({ host }) => error.message.includes(`:${host}`)) ?? spec.ports[0];
  if (port === undefined) return error;
  const [holder] = holdersOf(port, await engine.listContainers({}));
  // Processes on this host do not use ports of a remote engine.
  const process = engine.location.isLocal ? portProcess(port.host) : undefined;
  return portsTaken([{ service: spec.service, port: port.host, holder: holder ?? process }], { stack }, error);
}

/** Converts the engine's error for removing a resource in use to one that says what to do. */
function explainRemoval(kind: 'network' | 'volume', name: string, error: unknown): unknown {
  if (!(error instanceof EngineError) || !/active endpoints|in use|being used/i.test(error.message)) return error;
  const [usage, tryThis] =
    kind === 'network'
      ? ['is still connected to it', `\`docker network inspect ${name}\` lists it; disconnect it, and run down again`]
      : ['still uses it', `\`docker ps -a --filter volume=${name}\` lists it; remove it, and run down again`];
  return new StackError({
    doing: `removing the ${kind} ${name}`,
    why: `a container that is not part of this stack ${usage}`,
    tryThis,
    cause: error,
  });
}

/**
 * Gives the data volumes to the user that the container runs as. Distroless images are made for user 65532, and a new volume gets the
 * owner of the image's folder whenever a container is created. A helper changes it, since the root of a volume can only be written
 * from outside of it, and the container's own file system is read-only.
 */
async function takeOwnership(engine: Engine, stack: string, { name, spec, volumes }: ContainerRequest): Promise<void> {
  const { image, user } = spec;
  const folders = spec.mounts.flatMap(({ kind, target }, at) =>
    kind === 'data' ? [{ volume: volumes[at] ?? '', target, readOnly: false }] : [],
  );
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  if (!isDistroless(image) || folders.length === 0) return;
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
