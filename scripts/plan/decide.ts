import type { ContainerSpec, PortSpec, RenderedFile } from '../../stack/model.ts';
import { contentOf } from '../../stack/secret.ts';
import { risksOf } from '../../stack/services.ts';
import { configDir } from '../../stack/values/container.ts';
import { toSize } from '../../stack/values/units.ts';
import { andList } from '../../stack/values/words.ts';
import type { ContainerState } from '../engine/engine.ts';
import { hashFiles } from '../state/files-hash.ts';
import { goneNetworks, whyGone } from './connections.ts';
import type { DesiredService } from './desired.ts';
import { manualChanges } from './manual-changes.ts';
import type { Observed, ObservedService } from './observed.ts';
import type { Change } from './plan.ts';

/** The change of one service, and whether its link has to be switched to another release. */
interface Decision {
  readonly change: Change;
  readonly needsSwitch: boolean;
}

/** Compares the desired and the current state of one service. */
export function decide(
  target: DesiredService,
  current: ObservedService | undefined,
  context: {
    readonly network: string;
    readonly networks: Observed['networks'];
    /** Whether the history has a release of the service. */
    readonly isRecorded: boolean;
    /** Whether the linked files are the last confirmed ones by the history, or there is no history. */
    readonly isConfirmed: boolean;
    readonly recreate: boolean;
  },
): Decision {
  const change = (action: Change['action'], ...because: string[]): Change => ({
    service: target.service.name,
    action,
    because,
  });
  if (current === undefined) {
    const why = context.isRecorded ? 'its container is gone' : 'no container yet';
    return { change: change('create', why, ...hostReasons(target.spec)), needsSwitch: target.release !== undefined };
  }
  const filesReason = whyFilesDiffer(target, current);
  const needsSwitch = filesReason !== undefined;
  const recreate = whyRecreate(target, current, context);
  if (recreate.length > 0) {
    const risks = current.spec === undefined ? [] : risksOf(target.service, current.spec, target.spec);
    const plain = change('recreate', ...recreate, ...toList(filesReason), ...hostReasons(target.spec));
    return { change: risks.length === 0 ? plain : { ...plain, risks }, needsSwitch };
  }
  if (current.container.state !== 'running') {
    return { change: change('start', notRunning(current.container.state), ...toList(filesReason)), needsSwitch };
  }
  const changed = filesReason === undefined ? [] : changedPaths(target, current);
  const atStart = changed.filter((path) => target.service.isReadAtStart?.(path) === true);
  if (atStart.length > 0) {
    return { change: change('recreate', `it reads ${andList(atStart, '')} only at startup`), needsSwitch };
  }
  const reread = target.service.reread?.(target.release?.files ?? []);
  if (changed.length > 0 && reread !== undefined && changed.every((path) => reread.matches(path))) {
    const title = target.service.title;
    return {
      change: change(
        'write',
        `${andList(changed, '')} changed: written without a reload, ${title} reads ${changed.length === 1 ? 'it' : 'them'} by itself`,
      ),
      needsSwitch,
    };
  }
  const reloadReason = filesReason ?? whyUnconfirmed(target, context.isConfirmed);
  if (reloadReason !== undefined) {
    const isReloaded = target.service.reload !== undefined;
    const loading = isReloaded
      ? change('reload', reloadReason)
      : change('recreate', reloadReason, 'it reads its files only at startup');
    return { change: loading, needsSwitch };
  }
  if (current.unproven !== undefined) {
    return {
      change: change('reload', `the running server has not loaded its files: ${current.unproven}`),
      needsSwitch,
    };
  }
  const { edits = [] } = current;
  return { change: edits.length > 0 ? change('reload', ...edits) : change('none', 'unchanged'), needsSwitch };
}

function whyRecreate(
  target: DesiredService,
  current: ObservedService,
  { network, networks, recreate }: Pick<Parameters<typeof decide>[2], 'network' | 'networks' | 'recreate'>,
): readonly string[] {
  const { container } = current;
  if (current.specHash !== target.specHash) {
    const reasons = current.spec === undefined ? [] : diffSpec(current.spec, target.spec);
    return reasons.length > 0 ? reasons : ['it was created from a different spec'];
  }
  if (target.imageId !== undefined && container.imageId !== target.imageId) {
    return [`${target.spec.image} now refers to a different image`];
  }
  if (container.state === 'restarting' || container.state === 'dead' || container.state === 'paused') {
    return [notRunning(container.state)];
  }
  const changedByHand = [...manualChanges(current, network), ...goneNetworks(current, network, networks).map(whyGone)];
  if (changedByHand.length > 0) return changedByHand;
  return recreate ? ['requested by --recreate'] : [];
}

function whyFilesDiffer({ release, folder }: DesiredService, current: ObservedService): string | undefined {
  if (release === undefined) return undefined;
  if (current.linked === undefined) return 'it has no files yet';
  if (current.linked !== release.revision)
    return `its files changed: revision ${current.linked} -> ${release.revision}`;
  if (folder !== undefined && current.folder !== folder) return `${configDir} links to a different copy of its files`;
  if (current.filesHash !== hashFiles(release.files)) return 'its files were changed by hand in the config volume';
  return undefined;
}

/** The files in which a release differs from the linked one, among them those that are missing in one of the two. */
function changedPaths({ release }: DesiredService, { files }: ObservedService): readonly string[] {
  if (release === undefined || files === undefined) return [];
  const textOf = ({ mode, content }: RenderedFile): string => `${mode} ${contentOf({ content })}`;
  const before = new Map(files.map((file) => [file.path, textOf(file)]));
  const after = new Map(release.files.map((file) => [file.path, textOf(file)]));
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .sort();
}

/** An interrupted run may have switched files that the server has not loaded; without proofs, it has to load them again. */
function whyUnconfirmed({ service, release }: DesiredService, isConfirmed: boolean): string | undefined {
  if (release === undefined || isConfirmed || service.proofs(release).length > 0) return undefined;
  return 'its files were never confirmed';
}

/** What a new container sees of the host, which no other container of a stack does. */
function hostReasons(spec: ContainerSpec): readonly string[] {
  const text = hostText(spec);
  return text === undefined ? [] : [`it reads the host: ${text}`];
}

function hostText({ host }: ContainerSpec): string | undefined {
  if (host === undefined) return undefined;
  const mounts = host.mounts.map(({ source }) => `${source} read-only`);
  return [...mounts, ...(host.pid ? ['its processes'] : [])].join(', ');
}

const toList = (reason: string | undefined): string[] => (reason === undefined ? [] : [reason]);

/** The reason to start a service that was stopped. */
export const isStopped = 'it is stopped';

function notRunning(state: ContainerState): string {
  if (state === 'created') return 'it was never started';
  return state === 'exited' ? isStopped : `it is ${state}`;
}

/** The differences between two specs: one reason per field. */
export function diffSpec(before: ContainerSpec, after: ContainerSpec): readonly string[] {
  return [
    ...scalar('image', before.image, after.image),
    ...scalar('user', before.user, after.user),
    ...scalar('entrypoint', before.entrypoint?.join(' '), after.entrypoint?.join(' ')),
    ...sets('argument', before.args, after.args),
    ...maps('environment', before.env, after.env),
    ...sets('port', before.ports.map(portText), after.ports.map(portText)),
    ...sets('mount', before.mounts.map(text), after.mounts.map(text)),
    ...sets('tmpfs', before.tmpfs, after.tmpfs),
    ...scalar('memory limit', sizeOf(before.resources.memoryBytes), sizeOf(after.resources.memoryBytes)),
    ...scalar('cpu limit', before.resources.cpus, after.resources.cpus),
    ...maps('label', before.labels, after.labels),
    ...sets('network', before.networks ?? [], after.networks ?? []),
    ...scalar('stop timeout', before.stopTimeoutSeconds, after.stopTimeoutSeconds),
    ...scalar('access to the host', hostText(before), hostText(after)),
  ];
}

function scalar(field: string, before: string | number | undefined, after: string | number | undefined): string[] {
  return before === after ? [] : [`${field} ${before ?? 'unset'} -> ${after ?? 'unset'}`];
}

function sets(field: string, before: readonly string[], after: readonly string[]): string[] {
  const removed = before.filter((item) => !after.includes(item));
  const added = after.filter((item) => !before.includes(item));
  if (removed.length === 0 && added.length === 0) {
    return before.join('\0') === after.join('\0') ? [] : [`order of ${field}s changed`];
  }
  // A flag whose value changed is shown in one line.
  const pairs = removed.map(
    (old) => [old, added.find((item) => flag(item) === flag(old) && flag(old) !== item)] as const,
  );
  const replacements = new Set(pairs.map(([, replacement]) => replacement));
  return [
    ...pairs.map(([old, replacement]) =>
      replacement === undefined ? `${field} ${old} removed` : `${field} ${old} -> ${replacement}`,
    ),
    ...added.filter((item) => !replacements.has(item)).map((item) => `${field} ${item} added`),
  ];
}

const flag = (argument: string): string => argument.split('=')[0] ?? argument;

function maps(
  field: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => scalar(`${field} ${key}`, before[key], after[key]));
}

const sizeOf = (bytes: number | undefined): string | undefined => (bytes === undefined ? undefined : toSize(bytes));

const portText = (port: PortSpec): string => `${port.bind}:${port.host}:${port.container}`;

const text = (value: unknown): string => JSON.stringify(value);
