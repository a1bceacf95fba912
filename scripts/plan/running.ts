import type { StackConfig } from '../../stack/config.ts';
import { findService, serviceOf, servicesOf } from '../../stack/services.ts';
import type { Engine } from '../engine/engine.ts';
import type { Rendering, ServiceRendering } from '../render/rendering.ts';
import { type FoundStack, findContainers, findStack, type StackContainers } from '../state/find-stack.ts';
import { type HistoryEntry, lastConfirmed } from '../state/history.ts';
import { specOf } from '../state/names.ts';
import { currentFolder, readMasked, readRelease } from '../state/release-files.ts';
import { revisionOf } from '../state/release-folder.ts';
import { configOf, type Specs } from './config-of.ts';
import { isOnSwarm, runningOnSwarm } from './swarm/running.ts';

/**
 * The config of a running stack, read from its containers: its name, its services, their images and host ports. All other
 * keys have their defaults.
 */
export async function runningConfig(engine: Engine, stack: string): Promise<StackConfig> {
  if (await isOnSwarm(engine, stack)) return (await runningOnSwarm(engine, stack)).config;
  return configOf(stack, specsOf(await findContainers(engine, stack)));
}

const specsOf = (containers: StackContainers): Specs =>
  new Map([...containers].map(([name, container]) => [name, specOf(container)]));

/** The last confirmed state of a stack, read without its stack.yml: the spec of each container and its files. */
export async function runningStack(engine: Engine, stack: string): Promise<Rendering> {
  if (await isOnSwarm(engine, stack)) return runningOnSwarm(engine, stack);
  const { containers, files, history } = await findStack(engine, stack);
  const last = lastConfirmed(history);
  const recorded = last?.services ?? {};
  const removed = Object.keys(recorded)
    .filter((name) => !containers.has(name))
    .flatMap((name) => findService(name) ?? []);
  const config = configOf(
    stack,
    specsOf(containers),
    removed.map(({ name }) => name),
  );
  const present = servicesOf(config).map(async (service): Promise<ServiceRendering | undefined> => {
    const container = containers.get(service.name);
    const spec = container === undefined ? undefined : specOf(container);
    if (container === undefined || spec === undefined) return undefined;
    const folder = recorded[service.name]?.folder ?? (await currentFolder(files, service.name));
    const release = folder === undefined ? undefined : await readRelease(files, service.name, folder);
    return {
      service,
      container: spec,
      files: release?.files ?? [],
      revision: folder === undefined ? 'unknown' : revisionOf(folder),
      stored: { folder, imageId: container.imageId },
    };
  });
  const absent = removed.map((service): ServiceRendering => {
    return { service, container: { ...service.container(config), image: 'unknown' }, files: [], revision: 'unknown' };
  });
  const all = [...(await Promise.all(present)).filter((service) => service !== undefined), ...absent];
  return { config, folder: '', revision: last?.revision ?? 'unknown', services: all, tests: [] };
}

/**
 * The files of a recorded revision, in the present containers: a stack read back to compare it with another revision. A service
 * whose files are no longer stored is in `lost`.
 */
export async function recordedStack(
  { stack, containers, files }: FoundStack,
  { revision, services: recorded }: HistoryEntry,
): Promise<{ readonly rendering: Rendering; readonly lost: readonly string[] }> {
  const removed = Object.keys(recorded).filter((name) => !containers.has(name));
  const config = configOf(stack, specsOf(containers), removed);
  const all = await Promise.all(
    Object.entries(recorded).map(async ([name, { folder }]): Promise<ServiceRendering | string> => {
      const container = containers.get(name);
      const spec = container && specOf(container);
      const service = spec === undefined ? findService(name) : serviceOf(spec);
      const release = await readRelease(files, name, folder);
      if (service === undefined || release === undefined) return name;
      const masked = await readMasked(files, name, folder);
      return {
        service,
        container: spec ?? { ...service.container(config), image: 'unknown' },
        files: release.files.map((file) => ({ ...file, masked: masked.get(file.path) })),
        revision: revisionOf(folder),
      };
    }),
  );
  const services = all.filter((service) => typeof service !== 'string');
  return {
    rendering: { config, folder: '', revision, services, tests: [] },
    lost: all.filter((service) => typeof service === 'string'),
  };
}
