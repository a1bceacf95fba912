import type { Duplex } from 'node:stream';
import type { ContainerSpec, PortSpec } from '../../stack/model.ts';
import type { LogLine } from './log-line.ts';
import type { Swarm } from './swarm/swarm.ts';

export type EngineKind = 'docker' | 'podman';

/** Where an engine is, as seen from this machine. */
export interface EngineLocation {
  /** The address of its API, for messages: `unix:///var/run/docker.sock`. */
  readonly address: string;
  /** The host on which ports are published: 127.0.0.1 for an engine on this machine, its name for a remote one. */
  readonly host: string;
  /** Whether ports published on the engine's loopback address can be reached from this machine. */
  readonly isLocal: boolean;
}

export interface EngineInfo {
  readonly version: string;
  /** The architecture by Go's name: `amd64`. */
  readonly arch: string;
}

/** What the engine says of its host and itself. */
export interface EngineDetails {
  /** Its own warnings, such as that limits of memory have no effect. */
  readonly warnings: readonly string[];
  readonly limitsMemory: boolean;
  readonly limitsCpus: boolean;
  /** The memory of its host, or of its virtual machine; undefined when it does not say it. */
  readonly memoryBytes?: number | undefined;
}

/** A TCP port of the engine's host that a container publishes. */
export interface HostPort {
  /** `127.0.0.1`, `::`; empty means all addresses. */
  readonly address: string;
  readonly port: number;
  readonly containerPort: number;
}

type Labels = Readonly<Record<string, string>>;

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

/** A container as the engine lists it. */
export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  /** The reference it was created from. */
  readonly image: string;
  readonly imageId: string;
  readonly state: ContainerState;
  /** The engine's own description: `Up 3 minutes`. */
  readonly status: string;
  readonly labels: Labels;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** The TCP ports it publishes while it runs. */
  readonly hostPorts: readonly HostPort[];
  /** Names of the networks it is connected to. */
  readonly networks: readonly string[];
}

/** Settings that can change without recreating the container, by `docker update` and `docker network`. */
export interface ContainerDetails {
  /** Absent when there is no limit. */
  readonly memoryBytes?: number | undefined;
  /** May be a fraction; absent when there is no limit. */
  readonly cpus?: number | undefined;
  /** `no`, `always`, `unless-stopped` or `on-failure`. */
  readonly restartPolicy: string;
  /** In milliseconds since 1970, of the last start; absent before the first. */
  readonly startedAt?: number | undefined;
  /** The TCP ports that it or its image exposes, published or not; absent without any. */
  readonly exposedPorts?: readonly number[] | undefined;
  /** `host`, or `container:ID` for one that uses the network of another container; else a network, or the engine's default. */
  readonly networkMode?: string | undefined;
  readonly networks: Connections;
}

/** A container's connection to a network. */
export interface Connection {
  /** The names it has in the network's DNS beside its own. */
  readonly aliases: readonly string[];
  /** What else it was given by the user, such as an address, in the engine's own terms; absent without any. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
}

/** Connections by the name of the network. */
export type Connections = Readonly<Record<string, Connection>>;

export interface VolumeSummary {
  readonly name: string;
  readonly labels: Labels;
}

export interface NetworkSummary {
  readonly id: string;
  readonly name: string;
  readonly labels: Labels;
  /** `bridge`, `overlay`, `host`. */
  readonly driver: string;
  /** Whether a swarm's network can have containers that are not of the swarm's services. */
  readonly isAttachable: boolean;
  /** Whether services of a swarm can join it on any node. */
  readonly isOfSwarm: boolean;
  /** Whether it is the engine's default network, which resolves no names. */
  readonly isDefault: boolean;
}

export interface ImageSummary {
  readonly id: string;
  readonly tags: readonly string[];
  /** Its names by digest, in the registries it was pulled from: `prom/prometheus@sha256:…`. */
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  readonly labels: Labels;
}

/** The progress of a pull; totals are of the layers reported so far. */
export interface PullProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** The container of a service to create. */
export interface ContainerRequest {
  readonly name: string;
  readonly spec: ContainerSpec;
  readonly labels: Labels;
  readonly network: string;
  /** Further networks that it is connected to before it starts. */
  readonly connections?: Connections | undefined;
  /**
   * Containers in `network` by the name by which it reaches them. With connections, the same name in another network
   * would otherwise be taken for them.
   */
  readonly links?: Readonly<Record<string, string>> | undefined;
  /** The volume's full name for each mount, in the spec's order. */
  readonly volumes: readonly string[];
  /** A program of the container that exits 0 when the server is ready; absent for no health check. */
  readonly healthCheck?: readonly string[] | undefined;
}

/** A container that only gives access to volumes or to an image's programs. */
export interface HelperRequest {
  readonly name: string;
  readonly image: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly args: readonly string[];
  readonly labels: Labels;
  /** Ports to publish; without them and without `network` it has no network. */
  readonly ports?: readonly PortSpec[] | undefined;
  /** The network to join, where it also reaches the engine's host as `host.docker.internal`. */
  readonly network?: string | undefined;
  /** Further networks that it is connected to before it starts. */
  readonly connections?: Connections | undefined;
  readonly mounts: readonly { readonly volume: string; readonly target: string; readonly readOnly: boolean }[];
  /** What its user may do beyond an ordinary user, such as CHOWN; nothing when absent. */
  readonly capabilities?: readonly string[] | undefined;
  /** An empty directory for its files, deleted with it: then the rest of its file system is read-only, but for `/tmp`. */
  readonly scratch?: string | undefined;
}

/** An entry of a tar archive that is written to or read from a container. */
export type ArchiveEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly content: Buffer;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      /** To the second; absent means now. */
      readonly modified?: Date | undefined;
    }
  | {
      readonly kind: 'directory';
      readonly path: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly kind: 'link'; readonly path: string; readonly to: string; readonly uid: number; readonly gid: number };

export interface ExecOptions {
  readonly stdin?: string | undefined;
  /** Leaves stdin open after its content, until the program exits. */
  readonly keepStdinOpen?: boolean | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A container engine. Every method rejects with an EngineError, or with the reason of its signal. A result of undefined
 * means "not found".
 */
export interface Engine extends AsyncDisposable {
  readonly kind: EngineKind;
  readonly location: EngineLocation;
  /** The swarm that it is a manager of; its methods reject when it is not. */
  readonly swarm: Swarm;
  /** Slower than most calls: Docker runs programs to find the versions of its components. */
  info(signal?: AbortSignal): Promise<EngineInfo>;
  details(signal?: AbortSignal): Promise<EngineDetails>;

  /** Containers in any state that have all these labels; an empty value matches any value of the key. */
  listContainers(labels: Labels): Promise<readonly ContainerSummary[]>;
  /** Containers in any state that mount a volume. */
  listContainersOf(volume: string): Promise<readonly ContainerSummary[]>;
  /** The container with exactly this name or id. */
  findContainer(nameOrId: string): Promise<ContainerSummary | undefined>;
  inspectContainer(id: string): Promise<ContainerDetails | undefined>;
  createContainer(request: ContainerRequest): Promise<string>;
  createHelper(request: HelperRequest): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** Stops it if it is running; kills it after `seconds`. */
  stopContainer(id: string, seconds: number): Promise<void>;
  /** Removes it, killing it if it is running; its named volumes stay. Does nothing when it does not exist. */
  removeContainer(id: string): Promise<void>;
  /** Resolves with the exit code of its next exit. */
  nextExit(id: string, signal: AbortSignal): Promise<number>;
  /**
   * What happens to containers and their connections to networks: `start`, `die`, `connect`. The first is `connected`: nothing
   * is missed from then on. Ends when the engine closes the connection.
   */
  containerEvents(signal: AbortSignal): AsyncIterable<string>;
  exec(id: string, argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Runs a program whose input and output are a connection: what is written goes to its stdin, its stdout is read. */
  execStream(id: string, argv: readonly string[], signal: AbortSignal): Promise<Duplex>;
  logs(
    id: string,
    options: { tail?: number | undefined; follow?: boolean; since?: Date | undefined; signal?: AbortSignal },
  ): AsyncIterable<LogLine>;

  /** Writes the entries below a directory of a container, running or not. */
  putFiles(id: string, directory: string, entries: readonly ArchiveEntry[]): Promise<void>;
  /** Reads a file or directory of a container. Paths are relative to `path`'s parent. */
  getFiles(id: string, path: string): Promise<readonly ArchiveEntry[] | undefined>;
  /** A file or directory of a container as a tar archive, in which it has its own name. */
  readArchive(id: string, path: string): Promise<NodeJS.ReadableStream>;
  /** Unpacks a tar archive below a directory of a container, running or not. */
  writeArchive(id: string, directory: string, tar: NodeJS.ReadableStream): Promise<void>;
  /** The target of a link in a container, relative to its folder: `releases/3f2a`. */
  readLink(id: string, path: string): Promise<string | undefined>;
  /** Whether a container, running or not, has a program at this path. */
  hasProgram(id: string, path: string): Promise<boolean>;

  listVolumes(labels: Labels): Promise<readonly VolumeSummary[]>;
  findVolume(name: string): Promise<VolumeSummary | undefined>;
  /** Creates it, or returns the existing one of that name: compare the labels to find out which. */
  createVolume(name: string, labels: Labels): Promise<VolumeSummary>;
  /** Does nothing when it does not exist. */
  removeVolume(name: string): Promise<void>;

  listNetworks(labels: Labels): Promise<readonly NetworkSummary[]>;
  createNetwork(name: string, labels: Labels): Promise<string>;
  /** Does nothing when it does not exist. */
  removeNetwork(id: string): Promise<void>;

  /** Images that have all these labels; an empty value matches any value of the key. */
  listImages(labels: Labels): Promise<readonly ImageSummary[]>;
  findImage(reference: string): Promise<ImageSummary | undefined>;
  /** Removes a tag from an image, and with its last tag the image. Does nothing when it does not exist. */
  removeImage(reference: string): Promise<void>;
  pullImage(reference: string, onProgress: (progress: PullProgress) => void, signal: AbortSignal): Promise<void>;
  /** Creates an image of one layer from a tar stream; `changes` are Dockerfile lines such as `USER 65534`. */
  importImage(tar: NodeJS.ReadableStream, reference: string, changes: readonly string[]): Promise<void>;
  tagImage(reference: string, as: string): Promise<void>;
  saveImages(references: readonly string[]): Promise<NodeJS.ReadableStream>;
  /** Returns the references of the archive's images. */
  loadImages(tar: NodeJS.ReadableStream): Promise<readonly string[]>;
}

/** The restart policy of a service's container. */
export const restartPolicy = 'unless-stopped';
