import type { ContainerSpec, HttpResponse } from '../../stack/model.ts';
import { archivedFiles, type ConfigFiles } from '../apply/config-files.ts';
import type { Reach } from '../confirm/reach.ts';
import type { ArchiveEntry, ContainerSummary, Engine } from '../engine/engine.ts';
import { roleLabel, serviceLabel, specHashLabel, specLabel, stackLabel } from '../engine/labels.ts';
import { lastConfirmed, readHistory } from '../history/history.ts';
import { withDeadline } from '../util/with-deadline.ts';
import type { Desired, DesiredService } from './desired.ts';
import { hashFiles } from './files-hash.ts';
import { keeperOf } from './keeper.ts';
import { names } from './names.ts';
import type { Foreign, Observed, ObservedService } from './observed.ts';
import { revisionOf } from './release-folder.ts';

/** How long a server may take to answer while the engine is looked at; a hanging one counts as not proven. */
const askMs = 2_000;
/** How long the whole look may take: it is a matter of part of a second. */
const lookMs = 120_000;
/** No check takes longer than this to begin once its container is made. */
const checkSeconds = 600;

/** Takes the snapshot of everything that concerns one stack. */
export function observe(
  engine: Engine,
  desired: Desired,
  reach: Reach,
  files: ConfigFiles = archivedFiles(engine, desired.stack),
): Promise<Observed> {
  return withDeadline('looking at the engine', lookMs, look(engine, desired, reach, files));
}

async function look(engine: Engine, desired: Desired, reach: Reach, files: ConfigFiles): Promise<Observed> {
  const { stack } = desired;
  const [containers, volumes, networks] = await Promise.all([
    engine.listContainers({}),
    engine.listVolumes({}),
    engine.listNetworks({}),
  ]);
  const isOurs = (one: { labels: Readonly<Record<string, string>> }): boolean => one.labels[stackLabel] === stack;
  const { primary, strays } = byService(stack, containers.filter(isOurs));
  const wanted = new Map(desired.services.map((one) => [one.service.name, one]));
  for (const [name, { id }] of primary) files.place(name, id);
  const carrier = containers.find((one) => isOurs(one) && one.labels[roleLabel] === 'carrier');
  const keeper = keeperOf(desired);
  const canRead = keeper !== undefined && (primary.has(keeper) || carrier !== undefined);
  const [history, services] = await Promise.all([
    canRead ? readHistory(files, keeper) : [],
    Promise.all(
      [...primary].map(
        async ([name, container]): Promise<[string, ObservedService]> => [
          name,
          await observeService(engine, container, wanted.get(name), reach, files),
        ],
      ),
    ),
  ]);
  return {
    stack,
    history,
    recorded: lastConfirmed(history)?.revision,
    services: new Map(services),
    strays,
    carrier,
    network: networks.find((one) => one.name === names.network(stack) && isOurs(one)),
    volumes: new Set(volumes.filter(isOurs).map((one) => one.name)),
    foreign: [
      ...foreigners('container', neededContainers(desired), containers, stack),
      ...foreigners(
        'volume',
        desired.volumes.map((one) => one.name),
        volumes,
        stack,
      ),
      ...foreigners('network', [names.network(stack)], networks, stack),
    ],
    portHolders: new Map(containers.flatMap((one) => one.hostPorts.map((port) => [port, one] as const))),
  };
}

/** The spec a container was made from, read back from its label. */
export function specOf(container: ContainerSummary): ContainerSpec | undefined {
  try {
    return JSON.parse(container.labels[specLabel] ?? '') as ContainerSpec;
  } catch {
    return undefined;
  }
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

async function observeService(
  engine: Engine,
  container: ContainerSummary,
  wanted: DesiredService | undefined,
  reach: Reach,
  files: ConfigFiles,
): Promise<ObservedService> {
  const spec = specOf(container);
  reach.place(container.labels[serviceLabel] ?? '', { container: container.id, ports: spec?.ports ?? [] });
  const looking = engine.inspectContainer(container.id);
  const specHash = container.labels[specHashLabel];
  if (wanted?.release === undefined) {
    return {
      container,
      specHash,
      spec,
      details: await looking,
      folder: undefined,
      linked: undefined,
      filesHash: undefined,
      unproven: undefined,
    };
  }
  const { name } = wanted.service;
  const [details, target, unproven] = await Promise.all([
    looking,
    files.readLink(name, 'current'),
    container.state === 'running' ? askProofs(wanted, reach) : undefined,
  ]);
  const base = { container, specHash, spec, details };
  const folder = target?.replace(/^releases\//, '');
  if (folder === undefined) return { ...base, folder, linked: undefined, filesHash: undefined, unproven };
  const entries = await files.read(name, `releases/${folder}`);
  const filesHash = entries === undefined ? undefined : hashEntries(entries);
  return { ...base, folder, linked: revisionOf(folder), filesHash, unproven };
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

/** Asks each proof once; the first that does not hold says why. */
async function askProofs({ service, release }: DesiredService, reach: Reach): Promise<string | undefined> {
  if (release === undefined) return undefined;
  const verdicts = await Promise.all(
    service.proofs(release).map(async (proof) => {
      const answer = await reach.request(service.name, proof.request, { timeoutMs: askMs }).catch(unanswered);
      const verdict = proof.judge(answer);
      return verdict.kind === 'proven' ? undefined : verdict.because;
    }),
  );
  return verdicts.find((because) => because !== undefined);
}

const unanswered = (): HttpResponse => ({ status: 0, body: '' });

function neededContainers(desired: Desired): string[] {
  return [...desired.services.map((one) => one.name), names.carrier(desired.stack)];
}

function foreigners(
  kind: Foreign['kind'],
  needed: readonly string[],
  present: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[],
  stack: string,
): Foreign[] {
  return present
    .filter((one) => needed.includes(one.name) && one.labels[stackLabel] !== stack)
    .map((one) => ({ kind, name: one.name, owner: ownerOf(one.labels) }));
}

function ownerOf(labels: Readonly<Record<string, string>>): string {
  const stack = labels[stackLabel];
  if (stack !== undefined) return `it belongs to the stack ${stack}`;
  const project = labels['com.docker.compose.project'];
  if (project !== undefined) return `it belongs to the compose project ${project}`;
  return 'it was not made by promstack';
}
