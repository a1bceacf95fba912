import type { ContainerSpec } from '../../stack/model.ts';

/** The kinds of engines promstack knows: they differ in details. */
export type EngineKind = 'docker' | 'podman';

/** Where an engine is, seen from here. */
export interface EngineLocation {
  /** The address promstack talks to it by, for messages: `unix:///var/run/docker.sock`. */
  readonly address: string;
  /** The host on which published ports are found: 127.0.0.1 for an engine of this machine, its name for a remote one. */
  readonly host: string;
  /** Whether ports published on the engine's loopback address can be reached from here. */
  readonly isLocal: boolean;
}

/** What an engine says of itself. */
export interface EngineInfo {
  readonly version: string;
  /** The engine's architecture in Go's words: `amd64`. */
  readonly arch: string;
}

/** A TCP port of the engine's host, as one container publishes it. */
export interface HostPort {
  /** `127.0.0.1`, `::`; empty for every address. */
  readonly address: string;
  readonly port: number;
}

/** The state of a container in the engine's own words. */
export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

/** A container as the engine lists it. */
export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  /** The reference it was created by. */
  readonly image: string;
  readonly imageId: string;
  readonly state: ContainerState;
  /** The engine's own short sentence: `Up 3 minutes`. */
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** TCP ports of the host that it publishes while it runs. */
  readonly hostPorts: readonly HostPort[];
}

/** What can be changed about a container without making it anew, as `docker update` and `docker network` do. */
export interface ContainerDetails {
  /** Absent when there is no limit. */
  readonly memoryBytes?: number;
  /** In whole or part CPUs; absent when there is no limit. */
  readonly cpus?: number;
  /** `no`, `always`, `unless-stopped` or `on-failure`. */
  readonly restartPolicy: string;
  /** Names of the networks it is on. */
  readonly networks: readonly string[];
}

/** A named volume. */
export interface VolumeSummary {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A network. */
export interface NetworkSummary {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** An image that is present. */
export interface ImageSummary {
  readonly id: string;
  readonly tags: readonly string[];
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** How far a pull is; totals are of the layers known so far. */
export interface PullProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** A container to be made: the spec and what promstack adds to it. */
export interface ContainerRequest {
  readonly name: string;
  readonly spec: ContainerSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly network: string;
  /** The volume's full name for each mount, in the spec's order. */
  readonly volumes: readonly string[];
}

/** A container that only serves as a way to volumes or to an image's programs; it has no network. */
export interface HelperRequest {
  readonly name: string;
  readonly image: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly args: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly volume: string; readonly target: string; readonly readOnly: boolean }[];
}

/** A helper that runs as long as somebody speaks with it. */
export interface HelperSession extends AsyncDisposable {
  readonly container: string;
  /** Writes to its standard input. */
  write(bytes: Uint8Array): Promise<void>;
  /** Its standard output, as it comes; it ends when the helper does. */
  readonly output: AsyncIterable<Buffer>;
}

/** One entry of an archive that goes into or comes out of a container. */
export type ArchiveEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly content: Buffer;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | {
      readonly kind: 'directory';
      readonly path: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly kind: 'link'; readonly path: string; readonly to: string; readonly uid: number; readonly gid: number };

/** What a program in a container gets. */
export interface ExecOptions {
  readonly stdin?: string | undefined;
  /** Leaves stdin open after its text, until the program ends. */
  readonly keepStdinOpen?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a program left behind. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One line a container wrote. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** As the engine stamped it, RFC 3339. */
  readonly time: string;
  readonly text: string;
}

/** Why an engine refused, in a form code can decide on. */
export type EngineErrorCode = 'notFound' | 'conflict' | 'portTaken' | 'denied' | 'unreachable' | 'refused';

/** The engine refused or could not be reached; `message` is the engine's own sentence. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  readonly doing: string;

  constructor(told: { code: EngineErrorCode; doing: string; message: string; cause?: unknown }) {
    super(told.message, { cause: told.cause });
    this.name = 'EngineError';
    this.code = told.code;
    this.doing = told.doing;
  }
}

/**
 * A container engine, in promstack's words. Every method rejects with an EngineError, or with the reason of its signal;
 * "not there" is an answer (undefined, or nothing done), not an error, wherever the type says so.
 */
export interface Engine extends AsyncDisposable {
  readonly kind: EngineKind;
  readonly location: EngineLocation;
  /** Takes the engine longer than most calls: Docker runs programs to find the versions of its parts. */
  info(signal?: AbortSignal): Promise<EngineInfo>;

  /** Containers in every state whose labels have all the given pairs; an empty value asks only for the key. */
  listContainers(labels: Readonly<Record<string, string>>): Promise<readonly ContainerSummary[]>;
  /** The container of exactly this name or id. */
  findContainer(nameOrId: string): Promise<ContainerSummary | undefined>;
  inspectContainer(id: string): Promise<ContainerDetails | undefined>;
  createContainer(request: ContainerRequest): Promise<string>;
  createHelper(request: HelperRequest): Promise<string>;
  /**
   * Starts a helper that may do as root as it likes with the files of its mounts. It gets no more input, and so can end,
   * as soon as this session is disposed of or this process dies; the engine removes it when it has ended.
   */
  openHelper(request: HelperRequest): Promise<HelperSession>;
  startContainer(id: string): Promise<void>;
  /** Stops it if it runs, giving it the seconds to end by itself. */
  stopContainer(id: string, seconds: number): Promise<void>;
  /** Removes it, killing it if it runs; its named volumes stay. Nothing happens when it is gone already. */
  removeContainer(id: string): Promise<void>;
  /** Resolves with the exit code when it ends the next time. */
  nextExit(id: string, signal: AbortSignal): Promise<number>;
  exec(id: string, argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  logs(
    id: string,
    options: { tail?: number; follow?: boolean; since?: Date; signal?: AbortSignal },
  ): AsyncIterable<LogLine>;

  /** Unpacks the entries below a directory of a container, running or not. */
  putFiles(id: string, directory: string, entries: readonly ArchiveEntry[]): Promise<void>;
  /** Reads a file or directory out of a container; undefined when it is not there. Paths are relative to `path`'s parent. */
  getFiles(id: string, path: string): Promise<readonly ArchiveEntry[] | undefined>;
  /** Where a link inside a container leads, as seen from its folder: `releases/3f2a`; undefined when there is no link. */
  readLink(id: string, path: string): Promise<string | undefined>;

  listVolumes(labels: Readonly<Record<string, string>>): Promise<readonly VolumeSummary[]>;
  findVolume(name: string): Promise<VolumeSummary | undefined>;
  /** Creates it, or answers with the one of that name that is there: compare the labels to know which. */
  createVolume(name: string, labels: Readonly<Record<string, string>>): Promise<VolumeSummary>;
  removeVolume(name: string): Promise<void>;

  listNetworks(labels: Readonly<Record<string, string>>): Promise<readonly NetworkSummary[]>;
  createNetwork(name: string, labels: Readonly<Record<string, string>>): Promise<string>;
  removeNetwork(id: string): Promise<void>;

  /** Images present whose labels have all the given pairs; an empty value asks only for the key. */
  listImages(labels: Readonly<Record<string, string>>): Promise<readonly ImageSummary[]>;
  findImage(reference: string): Promise<ImageSummary | undefined>;
  /** Takes a name away from an image, and the image itself with its last name. Nothing happens when it is gone already. */
  removeImage(reference: string): Promise<void>;
  pullImage(reference: string, onProgress: (progress: PullProgress) => void, signal: AbortSignal): Promise<void>;
  /** Makes an image of one layer from a tar stream; `changes` are Dockerfile lines such as `USER 65534`. */
  importImage(tar: NodeJS.ReadableStream, reference: string, changes: readonly string[]): Promise<void>;
  tagImage(reference: string, as: string): Promise<void>;
  saveImages(references: readonly string[]): Promise<NodeJS.ReadableStream>;
  /** The references that the archive held. */
  loadImages(tar: NodeJS.ReadableStream): Promise<readonly string[]>;
}

/** When the engine starts a service's container again by itself: always, but not after someone stopped it. */
export const restartPolicy = 'unless-stopped';
