import type { ContainerSpec } from '../../stack/model.ts';
import { configMount } from '../../stack/values/container.ts';
import type { ArchiveEntry, Engine } from '../engine/engine.ts';
import { configWriterRoot, names } from './names.ts';

/** The files in a stack's config volumes. Paths are relative to a service's volume: `current`, `releases/3f2a`. */
export interface ConfigFiles {
  /**
   * Sets the container of a service: its volume can be read through it without the config volume writer. One that mounts the
   * host's folders is read only if there is no writer: for each file, the engine mounts all of them again.
   */
  locate(service: string, container: string, spec?: Pick<ContainerSpec, 'host'>): void;
  /** Writes entries in their order; paths begin with the service: `prometheus/current`. Empties the `cleared` folders first. */
  write(entries: readonly ArchiveEntry[], cleared?: readonly string[]): Promise<void>;
  /** A file, or a folder with its contents; undefined when it does not exist. Paths begin with the last part of `path`. */
  read(service: string, path: string): Promise<readonly ArchiveEntry[] | undefined>;
  /** Like `read`, but through the config volume writer where there is one: at the same time as from the service's container. */
  readAside(service: string, path: string): Promise<readonly ArchiveEntry[] | undefined>;
  /** The target of a symlink; undefined when there is none. */
  readLink(service: string, path: string): Promise<string | undefined>;
}

/** Uses the engine's archive calls, through the config volume writer or a service's own container. */
export function openConfigFiles(engine: Engine, stack: string): ConfigFiles {
  const writer = names.configWriter(stack);
  const containers = new Map<string, string>();
  const aside = new Set<string>();
  const resolve = (service: string, path: string): readonly [container: string, path: string] => {
    const container = containers.get(service);
    return container === undefined
      ? [writer, `${configWriterRoot}/${service}/${path}`]
      : [container, `${configMount}/${path}`];
  };
  const readAside: ConfigFiles['readAside'] = async (service, path) =>
    (await engine.getFiles(writer, `${configWriterRoot}/${service}/${path}`)) ??
    (containers.has(service) ? await engine.getFiles(...resolve(service, path)) : undefined);
  return {
    locate: (service, container, spec) => {
      containers.set(service, container);
      if (spec?.host !== undefined) aside.add(service);
    },
    write: (entries, cleared = []) => engine.putFiles(writer, configWriterRoot, [...cleared.map(clearing), ...entries]),
    read: (service, path) =>
      aside.has(service) ? readAside(service, path) : engine.getFiles(...resolve(service, path)),
    readAside,
    readLink: async (service, path) => {
      const link = aside.has(service)
        ? await engine.readLink(writer, `${configWriterRoot}/${service}/${path}`)
        : undefined;
      return link ?? (await engine.readLink(...resolve(service, path)));
    },
  };
}

/** The folder in a service's config volume for files to be checked: no server reads it. */
export const checkFolder = 'check';

/** Unpacking a link over a folder removes the folder with its contents, and a folder over the link removes the link. */
export function clearing(path: string): ArchiveEntry {
  return { kind: 'link', path, to: 'nothing', uid: 0, gid: 0 };
}
