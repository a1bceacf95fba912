import type { Release } from '../../stack/service.ts';
import { specHashLabel } from '../engine/labels.ts';
import type { Desired, DesiredService } from './desired.ts';
import { diffSpec } from './diff-spec.ts';
import { hashFiles } from './files-hash.ts';
import { names } from './names.ts';
import type { Observed, ObservedService } from './observed.ts';
import { type Change, type Plan, type ServiceRelease, Steps } from './plan.ts';
import { stopSeconds } from './stop-seconds.ts';

/** What a person asked for beyond "make it so". */
export interface ReconcileOptions {
  /** Make every container anew, whether it needs it or not. */
  readonly recreate?: boolean;
  /** Services that are left as they are when they are not desired, instead of being removed. */
  readonly leave?: ReadonlySet<string>;
}

/**
 * Decides everything that has to be done so that the engine has what is desired, and why. Pure: the same two values
 * always give the same plan. Volumes are only ever added here.
 */
export function reconcile(desired: Desired, observed: Observed, options: ReconcileOptions = {}): Plan {
  const decisions = desired.services.map((wanted) => {
    const found = observed.services.get(wanted.service.name);
    return { wanted, found, ...decide(wanted, found, options) };
  });
  const gone = [...observed.services].filter(
    ([name]) => !desired.services.some((one) => one.service.name === name) && options.leave?.has(name) !== true,
  );
  const steps = new Steps();

  const network =
    observed.network === undefined
      ? [steps.add({ do: 'createNetwork', name: names.network(desired.stack) }, [], 'there is none yet')]
      : [];
  const volumes = new Map<string, number>();
  for (const { name, labels } of desired.volumes) {
    if (observed.volumes.has(name)) continue;
    volumes.set(name, steps.add({ do: 'createVolume', name, labels }, [], 'there is none yet'));
  }

  for (const [name, { container }] of gone) {
    removeContainer(steps, container, [], `the stack has no ${name} any more`);
  }
  for (const stray of observed.strays) {
    steps.add({ do: 'removeContainer', name: stray.name, container: stray.id }, [], 'it is a leftover of this stack');
  }

  const moving = decisions.filter((one) => one.moves);
  const isRecorded = observed.recorded === desired.revision && gone.length === 0 && moving.length === 0;
  const carrier = isRecorded ? [] : planCarrier(steps, desired, observed, volumes);
  const switched = planReleases(steps, moving, carrier);

  const ready = new Map<string, number>();
  const confirmed: number[] = [];
  for (const { wanted, found, change, moves } of decisions) {
    const { service } = wanted;
    const [because = ''] = change.because;
    const startsAfter = service.startsAfter.flatMap((name) => ready.get(name) ?? []);
    const files = moves ? switched : [];
    const own = wanted.volumes.flatMap((name) => volumes.get(name) ?? []);
    const revision = wanted.release?.revision ?? '';
    const confirm = (after: number[]): void => {
      if (wanted.release !== undefined) {
        confirmed.push(steps.add({ do: 'confirm', service: service.name, revision }, after, 'a reload is not a proof'));
      }
    };
    const start = (after: number[], why: string): void => {
      const started = steps.add({ do: 'startContainer', service: service.name }, [...after, ...startsAfter], why);
      const isReady = steps.add({ do: 'waitReady', service: service.name }, [started], 'it was started');
      ready.set(service.name, isReady);
      confirmed.push(isReady);
      confirm([isReady]);
    };
    switch (change.action) {
      case 'none':
      case 'remove':
        break;
      case 'create':
      case 'recreate': {
        const cleared = found === undefined ? [] : removeContainer(steps, found.container, files, because);
        const created = steps.add(
          { do: 'createContainer', service: service.name },
          [...network, ...own, ...cleared],
          because,
        );
        start([created, ...files], because);
        break;
      }
      case 'start':
        start(files, because);
        break;
      case 'reload': {
        // A server that is still starting does not answer a reload, so it is waited for first.
        const isReady = steps.add({ do: 'waitReady', service: service.name }, files, because);
        const reloaded =
          service.reload === undefined
            ? isReady
            : steps.add({ do: 'reload', service: service.name }, [isReady], because);
        confirm([reloaded]);
        break;
      }
    }
  }
  if (!isRecorded && desired.carrier !== undefined) {
    const because = confirmed.length > 0 ? 'every service is confirmed' : 'the history does not name it as the last one';
    steps.add({ do: 'record', revision: desired.revision }, [...carrier, ...switched, ...confirmed], because);
  }

  return {
    stack: desired.stack,
    revision: desired.revision,
    changes: [
      ...decisions.map(({ change }) => change),
      ...gone.map(([service]): Change => ({ service, action: 'remove', because: [`the stack has no ${service} any more`] })),
    ],
    steps: steps.all,
  };
}

/** What happens to one service, and whether its files have to move. */
function decide(
  wanted: DesiredService,
  found: ObservedService | undefined,
  options: ReconcileOptions,
): { readonly change: Change; readonly moves: boolean } {
  const service = wanted.service.name;
  const change = (action: Change['action'], ...because: string[]): Change => ({ service, action, because });
  const { release } = wanted;
  if (found === undefined) return { change: change('create', 'no container yet'), moves: release !== undefined };

  const filesMoved = release === undefined ? undefined : whyFilesMove(release, found);
  const moves = filesMoved !== undefined;
  const recreate = whyRecreate(wanted, found, options);
  if (recreate.length > 0) return { change: change('recreate', ...recreate, ...listed(filesMoved)), moves };
  if (found.container.state !== 'running') {
    return { change: change('start', `it is ${inWords(found.container.state)}`, ...listed(filesMoved)), moves };
  }
  if (moves) return { change: change('reload', ...listed(filesMoved)), moves };
  if (found.unproven !== undefined) {
    return { change: change('reload', `the running server is behind its files: ${found.unproven}`), moves };
  }
  return { change: change('none', 'it is as it should be'), moves };
}

function whyRecreate(wanted: DesiredService, found: ObservedService, options: ReconcileOptions): readonly string[] {
  const { container } = found;
  if (found.specHash !== wanted.specHash) {
    const reasons = found.spec === undefined ? [] : diffSpec(found.spec, wanted.spec);
    return reasons.length > 0 ? reasons : ['it was made from another spec'];
  }
  if (wanted.imageId !== undefined && container.imageId !== wanted.imageId) {
    return [`${wanted.spec.image} is another image now`];
  }
  if (container.state === 'restarting' || container.state === 'dead' || container.state === 'paused') {
    return [`it is ${inWords(container.state)}`];
  }
  return options.recreate === true ? ['you asked for it'] : [];
}

function whyFilesMove(release: Release, found: ObservedService): string | undefined {
  if (found.linked === undefined) return 'it has no files yet';
  if (found.linked !== release.revision) return `its files changed: revision ${found.linked} -> ${release.revision}`;
  if (found.filesHash !== hashFiles(release.files)) return 'its files were changed by hand in the config volume';
  return undefined;
}

function planCarrier(steps: Steps, desired: Desired, observed: Observed, volumes: ReadonlyMap<string, number>): number[] {
  const { carrier } = desired;
  const present = observed.carrier;
  if (carrier === undefined || present?.labels[specHashLabel] === carrier.hash) return [];
  const why = present === undefined ? 'there is none' : 'it lacks the volume of a service';
  const cleared =
    present === undefined ? [] : [steps.add({ do: 'removeContainer', name: present.name, container: present.id }, [], why)];
  const needed = carrier.mounts.flatMap((mount) => volumes.get(mount.volume) ?? []);
  return [steps.add({ do: 'createCarrier' }, [...cleared, ...needed], why)];
}

function planReleases(
  steps: Steps,
  moving: readonly { readonly wanted: DesiredService; readonly found: ObservedService | undefined }[],
  carrier: readonly number[],
): number[] {
  const releases = moving.map(({ wanted, found }): ServiceRelease => ({
    service: wanted.service.name,
    revision: wanted.release?.revision ?? '',
    ...(found?.linked === undefined ? {} : { from: found.linked }),
  }));
  if (releases.length === 0) return [];
  const staged = steps.add({ do: 'stageReleases', releases }, carrier, 'their files changed');
  return [steps.add({ do: 'switchReleases', releases }, [staged], 'all files are in place')];
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

const listed = (reason: string | undefined): string[] => (reason === undefined ? [] : [reason]);

const inWords = (state: ObservedService['container']['state']): string =>
  state === 'exited' ? 'stopped' : state === 'created' ? 'created but was never started' : state;
