import { specHashLabel } from '../engine/labels.ts';
import { newestFolders } from '../state/history.ts';
import { isSameOrigin } from '../state/origin.ts';
import { fallbackFolder, freeFolder, type ReleaseFolder } from '../state/release-folder.ts';
import type { Desired, DesiredService } from './desired.ts';
import type { Observed, ObservedService } from './observed.ts';
import type { ServiceRelease, Steps } from './plan.ts';

/** A service that gets other files. */
interface Moving {
  readonly target: DesiredService;
  readonly current: ObservedService | undefined;
}

/** Adds the steps after which the config volume writer mounts all config volumes. */
export function planConfigWriter(
  steps: Steps,
  desired: Desired,
  observed: Observed,
  volumes: ReadonlyMap<string, number>,
): number[] {
  const { configWriter } = desired;
  const present = observed.configWriter;
  const isMounting = present?.labels[specHashLabel] === configWriter?.hash;
  if (configWriter === undefined || (isMounting && namesOrigin(desired, observed))) return [];
  const whyReplaced = isMounting ? 'it names a different stack.yml or none' : 'it does not mount all config volumes';
  const why = present === undefined ? 'it does not exist yet' : whyReplaced;
  const removed =
    present === undefined
      ? []
      : [steps.add({ do: 'removeContainer', name: present.name, container: present.id }, [], why)];
  const createdVolumes = configWriter.mounts.flatMap((mount) => volumes.get(mount.volume) ?? []);
  return [steps.add({ do: 'createConfigWriter' }, [...removed, ...createdVolumes], why)];
}

/**
 * Whether the labels of a container name the stack.yml that the stack is managed from. The config volume writer can be
 * recreated for that at any time.
 */
export function namesOrigin({ origin }: Desired, observed: Observed): boolean {
  return origin === undefined || isSameOrigin(observed.origin, origin);
}

/** Adds the step that issues certificates of the internal CA; servers read them again for each connection. */
export function planCertificates(
  steps: Steps,
  due: ReadonlyMap<string, string>,
  writer: readonly number[],
): readonly number[] {
  const [why] = due.values();
  if (why === undefined) return [];
  return [steps.add({ do: 'provideCertificates', services: [...due.keys()] }, writer, why)];
}

/** Adds the step that writes new releases (those of the history exist) and switches the link of each service. */
export function planReleases(
  steps: Steps,
  moving: readonly Moving[],
  observed: Observed,
  after: readonly number[],
  hasHistory: boolean,
): readonly number[] {
  if (moving.length === 0) return [];
  const releases = moving.map((decided): ServiceRelease => {
    const { target } = decided;
    const folder = folderFor(decided, observed, hasHistory);
    return { service: target.service.name, folder, isNew: folder !== target.folder };
  });
  return [steps.add({ do: 'switchReleases', releases }, after, 'their files changed')];
}

function folderFor({ target, current }: Moving, observed: Observed, hasHistory: boolean): ReleaseFolder {
  const revision = target.release?.revision ?? '';
  // A release that is linked but still needs a switch was changed by hand: it is written again, to another slot.
  if (target.folder !== undefined && target.folder !== current?.folder) return target.folder;
  const { name } = target.service;
  const linked = current?.folder === undefined ? [] : [current.folder];
  const isUnknown =
    hasHistory &&
    observed.history.entries.length === 0 &&
    target.volumes.some((volume) => observed.volumes.has(volume));
  if (isUnknown) return fallbackFolder(revision, linked);
  return freeFolder(revision, [...linked, ...newestFolders(observed.history, name)]);
}
