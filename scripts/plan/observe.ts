import type { CertificateEnds, HttpResponse, RenderedFile } from '../../stack/model.ts';
import type { Service } from '../../stack/service.ts';
import type { ContainerSummary, Engine, NetworkSummary } from '../engine/engine.ts';
import { projectLabel, roleLabel, serviceLabel, specHashLabel, stackLabel } from '../engine/labels.ts';
import { type ConfigFiles, openConfigFiles } from '../state/config-files.ts';
import { noHistory, readHistory } from '../state/history.ts';
import { dueCertificates } from '../state/internal-ca.ts';
import { configWriterRole, names, specOf } from '../state/names.ts';
import { newestVersion } from '../state/newer-version.ts';
import { originOf, renamedFrom } from '../state/origin.ts';
import { currentFolder, readRelease, withTimes } from '../state/release-files.ts';
import { revisionOf } from '../state/release-folder.ts';
import { locationOf, type ServiceClient } from '../state/service-client.ts';
import { type Desired, type DesiredService, hasConfigMount, historyService } from './desired.ts';
import type { NameConflict, Observed, ObservedService } from './observed.ts';

/** How long a server may take to respond to a proof; without a response, it is not proven. */
const proofMs = 2_000;
/** The container of a check is started within this time after its creation. */
const checkSeconds = 600;

/** Which servers are asked what they run; `unmoved` skips those that get other files anyway. */
export type ProofScope = 'unmoved' | 'all';

/** Finds what was changed by hand inside a running server, which runs these files. */
export type FindEdits = (
  service: Service,
  container: string,
  files: readonly RenderedFile[],
) => Promise<readonly string[]>;

/** Takes a snapshot of one stack, and passes the location of each service to `client` and `files`. */
export async function observe(
  engine: Engine,
  desired: Desired,
  client: ServiceClient,
  options: {
    readonly files?: ConfigFiles;
    readonly proofs?: ProofScope;
    readonly findEdits?: FindEdits | undefined;
  } = {},
): Promise<Observed> {
  const { files = openConfigFiles(engine, desired.stack), proofs = 'unmoved', findEdits } = options;
  const { stack } = desired;
  const [containers, volumes, networks] = await Promise.all([
    engine.listContainers({}),
    engine.listVolumes({}),
    engine.listNetworks({}),
  ]);
  const ours = containers.filter(belongsTo(stack));
  const { primary, strays } = byService(stack, ours);
  for (const [service, container] of primary) {
    const spec = specOf(container);
    files.locate(service, container.id, spec);
    client.locate(service, locationOf(container.id, spec, stack));
  }
  const configWriter = ours.find(({ labels }) => labels[roleLabel] === configWriterRole);
  const historyOwner = historyService(desired);
  const canReadHistory = historyOwner !== undefined && (primary.has(historyOwner) || configWriter !== undefined);
  const targetOf = (name: string) => desired.services.find(({ service }) => service.name === name);
  const [services, history, due] = await Promise.all([
    Promise.all(
      [...primary].map(async ([name, container]) => {
        const target = targetOf(name);
        return [
          name,
          await observeService(engine, files, container, { name, target, client, proofs, findEdits }),
        ] as const;
      }),
    ),
    canReadHistory ? readHistory(files, historyOwner) : noHistory,
    dueCertificates(files, desired.services, Date.now(), (name) =>
      loadedEnds(targetOf(name)?.service, primary.get(name), client),
    ),
  ]);
  const neededContainers = [...desired.services.map(({ name }) => name), names.configWriter(stack)];
  const neededVolumes = desired.volumes.map(({ name }) => name);
  return {
    stack,
    origin: originOf(ours),
    newestVersion: newestVersion([...ours, ...volumes.filter(belongsTo(stack))], history),
    renamedFrom: renamedFrom(containers, stack, desired.origin),
    services: new Map(services),
    strays,
    history,
    configWriter,
    dueCertificates: due,
    network: networks.find((network) => isNetworkOf(stack, network) && !network.isOfSwarm),
    isOnSwarm: networks.some((network) => isNetworkOf(stack, network) && network.isOfSwarm),
    createsInNetworks: engine.kind === 'podman',
    networks,
    volumes: new Set(volumes.filter(belongsTo(stack)).map(({ name }) => name)),
    volumesFrom: primary.size === 0 ? originOf(volumes.filter(belongsTo(stack))) : undefined,
    conflicts: [
      ...conflictsIn('container', neededContainers, containers, stack),
      ...conflictsIn('volume', neededVolumes, volumes, stack),
      ...conflictsIn('network', [names.network(stack)], networks, stack),
    ],
    portHolders: containers.filter(({ hostPorts }) => hostPorts.length > 0),
  };
}

const isNetworkOf = (stack: string, network: NetworkSummary): boolean =>
  belongsTo(stack)(network) && network.name === names.network(stack);

async function observeService(
  engine: Engine,
  files: ConfigFiles,
  container: ContainerSummary,
  options: {
    readonly name: string;
    readonly target: DesiredService | undefined;
    readonly client: ServiceClient;
    readonly proofs: ProofScope;
    readonly findEdits: FindEdits | undefined;
  },
): Promise<ObservedService> {
  const { name, target, client, proofs, findEdits } = options;
  const spec = specOf(container);
  const hasFiles = spec !== undefined && hasConfigMount(spec);
  // An unwanted container may be unreadable: that must not prevent its removal.
  const ignoreUnlessDesired = (error: unknown): undefined => {
    if (target !== undefined) throw error;
  };
  const folder = hasFiles ? await currentFolder(files, name).catch(ignoreUnlessDesired) : undefined;
  const linked = folder === undefined ? undefined : revisionOf(folder);
  const getsOtherFiles = linked !== undefined && linked !== target?.release?.revision;
  const isAsked = container.state === 'running' && (proofs === 'all' || !getsOtherFiles);
  const reading = folder === undefined ? undefined : readRelease(files, name, folder).catch(ignoreUnlessDesired);
  const stored = async (): Promise<readonly RenderedFile[]> => (await reading)?.files ?? [];
  const [details, release, unproven] = await Promise.all([
    engine.inspectContainer(container.id),
    reading,
    isAsked && target !== undefined ? askProofs(target, client, stored) : undefined,
  ]);
  const isRunning = container.state === 'running' && target !== undefined && release !== undefined;
  const edits = isRunning ? await findEdits?.(target.service, container.id, release.files) : undefined;
  const specHash = container.labels[specHashLabel];
  return {
    container,
    specHash,
    spec,
    details,
    folder,
    linked,
    files: release?.files,
    filesHash: release?.hash,
    unproven,
    edits,
  };
}

/** The ends of certificates that the running server of a container has loaded; undefined when it does not say. */
async function loadedEnds(
  service: Service | undefined,
  container: ContainerSummary | undefined,
  client: ServiceClient,
): Promise<CertificateEnds | undefined> {
  const { certificateEnds } = service ?? {};
  if (service === undefined || certificateEnds === undefined || container?.state !== 'running') return undefined;
  const asked = client.request(service.name, certificateEnds.request, { timeoutMs: proofMs });
  return certificateEnds.read(await asked.catch(() => ({ status: 0, body: '' })));
}

/** Requests each proof once; returns the reason of the first that does not hold. */
async function askProofs(
  { service, release: desired }: DesiredService,
  client: ServiceClient,
  stored: () => Promise<readonly RenderedFile[]>,
): Promise<string | undefined> {
  if (desired === undefined) return undefined;
  const release = await withTimes(service, desired, stored);
  const noResponse = (): HttpResponse => ({ status: 0, body: '' });
  const reasons = await Promise.all(
    service.proofs(release).map(async (proof) => {
      const response = await client.request(service.name, proof.request, { timeoutMs: proofMs }).catch(noResponse);
      const verdict = proof.assess(response);
      return verdict.kind === 'proven' ? undefined : verdict.because;
    }),
  );
  return reasons.find((because) => because !== undefined);
}

const belongsTo =
  (stack: string) =>
  ({ labels }: { readonly labels: Readonly<Record<string, string>> }): boolean =>
    labels[stackLabel] === stack;

/** The container of each service, and all other containers; independent of the order in which the engine lists them. */
function byService(stack: string, containers: readonly ContainerSummary[]) {
  const primary = new Map<string, ContainerSummary>();
  const strays: ContainerSummary[] = [];
  for (const container of containers.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const role = container.labels[roleLabel];
    if (role === 'check' && isLeftOver(container)) strays.push(container);
    if (role !== 'service') continue;
    const service = container.labels[serviceLabel] ?? '';
    if (container.name === names.container(stack, service)) primary.set(service, container);
    else strays.push(container);
  }
  return { primary, strays };
}

/** Checks run without the lock: the container of a running check must not be mistaken for a leftover. */
function isLeftOver({ state, createdAt }: ContainerSummary): boolean {
  if (state === 'running') return false;
  return state === 'exited' || state === 'dead' || Date.now() / 1_000 - createdAt > checkSeconds;
}

function conflictsIn(
  kind: NameConflict['kind'],
  needed: readonly string[],
  present: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[],
  stack: string,
): NameConflict[] {
  return present
    .filter(({ name, labels }) => needed.includes(name) && labels[stackLabel] !== stack)
    .map(({ name, labels }) => ({ kind, name, owner: ownerOf(labels) }));
}

function ownerOf(labels: Readonly<Record<string, string>>): string {
  const stack = labels[stackLabel];
  if (stack !== undefined) return `it belongs to the stack ${stack}`;
  const project = labels[projectLabel];
  if (project !== undefined) return `it belongs to the compose project ${project}`;
  return 'it was not created by promstack';
}
