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
 * Links to the file with the targets, in the order they are written. The archive API deletes a link before it writes it again: one
 * of the two is always there, and Prometheus scrapes a target of both once.
 */
const links = ['targets.json', 'targets-copy.json'] as const;

/** The two folders of that file: it is written to the one that no link points to, so that no half of it is ever read. */
const slots = ['1', '2'] as const;

const fileIn = (slot: string): string => `${slot}/targets.json`;

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
  /** Whether the server reads exactly these. */
  readonly isWritten: boolean;
  /** The folder for a new file. */
  readonly freeSlot: string;
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
  const linked = links.map((name) => {
    const link = entries.find(({ path }) => path === `${discoveredFolder}/${name}`);
    return link?.kind === 'link' ? link.to : undefined;
  });
  const file = entries.find(({ path }) => path === `${discoveredFolder}/${linked[0]}`);
  const written = file?.kind === 'file' ? file.content.toString('utf8') : '';
  const content = contentOf(discovered);
  const [before, now] = [instancesIn(written), instancesIn(content)];
  return {
    ...discovered,
    added: now.filter((instance) => !before.includes(instance)),
    removed: before.filter((instance) => !now.includes(instance)),
    isWritten: written === content && linked.every((target) => target === linked[0]),
    freeSlot: slots.find((slot) => !linked.includes(fileIn(slot))) ?? slots[0],
  };
}

/** Writes the targets for the server to read; it does so by itself, without a reload. */
export async function writeTargets(engine: Engine, config: StackConfig, found: FoundTargets): Promise<void> {
  const service = discoveringService(config);
  if (service === undefined || found.isWritten) return;
  const root = { uid: 0, gid: 0 } as const;
  const folder = `${service.name}/${discoveredFolder}`;
  const file = fileIn(found.freeSlot);
  await openConfigFiles(engine, config.name).write([
    discoveredFolderEntry(service.name),
    { kind: 'directory', path: `${folder}/${found.freeSlot}`, mode: 0o755, ...root },
    { kind: 'file', path: `${folder}/${file}`, content: Buffer.from(contentOf(found)), mode: 0o444, ...root },
    ...links.map((name): ArchiveEntry => ({ kind: 'link', path: `${folder}/${name}`, to: file, ...root })),
  ]);
}

const contentOf = ({ groups }: Discovered): string => `${JSON.stringify(groups, undefined, 2)}\n`;

const instancesIn = (text: string): readonly string[] =>
  [...text.matchAll(/^ *"instance": "(.*)"/gm)].map(([, instance = '']) => instance);
