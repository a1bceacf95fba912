import type { HttpResponse } from '../../stack/model.ts';
import type { Engine } from '../engine/engine.ts';
import { specHashLabel, stackLabel } from '../engine/labels.ts';
import type { ConfigFiles } from '../state/config-files.ts';
import { type HistoryEntry, lastConfirmed, readHistory } from '../state/history.ts';
import { names } from '../state/names.ts';
import { revisionOf } from '../state/release-folder.ts';
import type { ServiceClient } from '../state/service-client.ts';
import { withDeadline } from '../util/with-deadline.ts';
import { type Desired, type DesiredService, historyService } from './desired.ts';
import type { NameConflict, Observed, ObservedService } from './observed.ts';
import { type EngineSnapshot, isOf, type ServiceSnapshot, snapshotEngine } from './snapshot.ts';

/** How long a server may take to answer while the engine is looked at; a hanging one counts as not proven. */
const askMs = 2_000;
/** How long the whole look may take: it is a matter of part of a second. */
const lookMs = 120_000;

/** Which servers are asked what they run. */
export type ProofScope =
  /** Those that do not get other files anyway, whatever they answer. */
  'unmoved' | 'all';

/** Takes the snapshot of everything that concerns one stack. */
export function observe(
  engine: Engine,
  desired: Desired,
  reach: ServiceClient,
  { files, asked = 'unmoved' }: { readonly files?: ConfigFiles; readonly asked?: ProofScope } = {},
): Promise<Observed> {
  const look = async (): Promise<Observed> => {
    const stock = await snapshotEngine(engine, desired.stack, { files });
    const [history, services] = await Promise.all([
      historyOf(stock, desired),
      observeServices(stock, desired, reach, asked),
    ]);
    return { ...compare(stock, desired), services, history, recorded: lastConfirmed(history)?.revision };
  };
  return withDeadline('looking at the engine', lookMs, look());
}

/**
 * The same without the history, which is enough to see that there is nothing to do. When there is something, decide by a
 * whole look.
 */
export function observeBriefly(stock: EngineSnapshot, desired: Desired, reach: ServiceClient): Promise<Observed> {
  const look = async (): Promise<Observed> => {
    const [services, recorded] = await Promise.all([observeServices(stock, desired, reach, 'unmoved'), stock.recorded]);
    return { ...compare(stock, desired), services, history: [], recorded };
  };
  return withDeadline('looking at the engine', lookMs, look());
}

async function historyOf(
  { services, configWriter, files }: EngineSnapshot,
  desired: Desired,
): Promise<readonly HistoryEntry[]> {
  const keeper = historyService(desired);
  const canRead = keeper !== undefined && (services.has(keeper) || configWriter !== undefined);
  return canRead ? readHistory(files, keeper) : [];
}

/** What needs no further question. */
function compare(
  { stack, strays, configWriter, containers, volumes, networks }: EngineSnapshot,
  desired: Desired,
): Omit<Observed, 'services' | 'history' | 'recorded'> {
  return {
    stack,
    strays,
    configWriter,
    network: networks.find((one) => one.name === names.network(stack) && isOf(stack, one)),
    volumes: new Set(volumes.filter((one) => isOf(stack, one)).map((one) => one.name)),
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
    portHolders: containers.filter(({ hostPorts }) => hostPorts.length > 0),
  };
}

async function observeServices(
  { services }: EngineSnapshot,
  desired: Desired,
  reach: ServiceClient,
  asked: ProofScope,
): Promise<ReadonlyMap<string, ObservedService>> {
  const wanted = new Map(desired.services.map((one) => [one.service.name, one]));
  return new Map(
    await Promise.all(
      [...services].map(
        async ([name, found]): Promise<[string, ObservedService]> => [
          name,
          await observeService(name, found, wanted.get(name), reach, asked),
        ],
      ),
    ),
  );
}

async function observeService(
  name: string,
  { container, spec, details, folder, filesHash }: ServiceSnapshot,
  wanted: DesiredService | undefined,
  reach: ServiceClient,
  asked: ProofScope,
): Promise<ObservedService> {
  reach.locate(name, { container: container.id, ports: spec?.ports ?? [] });
  const base = { container, specHash: container.labels[specHashLabel], spec };
  if (wanted?.release === undefined) {
    const none = { folder: undefined, linked: undefined, filesHash: undefined, unproven: undefined };
    return { ...base, details: await details, ...none };
  }
  const proving = async (): Promise<string | undefined> => {
    if (container.state !== 'running') return undefined;
    const linked = asked === 'all' ? undefined : await folder;
    const moves = linked !== undefined && revisionOf(linked) !== wanted.release?.revision;
    return moves ? undefined : askProofs(wanted, reach);
  };
  const [inspected, at, hash, unproven] = await Promise.all([details, folder, filesHash, proving()]);
  const linked = at === undefined ? undefined : revisionOf(at);
  return { ...base, details: inspected, folder: at, linked, filesHash: hash, unproven };
}

/** Asks each proof once; the first that does not hold says why. */
async function askProofs({ service, release }: DesiredService, reach: ServiceClient): Promise<string | undefined> {
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
  kind: NameConflict['kind'],
  needed: readonly string[],
  present: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[],
  stack: string,
): NameConflict[] {
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
