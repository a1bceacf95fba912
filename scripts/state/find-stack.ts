import { randomBytes } from 'node:crypto';
import { services } from '../../stack/services.ts';
import { configMount } from '../../stack/values/container.ts';
import type { StackOrigin } from '../config/loaded.ts';
import type { ContainerSummary, Engine } from '../engine/engine.ts';
import { roleLabel, serviceLabel, stackLabel } from '../engine/labels.ts';
import { StackError } from '../util/stack-error.ts';
import { type ConfigFiles, openConfigFiles } from './config-files.ts';
import { type History, lastConfirmed, readHistory } from './history.ts';
import { configWriterRole, names, specOf } from './names.ts';
import { newestVersion } from './newer-version.ts';
import { originOf, renamedFrom } from './origin.ts';

/** The containers of a stack's services, by service, in the order of the data flow. */
export type StackContainers = ReadonlyMap<string, ContainerSummary>;

/** A stack on the engine, read without its stack.yml. */
export interface FoundStack {
  readonly stack: string;
  readonly containers: StackContainers;
  readonly files: ConfigFiles;
  readonly history: History;
  /** The file that it is managed from; undefined when unknown. */
  readonly origin: StackOrigin | undefined;
  /** The newest version of promstack that has changed it; undefined when unknown. */
  readonly newestVersion: string | undefined;
}

/**
 * Finds a stack by its name; a StackError when it does not exist, or has no container to read its history through.
 * `origin` is the file that the name is from.
 */
export async function findStack(engine: Engine, stack: string, origin?: StackOrigin): Promise<FoundStack> {
  const all = await engine.listContainers({ [stackLabel]: stack });
  const containers = servicesAmong(stack, all);
  const files = openConfigFiles(engine, stack);
  for (const [service, container] of containers) files.locate(service, container.id, specOf(container));
  const hasConfigWriter = all.some(({ labels }) => labels[roleLabel] === configWriterRole);
  if (all.length === 0) throw await notFound(engine, stack, origin);
  if (!containers.has(historyOwner) && !hasConfigWriter) {
    throw new StackError({
      doing: `reading the history of the stack ${stack}`,
      why: 'it is in a volume, and no container that mounts the volume exists',
      tryThis: '`promstack up`, which keeps the history',
    });
  }
  const history = await readHistory(files, historyOwner);
  return { stack, containers, files, history, origin: originOf(all), newestVersion: newestVersion(all, history) };
}

/** The service whose config volume stores the history. */
export const historyOwner = services.find(({ storesHistory }) => storesHistory === true)?.name ?? '';

/**
 * The history of a stack that `down` has stopped: only its volumes are left. It is read through a container that is never
 * started and removed again. Undefined when the stack has containers or no such volume, or the engine has no image.
 */
export async function stoppedHistory(engine: Engine, stack: string): Promise<History | undefined> {
  const labels = { [stackLabel]: stack };
  const volume = names.configVolume(stack, historyOwner);
  const [containers, volumes, images] = await Promise.all([
    engine.listContainers(labels),
    engine.listVolumes(labels),
    engine.listImages({}),
  ]);
  const image = images.toSorted((a, b) => a.sizeBytes - b.sizeBytes)[0];
  const isStopped = !containers.some(({ labels: { [roleLabel]: role } }) => role !== 'check');
  if (!isStopped || image === undefined || !volumes.some(({ name }) => name === volume)) return undefined;
  const container = await engine.createHelper({
    name: `${stack}-history-${randomBytes(4).toString('hex')}`,
    image: image.id,
    user: '0:0',
    entrypoint: ['never-started'],
    args: [],
    // Like a check that was interrupted, it is removed by the next `up` if it is left behind.
    labels: { ...labels, [roleLabel]: 'check' },
    mounts: [{ volume, target: configMount, readOnly: true }],
  });
  try {
    const files = openConfigFiles(engine, stack);
    files.locate(historyOwner, container);
    return await readHistory(files, historyOwner);
  } finally {
    await engine.removeContainer(container);
  }
}

/** `stopped, last revision 3f2a9c0d1e4b`. */
export function stoppedText(revision: string | undefined): string {
  return revision === undefined ? 'stopped, without a confirmed revision' : `stopped, last revision ${revision}`;
}

/** Finds the containers of a stack by its name; a StackError that lists the stacks on the engine when there are none. */
export async function findContainers(engine: Engine, stack: string): Promise<StackContainers> {
  const containers = servicesAmong(stack, await engine.listContainers({ [stackLabel]: stack }));
  if (containers.size === 0) throw await notFound(engine, stack);
  return containers;
}

/** The containers of a stack's services among those with its label; it may have none. */
export function servicesAmong(stack: string, all: readonly ContainerSummary[]): StackContainers {
  const order = (service: string): number => {
    const at = services.findIndex(({ name }) => name === service);
    return at === -1 ? services.length : at;
  };
  const entries = all.flatMap((container): [string, ContainerSummary][] => {
    const { [roleLabel]: role, [serviceLabel]: service } = container.labels;
    const isPrimary = service !== undefined && role === 'service' && container.name === names.container(stack, service);
    return isPrimary ? [[service, container]] : [];
  });
  return new Map(entries.sort(([a], [b]) => order(a) - order(b) || (a < b ? -1 : 1)));
}

/** The error for a stack that has no container on the engine. */
export async function notFound(engine: Engine, stack: string, origin?: StackOrigin): Promise<StackError> {
  const doing = `finding the stack ${stack}`;
  const [volumes, containers] = await Promise.all([
    engine.listVolumes({ [stackLabel]: stack }),
    engine.listContainers({}),
  ]);
  const former = renamedFrom(containers, stack, origin);
  if (former !== undefined) {
    const why = `stack.yml runs as the stack ${former}: its name was changed`;
    return new StackError({ doing, why, tryThis: `set \`name: ${former}\` in stack.yml again, or use -p ${former}` });
  }
  // A lock is held by a command such as `rollback`, not by the stack.
  if (volumes.some(({ labels }) => labels[roleLabel] !== 'lock')) {
    const history = await stoppedHistory(engine, stack);
    const state = history === undefined ? '' : `it is ${stoppedText(lastConfirmed(history)?.revision)}: `;
    const why = `${state}only its volumes are on the engine`;
    return new StackError({ doing, why, tryThis: 'promstack up, which keeps the data and the history' });
  }
  const others = [...new Set(containers.flatMap(({ labels }) => labels[stackLabel] ?? []))].sort();
  const list = others.length === 0 ? '' : `, or -p with a stack on the engine: ${others.join(', ')}`;
  return new StackError({ doing, why: 'no stack of that name is on the engine', tryThis: `promstack up${list}` });
}

/** Services whose linked files are not the last confirmed ones: a change was interrupted. */
export async function findUnconfirmed({ containers, files, history }: FoundStack): Promise<readonly string[]> {
  const confirmed = Object.entries(lastConfirmed(history)?.services ?? {}).filter(([name]) => containers.has(name));
  const unconfirmed = await Promise.all(
    confirmed.map(async ([name, { folder }]) =>
      (await files.readLink(name, 'current')) === `releases/${folder}` ? [] : [name],
    ),
  );
  return unconfirmed.flat();
}
