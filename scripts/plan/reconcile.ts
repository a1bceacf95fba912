import type { ContainerSummary } from '../engine/engine.ts';
import { specHashLabel } from '../engine/labels.ts';
import { lastConfirmed, newestFolders } from '../state/history.ts';
import { names } from '../state/names.ts';
import { fallbackFolder, freeFolder, type ReleaseFolder } from '../state/release-folder.ts';
import { decide } from './decide.ts';
import { type Desired, type DesiredService, historyService } from './desired.ts';
import type { Observed, ObservedService } from './observed.ts';
import { type Change, type Plan, type ServiceRelease, Steps, stopSeconds } from './plan.ts';
import { takesOneOf } from './ports.ts';

/** What the user asked for beyond the desired state. */
export interface ReconcileOptions {
  /** Recreate all containers. */
  readonly recreate?: boolean | undefined;
  /** Services that are left as they are when they are not desired, instead of being removed. */
  readonly leave?: ReadonlySet<string>;
  /** Services whose files in place were not confirmed, whatever the history says of them. */
  readonly unconfirmed?: ReadonlySet<string>;
  /** Leave the history as it is: the plan goes back to what it names already. */
  readonly unrecorded?: boolean;
}

type Decided = {
  readonly wanted: DesiredService;
  readonly found: ObservedService | undefined;
  readonly isConfirmed: boolean;
} & ReturnType<typeof decide>;

/**
 * Decides everything that has to be done so that the engine has what is desired, and why. Pure: the same two values
 * always give the same plan. Volumes are only ever added here.
 */
export function reconcile(desired: Desired, observed: Observed, options: ReconcileOptions = {}): Plan {
  const last = lastConfirmed(observed.history);
  const hasHistory = historyService(desired) !== undefined;
  const decisions = desired.services.map((wanted): Decided => {
    const { name } = wanted.service;
    const found = observed.services.get(name);
    const recorded = last?.services[name];
    const about = {
      network: names.network(desired.stack),
      isRecorded: recorded !== undefined,
      isConfirmed: options.unconfirmed?.has(name) !== true && (!hasHistory || recorded?.folder === found?.folder),
      recreate: options.recreate === true,
    };
    return { wanted, found, isConfirmed: about.isConfirmed, ...decide(wanted, found, about) };
  });
  const gone = [...observed.services].filter(
    ([name]) => !desired.services.some((one) => one.service.name === name) && options.leave?.has(name) !== true,
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
  const leaving = observed.strays.map((container): Leaving => {
    const { id, name } = container;
    return {
      container,
      removed: [steps.add({ do: 'removeContainer', name, container: id }, [], 'it is a leftover of this stack')],
    };
  });

  const moving = decisions.filter(({ needsSwitch }) => needsSwitch);
  const isAsRecorded = gone.length === 0 && moving.length === 0 && decisions.every((one) => one.isConfirmed);
  const isRecorded = options.unrecorded === true || (last?.revision === desired.revision && isAsRecorded);
  const writer = isRecorded && moving.length === 0 ? [] : planConfigWriter(steps, desired, observed, volumes);
  const switched = planReleases(steps, moving, observed, writer);

  // What goes stays until all else is confirmed, but for what holds a port that somebody needs.
  const needed = decisions.filter(isStarting).flatMap(({ wanted }) => wanted.spec.ports);
  const inTheWay = gone.filter(([, { container }]) => takesOneOf(container.hostPorts, needed));
  const remove = ([name, { container }]: (typeof gone)[number], after: readonly number[]): number[] =>
    removeContainer(steps, container, after, `the stack has no ${name} any more`);
  leaving.push(...inTheWay.map((one): Leaving => ({ container: one[1].container, removed: remove(one, []) })));

  const confirmed = planServices(steps, decisions, { network, volumes, switched, leaving });
  const removed = gone
    .filter((one) => !inTheWay.includes(one))
    .flatMap((one) => remove(one, [...switched, ...confirmed]));
  if (!isRecorded && desired.configWriter !== undefined) {
    const because =
      confirmed.length > 0 ? 'every service is confirmed' : 'the history does not name it as the last one';
    const after = [...writer, ...switched, ...confirmed, ...leaving.flatMap((one) => one.removed), ...removed];
    steps.add({ do: 'record', revision: desired.revision }, after, because);
  }

  return {
    stack: desired.stack,
    revision: desired.revision,
    changes: [
      ...decisions.map(({ change }) => change),
      ...gone.map(
        ([service]): Change => ({ service, action: 'remove', because: [`the stack has no ${service} any more`] }),
      ),
    ],
    steps: steps.all,
  };
}

/** A container that goes, and the steps after which it is gone. */
interface Leaving {
  readonly container: ContainerSummary;
  readonly removed: readonly number[];
}

/** The steps by which each service becomes what it should be; answers those by which all of them are proven. */
function planServices(
  steps: Steps,
  decisions: readonly Decided[],
  before: {
    readonly network: readonly number[];
    readonly volumes: ReadonlyMap<string, number>;
    readonly switched: readonly number[];
    readonly leaving: readonly Leaving[];
  },
): readonly number[] {
  const { network, volumes, switched } = before;
  const ready = new Map<string, number>();
  const confirmed: number[] = [];
  const replaced = decisions.flatMap(({ found, change, needsSwitch }): Leaving[] => {
    if (change.action !== 'recreate' || found === undefined) return [];
    const [because = ''] = change.because;
    const { container } = found;
    return [{ container, removed: removeContainer(steps, container, needsSwitch ? switched : [], because) }];
  });
  const leaving = [...before.leaving, ...replaced];
  for (const { wanted, found, change, needsSwitch } of decisions) {
    const { name, startsAfter, reload } = wanted.service;
    const [because = ''] = change.because;
    const files = needsSwitch ? switched : [];
    const own = wanted.volumes.flatMap((volume) => volumes.get(volume) ?? []);
    const revision = wanted.release?.revision;
    const confirm = (after: number[]): void => {
      if (revision === undefined) return;
      confirmed.push(steps.add({ do: 'confirm', service: name, revision }, after, 'a reload is not a proof'));
    };
    const start = (after: readonly number[]): void => {
      const others = startsAfter.flatMap((other) => ready.get(other) ?? []);
      const freed = leaving.filter(
        ({ container }) => container !== found?.container && takesOneOf(container.hostPorts, wanted.spec.ports),
      );
      const free = freed.flatMap(({ removed }) => removed);
      const started = steps.add({ do: 'startContainer', service: name }, [...after, ...others, ...free], because);
      const isReady = steps.add({ do: 'waitReady', service: name }, [started], 'it was started');
      ready.set(name, isReady);
      confirmed.push(isReady);
      confirm([isReady]);
    };
    switch (change.action) {
      case 'none':
      case 'remove':
        break;
      case 'create':
      case 'recreate': {
        const removed = replaced.find(({ container }) => container === found?.container)?.removed ?? [];
        const created = steps.add({ do: 'createContainer', service: name }, [...network, ...own, ...removed], because);
        start([created, ...files]);
        break;
      }
      case 'start':
        start(files);
        break;
      case 'reload': {
        // A server that is still starting does not answer a reload, so it is waited for first.
        const isReady = steps.add({ do: 'waitReady', service: name }, files, because);
        confirm([reload === undefined ? isReady : steps.add({ do: 'reload', service: name }, [isReady], because)]);
        break;
      }
    }
  }
  return confirmed;
}

function planConfigWriter(
  steps: Steps,
  desired: Desired,
  observed: Observed,
  volumes: ReadonlyMap<string, number>,
): number[] {
  const { configWriter } = desired;
  const present = observed.configWriter;
  if (configWriter === undefined || present?.labels[specHashLabel] === configWriter.hash) return [];
  const why = present === undefined ? 'there is none' : 'it lacks the volume of a service';
  const cleared =
    present === undefined
      ? []
      : [steps.add({ do: 'removeContainer', name: present.name, container: present.id }, [], why)];
  const needed = configWriter.mounts.flatMap((mount) => volumes.get(mount.volume) ?? []);
  return [steps.add({ do: 'createConfigWriter' }, [...cleared, ...needed], why)];
}

/** New releases are written, those of the history exist already; then the link of each service is switched. */
function planReleases(
  steps: Steps,
  moving: readonly Decided[],
  observed: Observed,
  writer: readonly number[],
): readonly number[] {
  if (moving.length === 0) return [];
  const releases = moving.map((decided): ServiceRelease => {
    const { wanted } = decided;
    const folder = folderFor(decided, observed);
    return { service: wanted.service.name, folder, isNew: folder !== wanted.folder };
  });
  return [steps.add({ do: 'switchReleases', releases }, writer, 'their files changed')];
}

function folderFor({ wanted, found }: Decided, observed: Observed): ReleaseFolder {
  const revision = wanted.release?.revision ?? '';
  // A release that is linked and still has to move was changed by hand: it is written again, into another slot.
  if (wanted.folder !== undefined && wanted.folder !== found?.folder) return wanted.folder;
  const { name } = wanted.service;
  const isUnknown =
    found === undefined &&
    observed.history.entries.length === 0 &&
    wanted.volumes.some((one) => observed.volumes.has(one));
  if (isUnknown) return fallbackFolder(revision);
  return freeFolder(revision, [
    ...(found?.folder === undefined ? [] : [found.folder]),
    ...newestFolders(observed.history, name),
  ]);
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
