import type { Release } from '../../stack/service.ts';
import type { ArchiveEntry, Engine } from '../engine/engine.ts';
import { baseLabels, specHashLabel } from '../engine/labels.ts';
import type { Desired, DesiredService } from '../plan/desired.ts';
import type { Removal, ServiceRelease } from '../plan/plan.ts';
import type { DriverContext } from '../servers/service-driver.ts';
import type { ConfigFiles } from '../state/config-files.ts';
import { names } from '../state/names.ts';
import { ensureSecrets, openSecretStore } from '../state/secret-store.ts';
import type { ServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import { withDeadline } from '../util/with-deadline.ts';
import { driverOf, openDriverContext } from './drivers.ts';
import { explainRemoval, explainStart } from './explain-refusal.ts';
import { prove } from './prove.ts';
import { waitReady, whileAlive } from './ready.ts';
import { releaseEntries, releasePlace, switchEntries } from './release-entries.ts';
import { reloadServer } from './reload-server.ts';
import type { Executors } from './run-plan.ts';

/** The engine's own calls take part of a second; an engine that takes minutes will not answer any more. */
const engineMs = 120_000;
/** A first start may have a database to set up. */
const readyMs = 120_000;
const confirmMs = 60_000;

/** What the executors of one run share. */
export interface ExecutorContext {
  readonly engine: Engine;
  readonly desired: Desired;
  readonly reach: ServiceClient;
  readonly clock: Clock;
  /** Ids of the containers there are, by service; executors add to it. */
  readonly containers: Map<string, string>;
  readonly files: ConfigFiles;
  /** Notes the confirmed revision in the stack's history. */
  record(): Promise<void>;
}

/** The executors of the steps that take something away; they need nothing but the engine. */
export function removalExecutors(engine: Engine): Executors<Removal> {
  return {
    stopContainer: ({ name, container, seconds }) =>
      withDeadline(`stopping ${name}`, engineMs + seconds * 1_000, engine.stopContainer(container, seconds)),
    removeContainer: ({ name, container }) =>
      withDeadline(`removing ${name}`, engineMs, engine.removeContainer(container)),
    removeNetwork: ({ name, network }) =>
      withDeadline(`removing ${name}`, engineMs, engine.removeNetwork(network)).catch((error: unknown) => {
        throw explainRemoval('network', name, error);
      }),
    removeVolume: ({ name }) =>
      withDeadline(`deleting ${name}`, engineMs, engine.removeVolume(name)).catch((error: unknown) => {
        throw explainRemoval('volume', name, error);
      }),
  };
}

/** The executor of each kind of step. */
export function createExecutors(shop: ExecutorContext): Executors {
  const { engine, desired, reach, clock, containers, files } = shop;
  const exits = new Map<string, Promise<number>>();

  const wantedOf = (service: string): DesiredService => {
    const found = desired.services.find((one) => one.service.name === service);
    if (found === undefined) throw new Error(`the plan has a step for ${service}, which the stack does not have`);
    return found;
  };
  const containerOf = (service: string): string => {
    const id = containers.get(service);
    if (id === undefined) throw new Error(`the plan uses the container of ${service} before there is one`);
    return id;
  };

  const roomOf = (service: string, release: Release, signal: AbortSignal): DriverContext => {
    const wanted = wantedOf(service);
    const { given, spec } = wanted;
    const container = containerOf(service);
    const place = { stack: desired.stack, service: wanted.service, user: spec.user, container, release, given };
    return openDriverContext({ ...place, engine, reach, clock, signal, deadlineMs: confirmMs });
  };
  const keepSecrets = async ({ service, spec, given }: DesiredService): Promise<void> => {
    if (service.generatedSecrets === undefined) return;
    const place = { carrier: names.carrier(desired.stack), service: service.name, user: spec.user };
    await ensureSecrets(openSecretStore(engine, place), service, given);
  };

  const stage = async (releases: readonly ServiceRelease[], andThen: readonly ArchiveEntry[] = []): Promise<void> => {
    await Promise.all(releases.map(({ service }) => keepSecrets(wantedOf(service))));
    const entries = releases.flatMap(({ service, folder }) => releaseEntries(wantedOf(service), folder));
    const cleared = releases.map(({ service, folder }) => releasePlace(service, folder));
    await withDeadline('staging files', engineMs, files.write([...entries, ...andThen], cleared));
  };

  return {
    ...removalExecutors(engine),
    createNetwork: async ({ name }) => {
      const labels = baseLabels(desired.stack, 'network');
      await withDeadline(`creating ${name}`, engineMs, engine.createNetwork(name, labels));
    },
    createVolume: async ({ name, labels }) => {
      await withDeadline(`creating ${name}`, engineMs, engine.createVolume(name, labels));
    },
    createCarrier: async () => {
      const { configWriter } = desired;
      if (configWriter === undefined) throw new Error('the plan makes a carrier for a stack that needs none');
      const { name, image, mounts, hash } = configWriter;
      const labels = { ...baseLabels(desired.stack, 'carrier'), [specHashLabel]: hash };
      const helper = { name, image, user: '0:0', entrypoint: ['/bin/true'], args: [], labels, mounts };
      await withDeadline(`creating ${name}`, engineMs, engine.createHelper(helper));
    },
    stageReleases: ({ releases }) => stage(releases),
    placeReleases: ({ releases }) => stage(releases, switchEntries(releases)),
    switchReleases: ({ releases }) => withDeadline('switching files', engineMs, files.write(switchEntries(releases))),
    createContainer: async ({ service }) => {
      const { name, spec, labels, volumes } = wantedOf(service);
      const request = { name, spec, labels, volumes, network: names.network(desired.stack) };
      const id = await withDeadline(`creating ${name}`, engineMs, engine.createContainer(request));
      containers.set(service, id);
      files.locate(service, id);
      reach.locate(service, { container: id, ports: spec.ports });
    },
    startContainer: async ({ service }, { signal }) => {
      const id = containerOf(service);
      // Asked for before the start, so that a container that dies at once is not missed.
      const exit = engine.nextExit(id, signal);
      exit.catch(() => undefined);
      exits.set(service, exit);
      try {
        await withDeadline(`starting ${service}`, engineMs, engine.startContainer(id));
      } catch (error) {
        throw await explainStart(engine, wantedOf(service).spec, error);
      }
    },
    waitReady: ({ service }, { signal, onProgress }) => {
      const exit = exits.get(service);
      return waitReady(wantedOf(service).service, containerOf(service), {
        engine,
        reach,
        clock,
        signal,
        deadlineMs: readyMs,
        ...(exit === undefined ? {} : { exit }),
        onProgress,
      });
    },
    reload: async ({ service }, { signal, onProgress }) => {
      const { service: declared, release } = wantedOf(service);
      const attendant = driverOf(service);
      if (attendant !== undefined && release !== undefined) return attendant.reload(roomOf(service, release, signal));
      const container = containerOf(service);
      return reloadServer(declared, { engine, container, reach, clock, signal, onProgress });
    },
    confirm: async ({ service }, { signal, note }) => {
      const { service: declared, release } = wantedOf(service);
      if (release === undefined) return;
      const alive = { service: declared, container: containerOf(service), engine, exit: exits.get(service), signal };
      const notes = await whileAlive(alive, async (living) => {
        await prove(service, declared.proofs(release), { reach, clock, signal: living, deadlineMs: confirmMs });
        return driverOf(service)?.confirm(roomOf(service, release, living));
      });
      for (const text of notes ?? []) note(text);
    },
    record: () => withDeadline('writing the history', engineMs, shop.record()),
  };
}
