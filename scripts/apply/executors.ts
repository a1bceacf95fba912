import { prove } from '../confirm/prove.ts';
import type { Reach } from '../confirm/reach.ts';
import { waitReady } from '../confirm/ready.ts';
import type { Engine } from '../engine/engine.ts';
import { specHashLabel } from '../engine/labels.ts';
import { baseLabels, type Desired, type DesiredService } from '../plan/desired.ts';
import { carrierRoot, names } from '../plan/names.ts';
import type { Removal } from '../plan/plan.ts';
import type { Clock } from '../util/clock.ts';
import { StackError } from '../util/stack-error.ts';
import { explainStart } from './explain-start.ts';
import { releaseEntries, switchEntries } from './release-entries.ts';
import type { Executors } from './run-plan.ts';

const readyMs = 60_000;
const reloadMs = 30_000;
const confirmMs = 30_000;

/** What the executors of one run share. */
export interface Workshop {
  readonly engine: Engine;
  readonly desired: Desired;
  readonly reach: Reach;
  readonly clock: Clock;
  /** Ids of the containers there are, by service; executors add to it. */
  readonly containers: Map<string, string>;
  /** Notes the confirmed revision in the stack's history. */
  record(revision: string): Promise<void>;
}

/** The executors of the steps that take something away; they need nothing but the engine. */
export function removalExecutors(engine: Engine): Executors<Removal> {
  return {
    stopContainer: ({ container, seconds }) => engine.stopContainer(container, seconds),
    removeContainer: ({ container }) => engine.removeContainer(container),
    removeNetwork: ({ network }) => engine.removeNetwork(network),
    removeVolume: ({ name }) => engine.removeVolume(name),
  };
}

/** The executor of each kind of step. */
export function createExecutors(shop: Workshop): Executors {
  const { engine, desired, reach, clock, containers } = shop;
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
  const carrierName = names.carrier(desired.stack);

  return {
    ...removalExecutors(engine),
    createNetwork: async ({ name }) => void (await engine.createNetwork(name, baseLabels(desired.stack, 'network'))),
    createVolume: async ({ name, labels }) => void (await engine.createVolume(name, labels)),
    createCarrier: async () => {
      const { carrier } = desired;
      if (carrier === undefined) throw new Error('the plan makes a carrier for a stack that needs none');
      await engine.createHelper({
        name: carrier.name,
        image: carrier.image,
        user: '0:0',
        entrypoint: ['/bin/true'],
        args: [],
        labels: { ...baseLabels(desired.stack, 'carrier'), [specHashLabel]: carrier.hash },
        mounts: carrier.mounts,
      });
    },
    stageReleases: ({ releases }) =>
      engine.putFiles(carrierName, carrierRoot, releases.flatMap(({ service }) => releaseEntries(wantedOf(service)))),
    switchReleases: ({ releases }) => engine.putFiles(carrierName, carrierRoot, switchEntries(releases)),
    createContainer: async ({ service }) => {
      const { name, spec, labels, volumes } = wantedOf(service);
      const id = await engine.createContainer({ name, spec, labels, volumes, network: names.network(desired.stack) });
      containers.set(service, id);
      reach.place(service, { container: id, ports: spec.ports });
    },
    startContainer: async ({ service }, { signal }) => {
      const id = containerOf(service);
      // Asked for before the start, so that a container that dies at once is not missed.
      const exit = engine.nextExit(id, signal);
      exit.catch(() => undefined);
      exits.set(service, exit);
      try {
        await engine.startContainer(id);
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
    reload: async ({ service }, { signal }) => {
      const { reload } = wantedOf(service).service;
      if (reload === undefined) throw new Error(`the plan reloads ${service}, which has nothing to reload`);
      const answer = await reach.request(service, reload, { timeoutMs: reloadMs, signal });
      if (answer.status === 200) return;
      throw new StackError({
        doing: `reloading ${service}`,
        why: `it refused its new files (status ${answer.status}): ${answer.body.trim()}`,
        tryThis: `promstack logs ${service} has the whole reason`,
      });
    },
    confirm: async ({ service }, { signal }) => {
      const { service: declared, release } = wantedOf(service);
      if (release === undefined) return;
      await prove(service, declared.proofs(release), { reach, clock, signal, deadlineMs: confirmMs });
    },
    record: ({ revision }) => shop.record(revision),
  };
}
