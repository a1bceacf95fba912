import type { AlertRouting, AlertRule } from './alert.ts';
import type { StackConfig } from './config.ts';
import type { Problem } from './diagnostic.ts';
import type {
  CheckCommand,
  ContainerSpec,
  HealthIndicator,
  HttpRequest,
  HttpResponse,
  Proof,
  RenderedFile,
} from './model.ts';
import type { Secret } from './secret.ts';
import type { SecretFiles } from './secrets/secret-files.ts';

/**
 * One kind of server in a stack, as declarations: pure functions of the config, never an effect.
 * Shared code asks a service for its answer and never for its name.
 */
export interface Service {
  /** The key in stack.yml, the folder in templates/, the host name inside the network. */
  readonly name: string;
  /** The name as its makers write it. */
  readonly title: string;
  /** A service with a config directory that is always there keeps history and revision for the stack; the first such one is taken. */
  readonly storesHistory?: boolean;
  /** Names of services that must be ready before this one starts; most have none, so that all start at once. */
  readonly startsAfter: readonly string[];
  /** The container port whose published address a person opens in a browser, and by which it is probed. */
  readonly port: number;
  /** How far in front it stands when the stack is opened without naming a service: the highest number is opened; none counts as 0. */
  readonly openPriority?: number;
  /** The port on the host; undefined when it is published on none. */
  hostPort(config: StackConfig): number | undefined;
  /** Whether this stack has the service. */
  isEnabled(config: StackConfig): boolean;
  /** The container that runs it. */
  container(config: StackConfig): ContainerSpec;
  /** Values this service's templates may use beside the config itself, found under `<name>.<key>` where the config has no such key. */
  holes?(config: StackConfig): Readonly<Record<string, unknown>>;
  /** Kinds of contributed file folders (`contribute/<kind>/`) that land in this service's config directory, and where. */
  readonly collects?: readonly Collection[];
  /** Files of the person's own, named in the config, that this service reads: globs relative to stack.yml. */
  userFiles?(config: StackConfig): readonly UserFiles[];
  /** The files with their revision written into them (or beside them), so that it can be read back from the running server. */
  stamp?(files: readonly RenderedFile[], revision: string, config: StackConfig): readonly RenderedFile[];
  /** Files made of the config alone, without a template: those that hold one secret each. */
  files?(config: StackConfig): readonly RenderedFile[];
  /** What is wrong between the files, which none of them shows alone, such as two with one name. */
  fileProblems?(files: readonly RenderedFile[]): readonly FileProblem[];
  /** Secrets that are made once and kept on the engine beside the releases; the container finds each at `/etc/promstack/secrets/<name>`. */
  readonly generatedSecrets?: readonly GeneratedSecret[];
  /** Where its own syntax takes secrets out of files; what it takes from none is refused unless the person says otherwise. */
  readonly secretFiles?: SecretFiles;
  /** What is wrong with the config that only this service knows, such as a route to a receiver that is not there. */
  problems?(config: StackConfig): readonly Problem[];
  /** Commands of its image that prove the rendered files valid; `tests` are the stack's tests, for a service that can run them. */
  checks(
    config: StackConfig,
    files: readonly RenderedFile[],
    tests: readonly RenderedFile[],
    /** Every alert the stack defines; reading them takes a while when there are many. */
    alerts: () => readonly AlertRule[],
  ): readonly CheckCommand[];
  /** Answers 200 when the server can do its work. */
  readonly ready: HttpRequest;
  /** Says what a start that takes long is doing, such as replaying a log; undefined when the answer does not tell. */
  readonly starting?: { readonly request: HttpRequest; read(response: HttpResponse): string | undefined };
  /** Makes the running server read its files again, by a request or through its attendant; absent when it reads them at its start only. */
  readonly reload?: HttpRequest | 'driver';
  /** What a reload that takes long is most likely doing. */
  readonly slowReload?: string;
  /** Shows that the running server runs exactly these files. */
  proofs(release: Release): readonly Proof[];
  /** What it tells of how it is, once it runs. */
  healthIndicators?(config: StackConfig): readonly HealthIndicator[];
  /** The alerts its files define. */
  alerts?(files: readonly RenderedFile[]): readonly AlertRule[];
  /** Whom alerts reach by its files; undefined when they do not tell. */
  alertRouting?(files: readonly RenderedFile[]): AlertRouting | undefined;
  /** What of its data is lost or given up when a container of one spec takes the place of another; a sentence each. */
  risks?(before: ContainerSpec, after: ContainerSpec): readonly string[];
  /** Reads the likely cause out of the last log lines of a container that died. */
  explainExit?(logLines: readonly string[]): string | undefined;
}

/** A secret of a service that outlives every release, such as a first password. */
interface GeneratedSecret {
  readonly name: string;
  /** How many letters and digits it is made of, when nobody gives it. */
  readonly length: number;
  /** The text a person chose for it. */
  given?(config: StackConfig): Secret | undefined;
}

/** A problem found on a rendered file; the path is inside the file. */
export interface FileProblem extends Problem {
  readonly file: RenderedFile;
}

/** A kind of contributed files that a service takes in. */
interface Collection {
  readonly kind: string;
  /** The folder inside the config directory where they land. */
  readonly into: string;
  /** Whether promstack's own files of the kind are wanted; they are where nothing is said. */
  shipped?(config: StackConfig): boolean;
}

/** What a service is meant to run: its files and the hash that names them. */
export interface Release {
  readonly config: StackConfig;
  readonly files: readonly RenderedFile[];
  readonly revision: string;
  /** The MD5 digest of a text, for servers that name their config by one. */
  md5(text: string): Uint8Array;
}

/** A set of the person's own files that a service reads. */
export interface UserFiles {
  /** The key in stack.yml that names them, for messages. */
  readonly key: readonly (string | number)[];
  /** A path or glob, relative to the folder of stack.yml. */
  readonly glob: string;
  /** The folder inside the config directory where they land. */
  readonly into: string;
  /** The extensions the server looks for; a file with another lands with the first of them added. */
  readonly extensions: readonly string[];
  /** The place of a file below `into`, of its path relative to stack.yml; absent means a plain name made of the path. */
  landing?(path: string): string;
  /** Says what is wrong with one file's parsed YAML; paths are inside that file. Absent when the files are not YAML. */
  problems?(content: unknown): readonly Problem[] | Promise<readonly Problem[]>;
  /** Whatever of the config the problems of a file depend on, as a text to compare; absent when they depend on the file alone. */
  readonly judgedBy?: string;
}

/** Identity, for the types: each service file exports one of these. */
export function defineService(service: Service): Service {
  return service;
}
