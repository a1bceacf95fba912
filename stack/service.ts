import type { AlertRouting, AlertRule } from './alert.ts';
import type { StackConfig } from './config.ts';
import type { KeyPath, Problem } from './diagnostic.ts';
import type {
  CertificateEnds,
  CheckCommand,
  ContainerSpec,
  HealthIndicator,
  HttpRequest,
  HttpResponse,
  Proof,
  Reading,
  RenderedFile,
} from './model.ts';
import type { OwnItem } from './own-items.ts';
import type { Secret } from './secret.ts';
import type { SecretFiles } from './secrets/secret-files.ts';
import { isMapping, type Mapping, mappingsIn, valueAt } from './values/mapping.ts';

/**
 * A kind of server in a stack, as declarations: pure functions of the config without side effects.
 * Shared code reads these and never checks a service's name.
 */
export interface Service {
  /** Its host name in the network, and unless `path` and `templates` say else the key in stack.yml and the folder in templates/. */
  readonly name: string;
  /** Its section in stack.yml. */
  readonly path?: KeyPath | undefined;
  /** The folder of its templates, which others of its kind may share. */
  readonly templates?: string | undefined;
  /** The name in messages: `Prometheus`. */
  readonly title: string;
  /** Whether its config volume holds the stack's history and revision; the first enabled service that says so is used. */
  readonly storesHistory?: boolean | undefined;
  /** Whether its server looks for its own replicas when it starts, whose names exist only once they are healthy. */
  readonly looksForReplicas?: boolean | undefined;
  /** Services that must be ready before this one starts; most services have none, so that all start at once. */
  readonly startsAfter: readonly string[];
  /** Whether it takes seconds to start: it is started before the others, which share the processors with it. */
  readonly startsSlowly?: boolean | undefined;
  /** The service whose confirm shows that this one works too, such as the one that sends it samples. */
  readonly confirmedBy?: string | undefined;
  /** Whether its image lacks the folder of its data, so that a new volume would belong to root. */
  readonly needsVolumeOwner?: boolean | undefined;
  /** The container port to open in a browser and to probe. */
  readonly port: number;
  /** `promstack open` without a service opens the one with the highest number; 0 when absent. */
  readonly openPriority?: number | undefined;
  /** The address for browsers where the published port is not one. */
  browserUrl?(container: ContainerSpec): string | undefined;
  /** The port on the host; undefined when none is published. */
  hostPort(config: StackConfig): number | undefined;
  isEnabled(config: StackConfig): boolean;
  container(config: StackConfig): ContainerSpec;
  /** The config for an image that runs in place of the one that the config names, and may have other features. */
  forImage?(config: StackConfig, image: string): StackConfig;
  /** Values for this service's templates, as `<name>.<key>`, in addition to the config. */
  placeholders?(config: StackConfig): Readonly<Record<string, unknown>>;
  /** The jobs in Prometheus's syntax that scrape it, where they depend on the config; otherwise they are in its templates. */
  scrapes?(config: StackConfig): readonly Mapping[];
  /** The section of stack.yml whose key `scrape` has settings of these jobs. */
  readonly jobSettings?: KeyPath | undefined;
  /** Whether its server scrapes targets that are discovered by the labels of containers, which promstack writes into its config volume. */
  discoversTargets?(config: StackConfig): boolean;
  /** Kinds of contributed files (`contribute/<kind>/`) that go into this service's config directory. */
  readonly collects?: readonly Collection[] | undefined;
  /** The items of stack.yml that are settings of items which services of the stack contribute. */
  ownItems?(config: StackConfig): readonly OwnItem[];
  /** User files that this service reads. */
  userFiles?(config: StackConfig): readonly UserFiles[];
  /** Adds the revision, or a hash of each file, to the files, so that it can be read back from the running server. */
  stamp?(
    files: readonly RenderedFile[],
    revision: string,
    config: StackConfig,
    hash: (text: string) => string,
  ): readonly RenderedFile[];
  /** Which of its files the running server reads again by itself; undefined when there are none. */
  reread?(files: readonly RenderedFile[]): Reread | undefined;
  /** Whether its server reads a file only when it starts, although it reloads others. */
  isReadAtStart?(path: string): boolean;
  /** A file in several that mean the same, each of at most so many bytes; undefined when that cannot be. */
  divide?(file: RenderedFile, mostBytes: number): readonly RenderedFile[] | undefined;
  /** Empty folders of its config directory, which its server looks for. */
  readonly emptyFolders?: readonly string[] | undefined;
  /**
   * A folder of its files whose real path must be the same in each release, since its server recognizes a file by it: links to
   * its files are at `/etc/promstack/<folder>`.
   */
  readonly linkedFolder?: string | undefined;
  /** Files made from the config without a template, such as one per secret. */
  files?(config: StackConfig): readonly RenderedFile[];
  /** Problems that involve several files, such as two dashboards of one name. */
  fileProblems?(files: readonly RenderedFile[], config: StackConfig): readonly FileProblem[];
  /** Secrets that are generated once and kept on the engine; the container reads each at `/etc/promstack/secrets/<name>`. */
  readonly generatedSecrets?: readonly GeneratedSecret[] | undefined;
  /** Where its config syntax accepts files of secrets. */
  readonly secretFiles?: SecretFiles | undefined;
  /** Problems of the config that need knowledge of this service, such as a route to an undefined receiver. */
  problems?(config: StackConfig): readonly Problem[];
  /** Commands of its image that validate the rendered files; `tests` are the stack's tests, for a service that can run them. */
  checks(
    config: StackConfig,
    files: readonly RenderedFile[],
    tests: readonly RenderedFile[],
    /** All alerts of the stack; slow when there are many. */
    alerts: () => readonly AlertRule[],
  ): readonly CheckCommand[];
  /** Answers 200 when the server is ready. */
  readonly ready: HttpRequest;
  /** A shell script for its container that runs with each health check, and keeps files in its data volume short. */
  upkeep?(container: ContainerSpec): string | undefined;
  /** The progress of a slow start, such as replaying a log; undefined when the response has none. */
  readonly starting?: { readonly request: HttpRequest; read(response: HttpResponse): string | undefined } | undefined;
  /** Makes the running server reload its files, by a request or by its driver; absent when only a restart does. */
  readonly reload?: HttpRequest | 'driver' | undefined;
  /** The ends of certificates that the running server has loaded, for one that has rules of them. */
  readonly certificateEnds?:
    | { readonly request: HttpRequest; read(response: HttpResponse): CertificateEnds | undefined }
    | undefined;
  /** The most likely cause of a slow reload. */
  readonly slowReload?: string | undefined;
  /** Proofs that the running server runs exactly these files. */
  proofs(release: Release): readonly Proof[];
  /** The files whose MD5 digests its proofs need, also where their content cannot be read back. */
  readonly digestedFiles?: readonly string[] | undefined;
  healthIndicators?(config: StackConfig): readonly HealthIndicator[];
  /** Problems that only its log shows, from the lines since it loaded its config. */
  logProblems?(logLines: readonly string[]): NonNullable<Reading['problems']>;
  /** The alerts its files define. */
  alerts?(files: readonly RenderedFile[]): readonly AlertRule[];
  /** The parts of its files that users know by their names; `read` returns the value of a YAML file, with secrets masked. */
  parts?(read: (path: string) => unknown): readonly NamedPart[];
  /** How its files route alerts; undefined when they cannot be parsed. */
  alertRouting?(files: readonly RenderedFile[]): AlertRouting | undefined;
  /** Why a container does not run the files of an earlier revision; undefined when nothing is known against it. */
  cannotRun?(files: readonly RenderedFile[], container: ContainerSpec): string | undefined;
  /** The data that is lost when a container of one spec replaces another; a sentence each. */
  risks?(before: ContainerSpec, after: ContainerSpec): readonly string[];
  /** How the data of the running server is copied (see `values/copy-data.ts`); absent for data that a backup leaves out. */
  readonly copyData?: string | undefined;
  /** The likely cause of a container's exit, from its last log lines; `volumes` are its own. */
  explainExit?(logLines: readonly string[], volumes?: readonly string[]): string | undefined;
}

/** A part of a config file, such as a job. */
export interface NamedPart {
  /** `job`, `receiver`. */
  readonly kind: string;
  readonly name: string;
  readonly value: unknown;
}

/** The items of a list in a config file, each with its name; others are left out. */
export function namedParts(kind: string, config: unknown, list: string, nameKey: string): readonly NamedPart[] {
  return mappingsIn(isMapping(config) ? config[list] : undefined, []).flatMap(({ value }) =>
    typeof value[nameKey] === 'string' ? [{ kind, name: value[nameKey], value }] : [],
  );
}

/** Files that a running server watches, as Prometheus does for `file_sd_configs`. */
export interface Reread {
  /** The folders it watches, relative to its config directory; empty for that directory itself. */
  readonly folders: readonly string[];
  matches(path: string): boolean;
}

/** A secret that outlives all releases, such as an initial password. */
interface GeneratedSecret {
  readonly name: string;
  /** How many letters and digits to generate. */
  readonly length: number;
  /** The value from stack.yml, if the user set one. */
  given?(config: StackConfig): Secret | undefined;
}

/** A problem with a rendered file; the path is inside the file. */
export interface FileProblem extends Problem {
  readonly file: RenderedFile;
  /** The key of stack.yml that it is about, when it is not about the file. */
  readonly key?: KeyPath | undefined;
  /** Where it is in the file, for a file that is not YAML; counted from 0. */
  readonly offset?: number | undefined;
  /** Whether a comment `# promstack: ignore CODE` in the file suppresses it. */
  readonly canBeIgnored?: boolean | undefined;
}

/** A kind of contributed files that a service accepts. */
interface Collection {
  readonly kind: string;
  /** The target folder inside the config directory. */
  readonly into: string;
  /** Whether to include one of promstack's own files of the kind, by its path in the templates of its service; true when absent. */
  shipped?(config: StackConfig, path: string): boolean;
  /** Changes promstack's own files of the kind, and their tests. */
  amend?(text: string, config: StackConfig): string;
}

/** The files a service is to run, and their hash. */
export interface Release {
  readonly config: StackConfig;
  readonly files: readonly RenderedFile[];
  readonly revision: string;
  /** The MD5 digest of a string, for servers that identify their config by one. */
  md5(text: string): Uint8Array;
}

/** User files that a service reads. */
export interface UserFiles {
  /** The key in stack.yml that names them. */
  readonly key: readonly (string | number)[];
  /** A path or glob, relative to the folder of stack.yml. */
  readonly glob: string;
  /** Whether a glob without a match is an error: the user wrote a folder. */
  readonly mustMatch?: boolean | undefined;
  /** The target folder inside the config directory. */
  readonly into: string;
  /** The extensions the server reads; the first is added to files with another one. */
  readonly extensions: readonly string[];
  /** The path below `into` of a file, from its path relative to stack.yml; absent means a flat name made of the path. */
  targetPath?(path: string): string;
  /** Whether the files may be of any kind; they must be inside the folder of stack.yml and keep their relative path. */
  readonly isAnyFile?: boolean | undefined;
  /** Whether each of the files may hold a secret, in a form that promstack does not know. */
  readonly areSecret?: boolean | undefined;
  /** Names of files and folders in the config directory that promstack writes, with what to do instead of using them. */
  readonly reserved?: Readonly<Record<string, string>> | undefined;
  /** Problems of a file's parsed YAML; paths are inside that file. Absent when the files are not YAML. */
  problems?(content: unknown): readonly Problem[] | Promise<readonly Problem[]>;
  /** What the problems of a file depend on besides its content. */
  readonly cacheKey?: string | undefined;
}

/** What contributes jobs, rules and dashboards to the services of a stack. */
export type Contributor = Pick<Service, 'name' | 'templates' | 'scrapes' | 'jobSettings' | 'ownItems'>;

/** The section of a service in stack.yml. */
export function sectionPath({ name, path = [name] }: Pick<Service, 'name' | 'path'>): KeyPath {
  return path;
}

/** Where stack.yml has a key of a service: one that an instance of an exporter does not set is beside `instances`. */
export function keyPath(section: KeyPath, config: object, key: string): KeyPath {
  const own = [...section, key];
  const isShared = section.at(-2) === 'instances' && valueAt(config, own) === undefined;
  return isShared ? [...section.slice(0, -2), key] : own;
}

/** Checks the type of a service's declaration. */
export function defineService(service: Service): Service {
  return service;
}
