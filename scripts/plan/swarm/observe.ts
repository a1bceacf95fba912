import * as z from 'zod';
import { isMapping } from '../../../stack/values/mapping.ts';
import type { NetworkSummary } from '../../engine/engine.ts';
import { serviceLabel, specLabel, stackLabel } from '../../engine/labels.ts';
import { toServiceState } from '../../engine/swarm/service-spec.ts';
import type {
  PlacedSpec,
  Swarm,
  SwarmFile,
  SwarmNode,
  SwarmService,
  SwarmServiceSpec,
  SwarmTask,
} from '../../engine/swarm/swarm.ts';
import { names } from '../../state/names.ts';
import { readRecords, type SwarmRecord } from '../../state/swarm/records.ts';
import { hashTarget, taskLabels, toServiceSpec } from './service-spec.ts';
import type { SwarmServiceTarget, SwarmTarget } from './target.ts';

/** What a stack has on a swarm. */
export interface SwarmObserved {
  readonly nodes: readonly SwarmNode[];
  readonly services: ReadonlyMap<string, ObservedSwarmService>;
  /** Its configs and secrets, without the records. */
  readonly files: readonly SwarmFile[];
  /** Its history, oldest first. */
  readonly records: readonly SwarmRecord<RecordedTarget>[];
  /** All networks that the engine of the manager knows. */
  readonly networks: readonly NetworkSummary[];
  /** The id of its network; undefined when there is none. */
  readonly network: string | undefined;
}

/** A target as the history has it: its files are stored already. */
export type RecordedTarget = Omit<SwarmTarget, 'stored'>;

export interface ObservedSwarmService {
  readonly service: SwarmService;
  /** What it was made from; undefined when its label cannot be read. */
  readonly target: SwarmServiceTarget | undefined;
  readonly tasks: readonly SwarmTask[];
  /** What was changed by hand since: the keys of the service's spec. */
  readonly edits: readonly string[];
}

/** The calls that show what a stack has. */
export type SwarmLook = Pick<Swarm, 'listNodes' | 'listServices' | 'listTasks' | 'listFiles'>;

/** Reads what a stack has on a swarm; `listNetworks` lists all networks of the engine. */
export async function observeSwarm(
  swarm: SwarmLook,
  listNetworks: () => Promise<readonly NetworkSummary[]>,
  stack: string,
): Promise<SwarmObserved> {
  const ours = { [stackLabel]: stack };
  const [nodes, services, files, networks] = await Promise.all([
    swarm.listNodes(),
    swarm.listServices(ours),
    swarm.listFiles(ours),
    listNetworks(),
  ]);
  const tasks = await swarm.listTasks(services.map(({ id }) => id));
  const network = networks.find(
    ({ name, labels, isOfSwarm }) => isOfSwarm && name === names.network(stack) && labels[stackLabel] === stack,
  )?.id;
  const records = readRecords(files, parseTarget);
  const recorded = new Set(records.map(({ file }) => file));
  const placed: PlacedSpec = {
    network: network ?? '',
    networks: joinableIds(networks),
    files: idsByName(files),
    parallelism: 1,
  };
  return {
    nodes,
    services: new Map(
      services.flatMap((service): [string, ObservedSwarmService][] => {
        const name = service.labels[serviceLabel];
        if (name === undefined) return [];
        const target = parseServiceTarget(service.labels[specLabel]);
        const edits = target === undefined ? [] : editsOf(service, toServiceSpec(stack, target), placed);
        return [[name, { service, target, tasks: tasks.filter((task) => task.service === service.id), edits }]];
      }),
    ),
    files: files.filter((file) => !recorded.has(file)),
    records,
    networks,
    network,
  };
}

/** The ids of the networks that services of a swarm can join, by name. */
export function joinableIds(networks: readonly NetworkSummary[]): ReadonlyMap<string, string> {
  return new Map(networks.filter(({ isOfSwarm }) => isOfSwarm).map(({ name, id }) => [name, id]));
}

/**
 * Why the swarm has stopped replacing the tasks of a service before all of them were: one failed, as those of a node do that is
 * lost. It goes on only with the next update.
 */
export function stoppedUpdate({ service, target, tasks }: ObservedSwarmService): string | undefined {
  if (service.update?.state !== 'paused') return undefined;
  const wanted = target && hashTarget(target);
  const isOld = tasks.some((task) => task.desired === 'running' && !isOf(task, wanted, service));
  return isOld ? service.update.message : undefined;
}

/** Whether a task was created for a target, and since its replacement was last forced. */
export function isOf({ labels, force }: SwarmTask, hash: string | undefined, { state }: SwarmService): boolean {
  return labels[taskLabels.target] === hash && force === (state.TaskTemplate?.ForceUpdate ?? 0);
}

export function idsByName(files: readonly SwarmFile[]): ReadonlyMap<string, string> {
  return new Map(files.map(({ name, id }) => [name, id]));
}

const serviceSchema = z.looseObject({
  service: z.string(),
  container: z.looseObject({ image: z.string(), args: z.array(z.string()), mounts: z.array(z.looseObject({})) }),
  constraints: z.array(z.string()),
  files: z.array(z.looseObject({ kind: z.enum(['config', 'secret']), name: z.string(), target: z.string() })),
  emptyFolders: z.array(z.string()),
  digests: z.record(z.string(), z.string()),
});
const targetSchema = z.looseObject({ stack: z.string(), revision: z.string(), services: z.array(serviceSchema) });

function parseTarget(content: unknown): RecordedTarget | undefined {
  // Not what the schema returns, whose keys are in another order than those that the hash is made of.
  return targetSchema.safeParse(content).success ? (content as RecordedTarget) : undefined;
}

function parseServiceTarget(label: string | undefined): SwarmServiceTarget | undefined {
  try {
    const content: unknown = JSON.parse(label ?? '');
    return serviceSchema.safeParse(content).success ? (content as SwarmServiceTarget) : undefined;
  } catch {
    return undefined;
  }
}

/** Keys of a service that differ from what promstack wrote; the engine adds others with their defaults. */
function editsOf({ state }: SwarmService, spec: SwarmServiceSpec, placed: PlacedSpec): readonly string[] {
  // A file that is gone is no edit of the service.
  if (spec.files.some(({ name }) => !placed.files.has(name))) return [];
  const force = state.TaskTemplate?.ForceUpdate;
  const { UpdateConfig: _update, Labels: _labels, ...written } = toServiceState(spec, { ...placed, force });
  // An engine that does not know a key has left it out.
  return [...new Set(differences(written, state, ''))].filter((key) => key !== 'NoNewPrivileges');
}

function differences(written: unknown, found: unknown, key: string): readonly string[] {
  if (isEmpty(written) && isEmpty(found)) return [];
  if (isMapping(written)) {
    const other = isMapping(found) ? found : {};
    return Object.entries(written).flatMap(([name, value]) => differences(value, other[name], name));
  }
  if (Array.isArray(written) && Array.isArray(found) && written.length === found.length) {
    return written.flatMap((item, at) => (differences(item, found[at], key).length === 0 ? [] : [key]));
  }
  return written === found ? [] : [key];
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === 0 ||
  value === false ||
  Object.keys(value).length === 0;
