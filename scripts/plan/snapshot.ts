import type { ContainerSpec } from '../../stack/model.ts';
import { services } from '../../stack/services.ts';
import type {
  ArchiveEntry,
  ContainerDetails,
  ContainerSummary,
  Engine,
  NetworkSummary,
  VolumeSummary,
} from '../engine/engine.ts';
import { roleLabel, serviceLabel, stackLabel } from '../engine/labels.ts';
import { archivedFiles, type ConfigFiles } from '../state/config-files.ts';
import { hashFiles } from '../state/files-hash.ts';
import { readRecorded } from '../state/history.ts';
import { names, specOf } from '../state/names.ts';
import type { ReleaseFolder } from '../state/release-folder.ts';
import { hasConfigMount } from './desired.ts';

/** No check takes longer than this to begin once its container is made. */
const checkSeconds = 600;

/** What the engine holds, as far as it concerns one stack, whatever that stack is meant to be. */
export interface EngineSnapshot {
  readonly stack: string;
  /** The way by which the files were read. */
  readonly files: ConfigFiles;
  /** Of the whole engine. */
  readonly containers: readonly ContainerSummary[];
  readonly volumes: readonly VolumeSummary[];
  readonly networks: readonly NetworkSummary[];
  /** The stack's service containers, by service. */
  readonly services: ReadonlyMap<string, ServiceSnapshot>;
  /** Doubles of service containers, and helpers that an interrupted run left behind. */
  readonly strays: readonly ContainerSummary[];
  readonly configWriter: ContainerSummary | undefined;
  /** The revision that was confirmed last; undefined when there is none, or no container by which to look. */
  readonly recorded: Promise<string | undefined>;
}

/** A service's container, and the files in force in its config volume. */
export interface ServiceSnapshot {
  readonly container: ContainerSummary;
  readonly spec: ContainerSpec | undefined;
  /** Absent when the container went away meanwhile. */
  readonly details: Promise<ContainerDetails | undefined>;
  /** The folder below `releases/` that the link in its config volume leads to; undefined when there is none. */
  readonly folder: Promise<ReleaseFolder | undefined>;
  /** Hash of the files in that folder; undefined when there are none. */
  readonly filesHash: Promise<string | undefined>;
}

/** Whether something of the engine is the stack's. */
export function isOf(stack: string, { labels }: { readonly labels: Readonly<Record<string, string>> }): boolean {
  return labels[stackLabel] === stack;
}

/** What is on the engine, whosever it is. */
export type EngineLists = Pick<EngineSnapshot, 'containers' | 'volumes' | 'networks'>;

/** Lists what is on the engine. */
export async function listEngine(engine: Engine): Promise<EngineLists> {
  const [containers, volumes, networks] = await Promise.all([
    engine.listContainers({}),
    engine.listVolumes({}),
    engine.listNetworks({}),
  ]);
  return { containers, volumes, networks };
}

/**
 * Takes stock: one look at the engine, which changes nothing. It resolves before all is there: reading files back is
 * what takes the engine longest.
 */
export async function snapshotEngine(
  engine: Engine,
  stack: string,
  told: { readonly files?: ConfigFiles | undefined; readonly lists?: EngineLists } = {},
): Promise<EngineSnapshot> {
  const { files = archivedFiles(engine, stack), lists = await listEngine(engine) } = told;
  const { containers } = lists;
  const ours = containers.filter((one) => isOf(stack, one));
  const { primary, strays } = byService(stack, ours);
  for (const [name, { id }] of primary) files.locate(name, id);
  const carrier = ours.find((one) => one.labels[roleLabel] === 'carrier');
  const keeper = services.find(({ storesHistory }) => storesHistory === true)?.name ?? '';
  const canRead = primary.has(keeper) || carrier !== undefined;
  return {
    stack,
    files,
    ...lists,
    services: new Map([...primary].map(([name, container]) => [name, stockService(engine, files, name, container)])),
    strays,
    configWriter: carrier,
    recorded: pending(canRead ? readRecorded(files, keeper) : Promise.resolve(undefined)),
  };
}

function stockService(engine: Engine, files: ConfigFiles, name: string, container: ContainerSummary): ServiceSnapshot {
  const spec = specOf(container);
  const hasFiles = spec !== undefined && hasConfigMount(spec);
  const folder = pending(hasFiles ? readFolder(files, name) : Promise.resolve(undefined));
  const filesHash = pending(folder.then((found) => (found === undefined ? undefined : readHash(files, name, found))));
  return { container, spec, folder, filesHash, details: pending(engine.inspectContainer(container.id)) };
}

/** The folder below `releases/` that the link in a service's config volume leads to; undefined when there is none. */
export async function readFolder(files: ConfigFiles, name: string): Promise<ReleaseFolder | undefined> {
  return (await files.readLink(name, 'current'))?.replace(/^releases\//, '');
}

async function readHash(files: ConfigFiles, name: string, folder: ReleaseFolder): Promise<string | undefined> {
  const entries = await files.read(name, `releases/${folder}`);
  return entries === undefined ? undefined : hashEntries(entries);
}

/** Whoever waits for it is told of its failure; until then nobody does. */
function pending<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

/** The container a service is known by, and every other one; the same choice whatever order the engine lists them in. */
function byService(stack: string, containers: readonly ContainerSummary[]) {
  const primary = new Map<string, ContainerSummary>();
  const strays: ContainerSummary[] = [];
  for (const container of containers.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    const role = container.labels[roleLabel];
    if (role === 'check' && isLeftOver(container)) strays.push(container);
    if (role !== 'service') continue;
    const service = container.labels[serviceLabel] ?? '';
    if (container.name === names.container(stack, service)) primary.set(service, container);
    else strays.push(container);
  }
  return { primary, strays };
}

/** Checks run without the lock: one that is under way is not to be taken for what a dead one left behind. */
function isLeftOver({ state, createdAt }: ContainerSummary): boolean {
  if (state === 'running') return false;
  return state === 'exited' || state === 'dead' || Date.now() / 1_000 - createdAt > checkSeconds;
}

const knownHashes = new WeakMap<readonly ArchiveEntry[], string>();

/** Hash of a release folder as it is read: the folder's own name is not part of it, a link in it is, though no release has one. */
export function hashEntries(entries: readonly ArchiveEntry[]): string {
  const known = knownHashes.get(entries);
  if (known !== undefined) return known;
  const hash = hashFiles(
    entries.flatMap((entry) => {
      const path = entry.path.split('/').slice(1).join('/');
      if (entry.kind === 'directory') return [];
      return [entry.kind === 'file' ? { ...entry, path } : { path, mode: 0, content: `-> ${entry.to}` }];
    }),
  );
  knownHashes.set(entries, hash);
  return hash;
}
