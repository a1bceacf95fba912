import type { ContainerSpec, PortSpec } from '../../stack/model.ts';
import { risksOf } from '../../stack/services.ts';
import { configDir } from '../../stack/values/container.ts';
import { toSize } from '../../stack/values/units.ts';
import { hashFiles } from '../state/files-hash.ts';
import type { DesiredService } from './desired.ts';
import { manualChanges } from './manual-changes.ts';
import type { ObservedService } from './observed.ts';
import type { Change } from './plan.ts';

/** What happens to one service, and whether its link has to be switched to another release. */
interface Decision {
  readonly change: Change;
  readonly needsSwitch: boolean;
}

/** Decides about one service by what it is meant to be and what it is. */
export function decide(
  wanted: DesiredService,
  found: ObservedService | undefined,
  about: {
    readonly network: string;
    /** Whether the history says that the service ran. */
    readonly isRecorded: boolean;
    /** Whether the files in place are those that the history names as confirmed last, or the history does not say. */
    readonly isConfirmed: boolean;
    readonly recreate: boolean;
  },
): Decision {
  const change = (action: Change['action'], ...because: string[]): Change => ({
    service: wanted.service.name,
    action,
    because,
  });
  if (found === undefined) {
    const why = about.isRecorded ? 'its container is gone' : 'no container yet';
    return { change: change('create', why), needsSwitch: wanted.release !== undefined };
  }
  const filesMoved = whyFilesMove(wanted, found);
  const needsSwitch = filesMoved !== undefined;
  const recreate = whyRecreate(wanted, found, about);
  if (recreate.length > 0) {
    const risks = found.spec === undefined ? [] : risksOf(wanted.service, found.spec, wanted.spec);
    const plain = change('recreate', ...recreate, ...listed(filesMoved));
    return { change: risks.length === 0 ? plain : { ...plain, risks }, needsSwitch };
  }
  if (found.container.state !== 'running') {
    return { change: change('start', `it is ${inWords(found.container.state)}`, ...listed(filesMoved)), needsSwitch };
  }
  const newToIt = filesMoved ?? whyUnconfirmed(wanted, about.isConfirmed);
  if (newToIt !== undefined) {
    const isReloaded = wanted.service.reload !== undefined;
    const how = isReloaded
      ? change('reload', newToIt)
      : change('recreate', newToIt, 'it reads its files only when it starts');
    return { change: how, needsSwitch };
  }
  if (found.unproven !== undefined) {
    return { change: change('reload', `the running server is behind its files: ${found.unproven}`), needsSwitch };
  }
  return { change: change('none', 'unchanged'), needsSwitch };
}

function whyRecreate(
  wanted: DesiredService,
  found: ObservedService,
  { network, recreate }: { readonly network: string; readonly recreate: boolean },
): readonly string[] {
  const { container } = found;
  if (found.specHash !== wanted.specHash) {
    const reasons = found.spec === undefined ? [] : diffSpec(found.spec, wanted.spec);
    return reasons.length > 0 ? reasons : ['it was created from a different spec'];
  }
  if (wanted.imageId !== undefined && container.imageId !== wanted.imageId) {
    return [`${wanted.spec.image} is a different image now`];
  }
  if (container.state === 'restarting' || container.state === 'dead' || container.state === 'paused') {
    return [`it is ${inWords(container.state)}`];
  }
  const altered = manualChanges(found, network);
  if (altered.length > 0) return altered;
  return recreate ? ['requested by --recreate'] : [];
}

function whyFilesMove({ release, folder }: DesiredService, found: ObservedService): string | undefined {
  if (release === undefined) return undefined;
  if (found.linked === undefined) return 'it has no files yet';
  if (found.linked !== release.revision) return `its files changed: revision ${found.linked} -> ${release.revision}`;
  if (folder !== undefined && found.folder !== folder) return `${configDir} leads to another copy of its files`;
  if (found.filesHash !== hashFiles(release.files)) return 'its files were changed by hand in the config volume';
  return undefined;
}

/** A run that was cut short may have put files in place without the server; one that cannot be asked what it runs has to read them. */
function whyUnconfirmed({ service, release }: DesiredService, isConfirmed: boolean): string | undefined {
  if (release === undefined || isConfirmed || service.proofs(release).length > 0) return undefined;
  return 'its files were never confirmed';
}

const listed = (reason: string | undefined): string[] => (reason === undefined ? [] : [reason]);

const inWords = (state: ObservedService['container']['state']): string =>
  state === 'exited' ? 'stopped' : state === 'created' ? 'created but was never started' : state;

/** How a container's spec differs from the desired one: one reason a field. */
function diffSpec(before: ContainerSpec, after: ContainerSpec): readonly string[] {
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
    ...scalar('stop timeout', before.stopTimeoutSeconds, after.stopTimeoutSeconds),
  ];
}

function scalar(field: string, before: string | number | undefined, after: string | number | undefined): string[] {
  return before === after ? [] : [`${field} ${before ?? 'unset'} -> ${after ?? 'unset'}`];
}

function sets(field: string, before: readonly string[], after: readonly string[]): string[] {
  const gone = before.filter((one) => !after.includes(one));
  const come = after.filter((one) => !before.includes(one));
  if (gone.length === 0 && come.length === 0) {
    return before.join('\0') === after.join('\0') ? [] : [`order of ${field}s changed`];
  }
  // A flag that only changed its value reads better as one line.
  const pairs = gone.map(
    (one) => [one, come.find((other) => flag(other) === flag(one) && flag(one) !== other)] as const,
  );
  const paired = new Set(pairs.map(([, other]) => other));
  return [
    ...pairs.map(([one, other]) => (other === undefined ? `${field} ${one} removed` : `${field} ${one} -> ${other}`)),
    ...come.filter((one) => !paired.has(one)).map((one) => `${field} ${one} added`),
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
