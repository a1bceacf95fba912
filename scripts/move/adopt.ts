import type { ContainerSpec } from '../../stack/model.ts';
import { andList } from '../../stack/values/words.ts';
import type { Engine } from '../engine/engine.ts';
import type { Desired } from '../plan/desired.ts';
import { misuse } from '../util/misuse.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import { openVolumeHelper } from './helper.ts';

/** An existing volume and the service of the stack that gets a copy of it. */
export interface Adoption {
  readonly volume: string;
  readonly service: string;
}

/** Reads `VOLUME=SERVICE`. */
export function parseAdoption(text: string): Adoption {
  const [, volume, service] = /^([\w][\w.-]*)=([a-z0-9][a-z0-9-]*)$/.exec(text) ?? [];
  if (volume === undefined || service === undefined) {
    throw new InputError([misuse(`--adopt ${text} is not VOLUME=SERVICE`, 'such as shop_prometheus_data=prometheus')]);
  }
  return { volume, service };
}

/** The data volume of a service, with the labels to create it with. */
interface Target {
  readonly volume: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: ContainerSpec;
}

/** Refuses a volume that cannot be copied: one that does not exist or that a container uses, or one of a newer version. */
export async function checkAdoption(engine: Engine, adoption: Adoption, image: string | undefined): Promise<void> {
  const { volume } = adoption;
  const refuse = (why: string, tryThis: string): never => {
    throw new StackError({ doing: `adopting the volume ${volume}`, why, tryThis });
  };
  if ((await engine.findVolume(volume)) === undefined) {
    refuse(
      'it does not exist on the engine',
      'docker volume ls lists the volumes; compose puts the name of the project first',
    );
  }
  const users = await engine.listContainersOf(volume);
  const active = users.filter(({ state }) => ['running', 'paused', 'restarting'].includes(state));
  if (active.length > 0) {
    const names = active.map(({ name }) => name);
    refuse(`${andList(names, '')} ${names.length === 1 ? 'uses' : 'use'} it`, `docker stop ${names.join(' ')}`);
  }
  const newer = users.find((user) => image !== undefined && isNewerImage(user.image, image));
  if (newer !== undefined) {
    const tryThis = `set the image of ${adoption.service} in stack.yml to that version or a later one`;
    refuse(`its data is from ${newer.image}, which is newer than ${image}`, tryThis);
  }
}

/** Whether data of one image is of a later version than another image; images without versions in their tags are not compared. */
export function isNewerImage(before: string, image: string): boolean {
  const [old, now] = [versionOf(before), versionOf(image)];
  if (old === undefined || now === undefined) return false;
  const at = old.findIndex((part, index) => part !== (now[index] ?? 0));
  return at !== -1 && (old[at] ?? 0) > (now[at] ?? 0);
}

function versionOf(image: string): readonly number[] | undefined {
  const [, version] = /:v?(\d+(?:\.\d+)+)/.exec(image) ?? [];
  return version?.split('.').map(Number);
}

/** Refuses several volumes for one service. */
export function checkServices(adoptions: readonly Adoption[]): void {
  const twice = adoptions.find(({ service }, at) => adoptions.findIndex((other) => other.service === service) < at);
  if (twice === undefined) return;
  const names = adoptions.filter(({ service }) => service === twice.service).map(({ volume }) => volume);
  const message = `--adopt names ${names.length} volumes for ${twice.service}: ${andList(names, '')}`;
  throw new InputError([misuse(message, 'its data is in one volume: name that')]);
}

/** Copies volumes to the data volumes of their services, which must not exist yet; all are checked before the first is copied. */
export async function adopt(
  engine: Engine,
  desired: Desired,
  adoptions: readonly Adoption[],
  { signal, onCopied }: { readonly signal: AbortSignal; onCopied(adoption: Adoption, as: string): void },
): Promise<void> {
  const targets = adoptions.map((adoption) => ({ adoption, target: targetOf(desired, adoption) }));
  for (const { adoption, target } of targets) {
    const { volume, spec } = target;
    if ((await engine.findVolume(volume)) !== undefined) {
      throw new StackError({
        doing: `adopting the volume ${adoption.volume}`,
        why: `the stack has a volume ${volume} already`,
        tryThis: `to replace its data, take the stack down, and remove it with docker volume rm ${volume}`,
      });
    }
    await checkAdoption(engine, adoption, spec.image);
  }
  for (const { adoption, target } of targets) {
    const { volume, labels, spec } = target;
    let isDone = false;
    await engine.createVolume(volume, labels);
    try {
      await copy(engine, desired.stack, { from: adoption.volume, to: volume, spec }, signal);
      isDone = true;
    } finally {
      if (!isDone) await engine.removeVolume(volume);
    }
    onCopied(adoption, volume);
  }
}

function targetOf({ services, volumes }: Desired, adoption: Adoption): Target {
  const service = services.find((candidate) => candidate.service.name === adoption.service);
  const at = service?.spec.mounts.findIndex(({ kind }) => kind === 'data') ?? -1;
  const own = service?.volumes[at];
  const labels = volumes.find((candidate) => candidate.name === own)?.labels;
  if (service === undefined || own === undefined || labels === undefined) {
    throw noData(
      adoption,
      services.map((candidate) => candidate.spec),
    );
  }
  return { volume: own, labels, spec: service.spec };
}

/** The error for a service that the stack does not have, or that has no data. */
export function noData({ volume, service }: Adoption, specs: readonly ContainerSpec[]): InputError {
  const known = specs.filter(({ mounts }) => mounts.some(({ kind }) => kind === 'data')).map((spec) => spec.service);
  const hint = `services with data are ${andList(known, 'none')}`;
  return new InputError([misuse(`--adopt ${volume}=${service}: the stack has no service ${service} with data`, hint)]);
}

/** Only the copy has the owner of the service; a lock of the server that used the data is left out. */
const script = 'cp -a /from/. /to/ && rm -f /to/lock && chown -R "$1" /to';

async function copy(
  engine: Engine,
  stack: string,
  { from, to, spec }: { readonly from: string; readonly to: string; readonly spec: ContainerSpec },
  signal: AbortSignal,
): Promise<void> {
  const mounts = [
    { volume: from, target: '/from', readOnly: true },
    { volume: to, target: '/to', readOnly: false },
  ];
  const request = { stack, what: 'adopt', image: spec.image, script, args: [spec.user], mounts, signal };
  await using helper = await openVolumeHelper(engine, request);
  const { exitCode, output } = await helper.run();
  if (exitCode === 0) return;
  const why = output.split('\n').at(-1) || `the copy ended with exit code ${exitCode}`;
  const tryThis = 'is there enough space on the disk?';
  throw new StackError({ doing: `copying the volume ${from} to ${to}`, why, tryThis });
}
