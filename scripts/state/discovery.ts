import type { StackConfig } from '../../stack/config.ts';
import { discoveredFolder } from '../../stack/discovery/job.ts';
import {
  type Discovered,
  discoverTargets,
  isLabelled,
  type ScrapableContainer,
} from '../../stack/discovery/targets.ts';
import type { Service } from '../../stack/service.ts';
import { enabledServices } from '../../stack/services.ts';
import type { ArchiveEntry, ContainerSummary, Engine } from '../engine/engine.ts';
import { stackLabel } from '../engine/labels.ts';
import { mapLimit } from '../util/map-limit.ts';
import { openConfigFiles } from './config-files.ts';
import { names } from './names.ts';

/**
 * The files that the targets are written to, all of them to each. The archive API deletes a file before it writes it again:
 * one after the other, one of them is always whole, and Prometheus scrapes a target of both once.
 */
const targetFiles = ['targets.json', 'targets-copy.json'] as const;

/** The service that scrapes discovered targets; undefined when none does. */
export function discoveringService(config: StackConfig): Service | undefined {
  return enabledServices(config).find(({ discoversTargets }) => discoversTargets?.(config));
}

/** The archive entry of the folder of the targets: a server watches only a folder that exists. */
export function discoveredFolderEntry(service: string): ArchiveEntry {
  return { kind: 'directory', path: `${service}/${discoveredFolder}`, mode: 0o755, uid: 0, gid: 0 };
}

/** The targets among the containers of an engine, compared with those that the server of the stack reads. */
export interface FoundTargets extends Discovered {
  /** The instances that it does not read yet, and those that are no longer there. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Whether its files are as they are to be. */
  readonly isWritten: boolean;
}

/** How many containers are inspected at once. */
const inspected = 8;

/** Looks for the targets of a stack; undefined when it discovers none, or the server that scrapes them has no container. */
export async function findTargets(engine: Engine, config: StackConfig): Promise<FoundTargets | undefined> {
  const service = discoveringService(config);
  if (service === undefined) return undefined;
  const containers = await engine.listContainers({});
  const isOwn = ({ labels }: ContainerSummary): boolean => labels[stackLabel] === config.name;
  const server = containers.find(
    (container) => isOwn(container) && container.name === names.container(config.name, service.name),
  );
  if (server === undefined) return undefined;
  const labelled = containers.filter((container) => isLabelled(container) && !isOwn(container));
  const scrapable = await mapLimit(labelled, inspected, async (container): Promise<ScrapableContainer> => {
    const { exposedPorts = [], networkMode = '' } = (await engine.inspectContainer(container.id)) ?? {};
    const [, owner] = /^container:(.+)$/.exec(networkMode) ?? [];
    if (owner === undefined) {
      // Podman lists no network for it.
      const networks = networkMode === 'host' ? ['host'] : container.networks;
      return { ...container, networks, exposedPorts, hostname: container.name };
    }
    const { name, networks, hostPorts } = containers.find(({ id }) => id === owner) ?? {};
    return { ...container, networks: networks ?? [], hostPorts: hostPorts ?? [], exposedPorts, hostname: name ?? '' };
  });
  const discovered = discoverTargets(scrapable, server.networks, config);

  const files = openConfigFiles(engine, config.name);
  files.locate(service.name, server.id);
  const entries = (await files.read(service.name, discoveredFolder)) ?? [];
  const written = targetFiles.map((name) => {
    const file = entries.find(({ path }) => path === `${discoveredFolder}/${name}`);
    return file?.kind === 'file' ? file.content.toString('utf8') : '';
  });
  const content = contentOf(discovered);
  const before = instancesIn(written[0] ?? '');
  const now = instancesIn(content);
  return {
    ...discovered,
    added: now.filter((instance) => !before.includes(instance)),
    removed: before.filter((instance) => !now.includes(instance)),
    isWritten: written.every((text) => text === content),
  };
}

/** Writes the targets for the server to read; it does so by itself, without a reload. */
export async function writeTargets(engine: Engine, config: StackConfig, found: FoundTargets): Promise<void> {
  const service = discoveringService(config);
  if (service === undefined || found.isWritten) return;
  const content = Buffer.from(contentOf(found));
  await openConfigFiles(engine, config.name).write([
    discoveredFolderEntry(service.name),
    ...targetFiles.map((name): ArchiveEntry => {
      const path = `${service.name}/${discoveredFolder}/${name}`;
      return { kind: 'file', path, content, mode: 0o444, uid: 0, gid: 0 };
    }),
  ]);
}

const contentOf = ({ groups }: Discovered): string => `${JSON.stringify(groups, undefined, 2)}\n`;

const instancesIn = (text: string): readonly string[] =>
  [...text.matchAll(/^ *"instance": "(.*)"/gm)].map(([, instance = '']) => instance);
