import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Changed, type ChangeOptions, changeStack } from '../../apply/change.ts';
import { startStop } from '../../apply/start-stop.ts';
import { findBelongings } from '../../apply/take-down.ts';
import type { Engine } from '../../engine/engine.ts';
import { ensureImages } from '../../engine/images/ensure.ts';
import { resolvedImages } from '../../engine/images/outcome.ts';
import { stackLabel } from '../../engine/labels.ts';
import { type Desired, toDesired } from '../../plan/desired.ts';
import { openServers } from '../../servers/servers.ts';
import { takeLock } from '../../state/lock.ts';
import { names } from '../../state/names.ts';
import { StackError } from '../../util/stack-error.ts';
import { isNewerImage } from '../adopt.ts';
import { openVolumeHelper, type VolumeHelper } from '../helper.ts';
import { entriesIn, entriesOf } from './archive.ts';
import { decrypt } from './encrypt.ts';
import { addSilences, proveBackup } from './proof.ts';
import type { VerifiedBackup } from './read-backup.ts';
import { switchScript, undoScript } from './switch.ts';
import { uploadEntries, type VolumeEntry } from './upload.ts';

/** A volume of the stack that gets data of the backup. */
interface Target {
  /** The name in the backup: `prometheus-data`. */
  readonly name: string;
  readonly volume: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The user that the data belongs to; undefined to keep the owners of the backup. */
  readonly user: string | undefined;
}

export interface RestoreOptions extends Omit<ChangeOptions, 'command' | 'filesOnly' | 'recreate' | 'hasChanged'> {
  readonly backup: VerifiedBackup;
  /** Decrypts the secrets; without it they are not restored. */
  readonly passphrase: string | undefined;
}

export interface Restored {
  readonly changed: Changed;
  readonly volumes: readonly string[];
  /** Silences that were added again, since the server had not written them before the backup. */
  readonly addedSilences: number;
}

/** The containers of the stack, and its volumes that a backup would replace. */
export async function findReplaced(
  engine: Engine,
  stack: string,
  { header }: VerifiedBackup,
): Promise<{
  readonly containers: readonly string[];
  readonly volumes: readonly string[];
}> {
  const { containers, volumes } = await findBelongings(engine, stack);
  const ours = new Set(header.volumes.map(({ name }) => names.dataVolume(stack, name)));
  return {
    containers: containers.map(({ name }) => name),
    volumes: volumes.map(({ name }) => name).filter((name) => ours.has(name)),
  };
}

/**
 * Puts the data of a backup into the volumes of the stack and starts it; the data of before is only deleted once the servers show all
 * that the backup's manifest lists, and is put back when they do not.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { engine, rendering, backup, report, signal } = options;
  const desired = await toDesiredState(options);
  const { stack } = desired;
  const targets = await findTargets(engine, desired, backup, options.passphrase !== undefined);
  const image = shellImageOf(desired);
  const { passphrase } = options;
  // A wrong passphrase must be known before anything is copied.
  const secrets =
    passphrase === undefined || backup.secrets === undefined ? undefined : decrypt(backup.secrets, passphrase);
  const id = randomBytes(4).toString('hex');
  const lock = { ...options, stack, command: 'restore' };
  // The data is copied beside that of the running servers, which are stopped only when it is complete.
  {
    await using _lock = await takeLock(lock);
    for (const { volume, labels } of targets) await engine.createVolume(volume, labels);
    await stage(options, { stack, image, targets, id, secrets });
  }
  const { containers: before } = await findBelongings(engine, stack);
  const startOrStop = async (verb: 'start' | 'stop', by = signal): Promise<void> => {
    if ((await findBelongings(engine, stack)).containers.length === 0) return;
    await startStop({ ...options, signal: by, stack, origin: rendering.origin, verb, choose: (all) => all });
  };
  // An interrupt must neither end a script halfway, nor the way back.
  const { signal: uninterrupted } = new AbortController();
  const swap = async (script: string): Promise<void> => {
    await using _lock = await takeLock({ ...lock, signal: uninterrupted });
    await using helper = await open(engine, { stack, image, targets, signal: uninterrupted }, script);
    await mustSucceed(helper, 'replacing the data');
  };
  let restored: Omit<Restored, 'volumes'>;
  try {
    await startOrStop('stop');
    await swap(switchScript(id));
    const text = 'the data of before is kept in the volumes until the servers have shown that of the backup';
    report({ kind: 'note', text });
    const changed = await changeStack({ ...options, command: 'restore' });
    const servers = await openServers(engine, rendering.config, signal);
    try {
      const addedSilences = await addSilences(servers, backup.manifest);
      await proveBackup(servers, backup.manifest, options);
      restored = { changed, addedSilences };
    } finally {
      servers.close();
    }
  } catch (error) {
    await startOrStop('stop', uninterrupted);
    await swap(undoScript(id));
    if (before.length > 0) await startOrStop('start', uninterrupted);
    const { why, tryThis } = error instanceof StackError ? error : { why: String(error), tryThis: undefined };
    throw new StackError({
      doing: `restoring ${stack}`,
      why: `${why}; the data of before is in its volumes again${before.length > 0 ? ', and its servers run' : ''}`,
      tryThis,
      cause: error,
    });
  }
  // From here on nothing may be undone: what is deleted is the way back.
  await swap('rm -rf /volumes/*/.promstack-*').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    report({ kind: 'warning', text: `the data of before is left in the volumes until the next restore: ${why}` });
  });
  return { ...restored, volumes: targets.map(({ volume }) => volume) };
}

async function toDesiredState({ engine, rendering, report, signal }: RestoreOptions): Promise<Desired> {
  const { config, services } = rendering;
  const wanted = services.map(({ container }) => ({ service: container.service, reference: container.image }));
  const outcomes = await ensureImages(engine, wanted, config.images, report, signal);
  return toDesired(rendering, resolvedImages(outcomes).imageOf);
}

/** The volumes that get data; refuses data of a newer version, and volumes of others. */
async function findTargets(
  engine: Engine,
  desired: Desired,
  { header, secrets, path }: VerifiedBackup,
  withSecrets: boolean,
): Promise<readonly Target[]> {
  const doing = `restoring the stack ${desired.stack} from ${path}`;
  const data = header.volumes.map(({ name, service, image }): Target => {
    const target = desired.services.find((each) => each.service.name === service);
    const volume = names.dataVolume(desired.stack, name);
    const labels = desired.volumes.find((each) => each.name === volume)?.labels;
    if (target === undefined || labels === undefined) {
      const tryThis = `enable ${service} in stack.yml, as it was when the backup was taken`;
      throw new StackError({ doing, why: `the backup has data of ${service}, which stack.yml does not have`, tryThis });
    }
    if (isNewerImage(image, target.spec.image)) {
      const why = `the data of ${service} is from ${image}, which is newer than ${target.spec.image}`;
      throw new StackError({
        doing,
        why,
        tryThis: `set the image of ${service} in stack.yml to that version or a later one`,
      });
    }
    return { name, volume, labels, user: target.spec.user };
  });
  const configs = desired.services.flatMap(({ service: { name }, volumes }): Target[] => {
    const volume = names.configVolume(desired.stack, name);
    const labels = desired.volumes.find((each) => each.name === volume)?.labels;
    const isRestored = withSecrets && secrets !== undefined && volumes.includes(volume) && labels !== undefined;
    return isRestored ? [{ name: `${name}-config`, volume, labels, user: undefined }] : [];
  });
  const targets = [...data, ...configs];
  for (const { volume } of targets) {
    const found = await engine.findVolume(volume);
    if (found === undefined || found.labels[stackLabel] === desired.stack) continue;
    const owner = found.labels[stackLabel];
    const why = `the volume ${volume} is not part of this stack${owner === undefined ? '' : ` but of ${owner}`}`;
    throw new StackError({ doing, why, tryThis: 'rename or remove it, or restore under another name: --name NAME' });
  }
  return targets;
}

/** An image of the stack with a shell; its servers' own images have one, unless they are built from nothing. */
function shellImageOf({ services, configWriter }: Desired): string {
  const image = configWriter?.image ?? services[0]?.spec.image;
  if (image !== undefined) return image;
  throw new StackError({ doing: 'restoring', why: 'the stack has no services', tryThis: 'enable one in stack.yml' });
}

interface Volumes {
  readonly stack: string;
  readonly image: string;
  readonly targets: readonly Target[];
  readonly signal: AbortSignal;
}

/** A helper that has all volumes below `/volumes`. */
function open(engine: Engine, { stack, image, targets, signal }: Volumes, script: string): Promise<VolumeHelper> {
  const mounts = targets.map(({ name, volume }) => ({ volume, target: `/volumes/${name}`, readOnly: false }));
  return openVolumeHelper(engine, { stack, what: 'restore', image, script, mounts, signal });
}

async function mustSucceed(helper: VolumeHelper, doing: string): Promise<void> {
  const { exitCode, output } = await helper.run();
  if (exitCode === 0) return;
  const why = output === '' ? `its script ended with exit code ${exitCode}` : output;
  throw new StackError({ doing, why, tryThis: 'is there space on the disk of the engine?' });
}

/** Writes the data to a folder in each volume, which nothing reads. */
async function stage(
  { engine, backup, report, clock, signal }: RestoreOptions,
  { id, secrets, ...volumes }: Omit<Volumes, 'signal'> & { readonly id: string; readonly secrets: Buffer | undefined },
): Promise<void> {
  const [step, what] = ['stage', 'copy the data into the volumes'];
  const began = clock.now();
  report({ kind: 'started', id: step, what });
  const owners = volumes.targets
    .filter(({ user }) => user !== undefined)
    .map(({ name, user }) => `chown -R ${user} ${folderIn(name, id)} && chown ${user} /volumes/${name}`);
  const clear = `rm -rf /volumes/*/.promstack-restore-* && mkdir ${volumes.targets.map(({ name }) => folderIn(name, id)).join(' ')}`;
  const first = `[ -d ${folderIn(volumes.targets[0]?.name ?? '', id)} ]`;
  const script = `set -e\nif ${first}; then :\n${owners.join('\n')}\nelse ${clear}\nfi`;
  await using helper = await open(engine, { ...volumes, signal }, script);
  await mustSucceed(helper, 'preparing the volumes');
  const known = new Set(volumes.targets.map(({ name }) => name));
  let bytes = 0;
  const entries = async function* (): AsyncGenerator<VolumeEntry> {
    for await (const { header, content } of entriesOf(backup.path)) {
      const [, volume = '', path = ''] = /^data\/([^/]+)\/(.+)$/.exec(header.name) ?? [];
      if (!known.has(volume)) {
        content.resume();
        continue;
      }
      yield { volume, path, header, content };
      bytes += header.size ?? 0;
      report({ kind: 'progress', id: step, what, detail: `${Math.round(bytes / 1e6)} MB` });
    }
    if (secrets === undefined) return;
    for await (const { header, content } of entriesIn(Readable.from([secrets]))) {
      const [, volume = '', path = ''] = /^[^/]+\/([^/]+)\/(.+)$/.exec(header.name) ?? [];
      if (known.has(volume)) yield { volume, path, header, content };
      else content.resume();
    }
  };
  await uploadEntries(engine, helper.id, (name) => folderIn(name, id), entries());
  await mustSucceed(helper, 'setting the owners of the data');
  report({ kind: 'done', id: step, what, tookMs: clock.now() - began });
}

const folderIn = (volume: string, id: string): string => `/volumes/${volume}/.promstack-restore-${id}`;
