import type { LogLine } from '../log-line.ts';

type Labels = Readonly<Record<string, string>>;

/** A machine of a swarm, as its managers see it. */
export interface SwarmNode {
  readonly id: string;
  /** Its host name. */
  readonly name: string;
  readonly isReady: boolean;
  /** Whether tasks may be placed on it: neither paused nor drained. */
  readonly isActive: boolean;
  readonly role: 'manager' | 'worker';
  readonly labels: Labels;
  readonly engineLabels: Labels;
  /** `linux` and `x86_64`. */
  readonly platform: { readonly os: string; readonly arch: string };
}

/** A service of a swarm, as it was created or last updated. */
export interface SwarmService {
  readonly id: string;
  readonly name: string;
  /** What an update has to name, so that it does not undo another one. */
  readonly version: number;
  /** The image of its tasks. */
  readonly image?: string | undefined;
  /** The configs and secrets that its tasks have, at their places. */
  readonly mounted: readonly (Pick<MountedFile, 'kind' | 'name' | 'target'> & { readonly id: string })[];
  readonly labels: Labels;
  readonly state: ServiceState;
  /** How its last update goes; undefined before the first. */
  readonly update?: { readonly state: string; readonly message: string } | undefined;
}

/** A task of a service: a container on a node, or what is to become one. */
export interface SwarmTask {
  readonly id: string;
  /** The id of its service. */
  readonly service: string;
  /** Its number among those of a replicated service; undefined for a global one. */
  readonly slot?: number | undefined;
  /** The id of its node; undefined while no node has it. */
  readonly node?: string | undefined;
  /** `pending`, `preparing`, `starting`, `running`, `failed`, `rejected`, `shutdown`, `orphaned` … */
  readonly state: string;
  readonly desired: string;
  /** Why it is in this state, if the engine says so. */
  readonly why?: string | undefined;
  readonly exitCode?: number | undefined;
  /** Labels of its container. */
  readonly labels: Labels;
  /** How often a replacement had been forced when it was created. */
  readonly force: number;
  /** Its addresses by the id of the network. */
  readonly addresses: ReadonlyMap<string, string>;
  /** In milliseconds since 1970. */
  readonly createdAt: number;
}

/** A file that the managers keep: a config, or a secret, whose content nobody can read back. */
export interface SwarmFile {
  readonly kind: 'config' | 'secret';
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly labels: Labels;
  /** Undefined for a secret. */
  readonly content?: string | undefined;
}

/** How the engine takes part in a swarm. */
interface SwarmMembership {
  /** Its node; undefined when it is in no swarm. */
  readonly node?: string | undefined;
  readonly isManager: boolean;
  /** Its data is encrypted, and waits for the key after a start. */
  readonly isLocked?: boolean | undefined;
  /** The id of the swarm, which only a manager knows, and only while there is a leader. */
  readonly cluster?: string | undefined;
}

/**
 * The managers of a swarm, through the engine of one of them. Every method rejects with an EngineError, or with the reason of
 * its signal. Labels select what has all of them; an empty value matches any value of the key.
 */
export interface Swarm {
  /** What is waited for before the connections of the engine are closed. */
  readonly closing: Set<Promise<void>>;
  membership(): Promise<SwarmMembership>;
  /** The id of the swarm; waits for a leader. */
  clusterId(): Promise<string>;
  listNodes(): Promise<readonly SwarmNode[]>;
  listServices(labels: Labels): Promise<readonly SwarmService[]>;
  /** Also those that are no longer to run, as far as the swarm keeps them. */
  listTasks(services: readonly string[]): Promise<readonly SwarmTask[]>;
  /** The tasks of services that were removed, until they have ended. */
  listEndingTasks(services: readonly string[]): Promise<readonly SwarmTask[]>;
  /** The containers that no service has, and which joined a network of the swarm by themselves. */
  listJoined(network: string): Promise<readonly { readonly node: string; readonly container: string }[]>;
  /** Starts its tasks; resolves before they run. */
  createService(spec: SwarmServiceSpec, placed: PlacedSpec): Promise<void>;
  /**
   * Replaces its tasks one after another, if they differ; rejects with the code `conflict` when the service has changed since
   * `version`, which the swarm does too when it notes how far an update is.
   */
  updateService(
    service: Pick<SwarmService, 'id' | 'name' | 'version'>,
    spec: SwarmServiceSpec,
    placed: PlacedSpec,
  ): Promise<void>;
  /** Does nothing when it does not exist. */
  removeService(service: Pick<SwarmService, 'id' | 'name'>): Promise<void>;
  taskLogs(id: string, options: TaskLogOptions): AsyncIterable<LogLine>;

  listFiles(labels: Labels): Promise<readonly SwarmFile[]>;
  /** Rejects with the code `conflict` when there is one of that name. */
  createFile(kind: SwarmFile['kind'], name: string, content: string | Buffer, labels: Labels): Promise<string>;
  /** Replaces its labels; the content of a file never changes. */
  labelFile(file: Pick<SwarmFile, 'kind' | 'id' | 'name' | 'version'>, labels: Labels): Promise<void>;
  /** Does nothing when it does not exist; rejects when a service uses it. */
  removeFile(file: Pick<SwarmFile, 'kind' | 'id' | 'name'>): Promise<void>;

  /** A network of all nodes, which containers can join too. */
  createNetwork(name: string, labels: Labels): Promise<string>;
}

/** What a spec names, as ids of the swarm, and how an update goes. */
export interface PlacedSpec {
  /** Undefined for tasks without a network. */
  readonly network: string | undefined;
  /** The ids of further networks by name. */
  readonly networks: ReadonlyMap<string, string>;
  /** The ids of files by name. */
  readonly files: ReadonlyMap<string, string>;
  /** How many tasks are replaced at the same time; 0 for all. */
  readonly parallelism: number;
  /** The ids of nodes that its tasks may not be placed on. To change them alone replaces no task. */
  readonly without?: readonly string[] | undefined;
  /** Another number than before replaces the tasks although nothing differs. */
  readonly force?: number | undefined;
}

/** Why the log of a task cannot be read; undefined when it can. A request for it would wait for the node. */
export function whyNoLog({ node }: SwarmTask, nodes: readonly SwarmNode[]): string | undefined {
  if (node === undefined) return 'it has no node yet';
  const own = nodes.find(({ id }) => id === node);
  if (own === undefined) return 'its node has left the swarm';
  return own.isReady ? undefined : `its node ${own.name} is down`;
}

interface TaskLogOptions {
  readonly tail?: number | undefined;
  readonly follow?: boolean | undefined;
  readonly since?: Date | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** All properties of a service of a swarm; its files by name, so that it can be stored, compared and created again. */
export interface SwarmServiceSpec {
  readonly name: string;
  /** Its name in the stack's network, beside its own. */
  readonly alias: string;
  readonly image: string;
  readonly entrypoint?: readonly string[] | undefined;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** `uid:gid`, in numbers. */
  readonly user: string;
  /** Names of the networks that it joins beside the stack's own. */
  readonly networks: readonly string[];
  /** May have the engine's placeholders, such as `{{.Node.Hostname}}`. */
  readonly hostname: string;
  /** How many tasks run; undefined for one on each node. */
  readonly replicas?: number | undefined;
  readonly constraints: readonly string[];
  readonly files: readonly MountedFile[];
  readonly mounts: readonly SwarmMount[];
  /** Published on every node that has a task. */
  readonly ports: readonly { readonly container: number; readonly host: number }[];
  readonly memoryBytes?: number | undefined;
  readonly cpus?: number | undefined;
  readonly healthCheck?: readonly string[] | undefined;
  /** In the syntax of resolv.conf. */
  readonly dnsOptions?: readonly string[] | undefined;
  readonly stopTimeoutSeconds: number;
  /** Whether a task that has ended is replaced by another one; true when absent. */
  readonly isRestarted?: boolean | undefined;
  /** Labels of its containers. */
  readonly containerLabels: Labels;
  readonly labels: Labels;
}

/** A file that the managers keep, at its place in the containers of a service. */
export interface MountedFile {
  readonly kind: 'config' | 'secret';
  readonly name: string;
  readonly target: string;
  /** Whether it changes with any other file of its service, as the rule that shows the revision does. */
  readonly isStamp?: true | undefined;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export type SwarmMount =
  | { readonly kind: 'volume'; readonly volume: string; readonly target: string; readonly labels: Labels }
  | { readonly kind: 'host'; readonly source: string; readonly target: string }
  | { readonly kind: 'tmpfs'; readonly target: string };

/** A service as the engine's API describes it: its ServiceSpec. */
export interface ServiceState {
  readonly TaskTemplate?: { readonly ForceUpdate?: number | undefined } | undefined;
  readonly [key: string]: unknown;
}
