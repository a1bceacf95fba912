import { readsExpiryRules } from '../../stack/access/expiry-rules.ts';
import type { ContainerSummary } from '../engine/engine.ts';
import { lastConfirmed } from '../state/history.ts';
import { names } from '../state/names.ts';
import { connectionsOf } from './connections.ts';
import { decide } from './decide.ts';
import { type Desired, type DesiredService, historyService } from './desired.ts';
import { namesOrigin, planCertificates, planConfigWriter, planReleases } from './file-steps.ts';
import type { Observed, ObservedService } from './observed.ts';
import { type Change, type Plan, Steps, stopSeconds } from './plan.ts';
import { takesOneOf } from './ports.ts';

/** Options beside the desired state. */
export interface ReconcileOptions {
  /** Recreate all containers. */
  readonly recreate?: boolean | undefined;
  /** Services to keep unchanged although they are not desired. */
  readonly leave?: ReadonlySet<string>;
  /** Services whose linked files are to be confirmed again, whatever the history says. */
  readonly unconfirmed?: ReadonlySet<string>;
  /** Do not write the history: the plan restores the revision that is recorded as the last one. */
  readonly unrecorded?: boolean;
}

type Decided = {
  readonly target: DesiredService;
  readonly current: ObservedService | undefined;
  readonly isConfirmed: boolean;
} & ReturnType<typeof decide>;

/**
 * Plans the steps from the observed to the desired state, each with its reason. Pure: the same arguments always give the
 * same plan. It never removes volumes.
 */
export function reconcile(desired: Desired, observed: Observed, options: ReconcileOptions = {}): Plan {
  const last = lastConfirmed(observed.history);
  const hasHistory = historyService(desired) !== undefined;
  const decisions = desired.services.map((target): Decided => {
    const { name } = target.service;
    const current = observed.services.get(name);
    const recorded = last?.services[name];
    const context = {
      network: names.network(desired.stack),
      networks: observed.networks,
      isRecorded: recorded !== undefined,
      isConfirmed: options.unconfirmed?.has(name) !== true && (!hasHistory || recorded?.folder === current?.folder),
      recreate: options.recreate === true,
    };
    return { target, current, isConfirmed: context.isConfirmed, ...decide(target, current, context) };
  });
  const undesired = [...observed.services].filter(
    ([name]) => !desired.services.some(({ service }) => service.name === name) && options.leave?.has(name) !== true,
  );
  const steps = new Steps();

  const network =
    observed.network === undefined
      ? [steps.add({ do: 'createNetwork', name: names.network(desired.stack) }, [], 'it does not exist yet')]
      : [];
  const volumes = new Map<string, number>();
  for (const { name, labels } of desired.volumes) {
    if (observed.volumes.has(name)) continue;
    volumes.set(name, steps.add({ do: 'createVolume', name, labels }, [], 'it does not exist yet'));
  }
  const removals = observed.strays.map((container): PlannedRemoval => {
    const { id, name } = container;
    return {
      container,
      removed: [steps.add({ do: 'removeContainer', name, container: id }, [], 'no service of this stack needs it')],
    };
  });

  const moving = decisions.filter(({ needsSwitch }) => needsSwitch);
  const isUnchanged =
    undesired.length === 0 && moving.length === 0 && decisions.every(({ isConfirmed }) => isConfirmed);
  const isRecorded = !hasHistory || options.unrecorded === true || (last?.revision === desired.revision && isUnchanged);
  const due = observed.dueCertificates ?? new Map<string, string>();
  const needsWriter = !isRecorded || moving.length > 0 || due.size > 0 || !namesOrigin(desired, observed);
  const writer = needsWriter ? planConfigWriter(steps, desired, observed, volumes) : [];
  const provided = planCertificates(steps, due, writer);
  const filesReady = [...writer, ...provided];
  const switched = planReleases(steps, moving, observed, filesReady, historyService(desired) !== undefined);

  // Undesired containers are removed last, unless they publish a port that another service needs.
  const neededPorts = decisions.filter(isStarting).flatMap(({ target }) => target.spec.ports);
  const blocking = undesired.filter(([, { container }]) => takesOneOf(container.hostPorts, neededPorts));
  const remove = ([name, { container }]: (typeof undesired)[number], after: readonly number[]): number[] =>
    removeContainer(steps, container, after, `the stack has no ${name} any more`);
  removals.push(
    ...blocking.map((entry): PlannedRemoval => ({ container: entry[1].container, removed: remove(entry, []) })),
  );

  const before = { network, volumes, writer, provided, switched, removals };
  const confirmed = planServices(steps, decisions, observed, before);
  const removed = undesired
    .filter((entry) => !blocking.includes(entry))
    .flatMap((entry) => remove(entry, [...switched, ...confirmed]));
  if (!isRecorded && desired.configWriter !== undefined) {
    const because = confirmed.length > 0 ? 'every service is confirmed' : 'the history has a different last revision';
    const after = [
      ...filesReady,
      ...switched,
      ...confirmed,
      ...removals.flatMap((removal) => removal.removed),
      ...removed,
    ];
    steps.add({ do: 'record', revision: desired.revision }, after, because);
  }

  return {
    stack: desired.stack,
    revision: desired.revision,
    changes: [
      ...decisions.map(({ change }) => change),
      ...undesired.map(
        ([service]): Change => ({ service, action: 'remove', because: [`the stack has no ${service} any more`] }),
      ),
    ],
    steps: steps.all,
  };
}

/** A container to be removed, and the steps after which it is gone. */
interface PlannedRemoval {
  readonly container: ContainerSummary;
  readonly removed: readonly number[];
}

/** Adds the steps for each service; returns the steps after which all services are confirmed. */
function planServices(
  steps: Steps,
  decisions: readonly Decided[],
  observed: Observed,
  before: {
    readonly network: readonly number[];
    readonly volumes: ReadonlyMap<string, number>;
    readonly writer: readonly number[];
    readonly provided: readonly number[];
    readonly switched: readonly number[];
    readonly removals: readonly PlannedRemoval[];
  },
): readonly number[] {
  const { network, volumes, writer, provided, switched } = before;
  const ready = new Map<string, number>();
  const confirmed: number[] = [];
  const replaced = decisions.flatMap(({ current, change, needsSwitch }): PlannedRemoval[] => {
    if (change.action !== 'recreate' || current === undefined) return [];
    const [because = ''] = change.because;
    const { container } = current;
    return [{ container, removed: removeContainer(steps, container, needsSwitch ? switched : [], because) }];
  });
  const removals = [...before.removals, ...replaced];
  const isConfirmedBy = (name: string, { target }: Decided): boolean => target.service.confirmedBy === name;
  // The slow ones are started first. Those that another confirms precede it: its confirm waits until they are ready.
  const rank = ({ target: { service } }: Decided): number =>
    service.startsSlowly === true ? 0 : service.confirmedBy !== undefined ? 1 : 2;
  const inOrder = decisions.toSorted((a, b) => rank(a) - rank(b));
  const startedFirst: number[] = [];
  for (const { target, current, change, needsSwitch } of inOrder) {
    const { name, startsAfter, startsSlowly = false, reload } = target.service;
    const confirms = decisions.flatMap((other) =>
      isConfirmedBy(name, other) ? (ready.get(other.target.service.name) ?? []) : [],
    );
    const [because = ''] = change.because;
    const files = needsSwitch ? switched : provided;
    const createdVolumes = target.volumes.flatMap((volume) => volumes.get(volume) ?? []);
    const revision = target.release?.revision;
    const confirm = (after: number[]): void => {
      if (revision === undefined) return;
      const because = after.length === 0 ? 'what it sends to was started' : 'a reload alone proves nothing';
      confirmed.push(steps.add({ do: 'confirm', service: name, revision }, [...after, ...confirms], because));
    };
    const start = (after: readonly number[]): void => {
      const dependencies = startsAfter.flatMap((dependency) => ready.get(dependency) ?? []);
      const portsFreed = removals
        .filter(
          ({ container }) => container !== current?.container && takesOneOf(container.hostPorts, target.spec.ports),
        )
        .flatMap(({ removed }) => removed);
      const prerequisites = [
        ...network,
        ...after,
        ...dependencies,
        ...portsFreed,
        ...(startsSlowly ? [] : startedFirst),
      ];
      const started = steps.add({ do: 'startContainer', service: name }, prerequisites, because);
      if (startsSlowly) startedFirst.push(started);
      const isReady = steps.add({ do: 'waitReady', service: name }, [started], 'it was started');
      ready.set(name, isReady);
      confirmed.push(isReady);
      confirm([isReady]);
    };
    // A server that is still starting cannot be reloaded, so wait for it first.
    const reloadWhenReady = (after: readonly number[], because: string): number => {
      const isReady = steps.add({ do: 'waitReady', service: name }, after, because);
      return reload === undefined ? isReady : steps.add({ do: 'reload', service: name }, [isReady], because);
    };
    const renewed = observed.dueCertificates?.get(name);
    const hasRules = readsExpiryRules(target.release?.files ?? []);
    switch (change.action) {
      case 'none': {
        if (renewed !== undefined && hasRules) confirm([reloadWhenReady(provided, renewed)]);
        else if (confirms.length > 0) confirm([]);
        if (renewed !== undefined && !hasRules) {
          confirmed.push(steps.add({ do: 'waitReady', service: name }, provided, renewed));
        }
        break;
      }
      case 'remove':
        break;
      case 'create':
      case 'recreate': {
        const removed = replaced.find(({ container }) => container === current?.container)?.removed ?? [];
        const inNetwork = observed.createsInNetworks === true ? network : [];
        const created = steps.add(
          { do: 'createContainer', service: name, ...connectionsOf(target, current, observed) },
          // The writer comes first, so that files are written while the engine creates the others.
          [...inNetwork, ...createdVolumes, ...writer, ...removed],
          because,
        );
        start([created, ...files]);
        break;
      }
      case 'start':
        start(files);
        break;
      case 'write':
        confirm([
          renewed !== undefined && hasRules
            ? reloadWhenReady(files, renewed)
            : steps.add({ do: 'waitReady', service: name }, files, because),
        ]);
        break;
      case 'reload':
        confirm([reloadWhenReady(files, because)]);
        break;
    }
  }
  return confirmed;
}

function removeContainer(
  steps: Steps,
  container: ObservedService['container'],
  after: readonly number[],
  because: string,
): number[] {
  const { name, id } = container;
  const seconds = stopSeconds(container);
  const stopped = steps.add({ do: 'stopContainer', name, container: id, seconds }, after, because);
  return [steps.add({ do: 'removeContainer', name, container: id }, [stopped], because)];
}

const isStarting = ({ change }: Decided): boolean =>
  change.action === 'create' || change.action === 'recreate' || change.action === 'start';
