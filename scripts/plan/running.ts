import { type StackConfig, stackSchema } from '../../stack/config.ts';
import { services } from '../../stack/services.ts';
import type { Engine } from '../engine/engine.ts';
import type { Rendering, ServiceRendering } from '../render/rendering.ts';
import { findContainers, findStack, type StackContainers } from '../state/find-stack.ts';
import { lastConfirmed } from '../state/history.ts';
import { specOf } from '../state/names.ts';
import { currentFolder, readRelease } from '../state/release-files.ts';
import { revisionOf } from '../state/release-folder.ts';

/**
 * The config of a running stack, read from its containers: its name, its services, their images and host ports. All other
 * keys have their defaults.
 */
export async function runningConfig(engine: Engine, stack: string): Promise<StackConfig> {
  return configOf(stack, await findContainers(engine, stack));
}

/** `removed` lists services that the stack should have but whose container is gone. */
function configOf(stack: string, containers: StackContainers, removed: readonly string[] = []): StackConfig {
  const defaults: Readonly<Record<string, unknown>> = stackSchema.parse({ name: stack });
  const specs = services.map(({ name }) => {
    const container = containers.get(name);
    return container === undefined ? undefined : specOf(container);
  });
  const sections = services.map(({ name, port }, index): [string, Record<string, unknown>] => {
    const keys = {
      enabled: containers.has(name) || removed.includes(name),
      image: specs[index]?.image,
      port: specs[index]?.ports.find(({ container }) => container === port)?.host,
    };
    // Some services have no key for an image or a port.
    const section = Object.entries(keys).filter(([key, value]) => value !== undefined && key in Object(defaults[name]));
    return [name, Object.fromEntries(section)];
  });
  const bind = specs.flatMap((spec) => spec?.ports ?? [])[0]?.bind;
  return stackSchema.parse({ name: stack, bind, ...Object.fromEntries(sections) });
}

/** The last confirmed state of a stack, read without its stack.yml: the spec of each container and its files. */
export async function runningStack(engine: Engine, stack: string): Promise<Rendering> {
  const { containers, files, history } = await findStack(engine, stack);
  const last = lastConfirmed(history);
  const recorded = last?.services ?? {};
  const removed = services.filter(({ name }) => recorded[name] !== undefined && !containers.has(name));
  const config = configOf(
    stack,
    containers,
    removed.map(({ name }) => name),
  );
  const present = services.map(async (service): Promise<ServiceRendering | undefined> => {
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
