import type { KeyPath } from './diagnostic.ts';
import type { Secret } from './secret.ts';
import type { Mapping } from './values/mapping.ts';

/** A file as a service sees it below its config directory; the content is final. */
export interface RenderedFile {
  readonly service: string;
  /** Relative to the service's config directory, with forward slashes. */
  readonly path: string;
  readonly content: string | Secret;
  /** A secret content that may be shown: the same text with `[secret]` in place of each secret. */
  readonly masked?: string | undefined;
  /** The secrets inside a secret content, for masking messages about the file. */
  readonly secrets?: readonly Secret[] | undefined;
  /** Permission bits; the owner is the user the service runs as. */
  readonly mode: number;
  /** The file the user would edit to change it, for messages. */
  readonly origin: string;
  /** Whether it was made from one of promstack's own templates. */
  readonly isShipped?: boolean | undefined;
  /** Whether its lines are the lines of `origin`, so that a location in one is valid in the other. */
  readonly isVerbatim?: boolean | undefined;
  /** The key of stack.yml that names it, if it is one of the user's `files`. */
  readonly namedAt?: KeyPath | undefined;
  /** Whether it is not UTF-8 text: then each character of the content stands for one byte. */
  readonly isBinary?: boolean | undefined;
  /** When it was written to the config volume, if that is known. */
  readonly modified?: Date | undefined;
  /** Its lines that came from stack.yml. */
  readonly filled?: readonly FilledLines[] | undefined;
}

/** Lines of a rendered file, counted from 1, that are the value of a key of stack.yml. */
export interface FilledLines {
  readonly path: KeyPath;
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
}

/** A published port: `bind:host` on the engine's host leads to `container` inside. */
export interface PortSpec {
  readonly bind: string;
  readonly host: number;
  readonly container: number;
}

/** A mount of a container: its config directory (read-only) or a data volume. */
export type Mount =
  | { readonly kind: 'config'; readonly target: string }
  | { readonly kind: 'data'; readonly volume: string; readonly target: string };

/** Limits of a container; absent means no limit. */
export interface Resources {
  readonly memoryBytes?: number | undefined;
  /** 0.5 is half a CPU. */
  readonly cpus?: number | undefined;
}

/** All properties of a container that cannot change without recreating it. */
export interface ContainerSpec {
  readonly service: string;
  /** Its name in the network of the stack; absent means that of the service. */
  readonly hostname?: string | undefined;
  readonly image: string;
  /** `uid:gid`, in numbers. */
  readonly user: string;
  /** Replaces the image's entrypoint. */
  readonly entrypoint?: readonly string[] | undefined;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ports: readonly PortSpec[];
  readonly mounts: readonly Mount[];
  /** Writable in-memory directories. */
  readonly tmpfs: readonly string[];
  readonly resources: Resources;
  /** User-defined labels, added to promstack's. */
  readonly labels: Readonly<Record<string, string>>;
  readonly stopTimeoutSeconds: number;
  /** What it sees of the engine's host; absent for all but the exporters of host metrics. */
  readonly host?: HostAccess | undefined;
  /** What a client needs; absent for a server that anybody reaches by HTTP. */
  readonly access?: AccessSpec | undefined;
  /** Where it answers when it is ready, for a service that only its stack.yml knows. */
  readonly ready?: Pick<HttpRequest, 'port' | 'path'> | undefined;
  /** The networks that it joins beside the stack's own, sorted; absent without any. */
  readonly networks?: readonly string[] | undefined;
}

/** What a server asks of its clients; how they meet it is in the files of `access/` of its config directory. */
export interface AccessSpec {
  readonly tls: boolean;
  readonly login: boolean;
}

/** When the certificates of servers end, in seconds since 1970, by service. */
export type CertificateEnds = ReadonlyMap<string, number>;

/** What a container sees of the engine's host. */
export interface HostAccess {
  /** Folders of the host, mounted read-only. */
  readonly mounts: readonly { readonly source: string; readonly target: string }[];
  /** Whether it shares the host's process ids. */
  readonly pid: boolean;
}

/** The name of a container in the network of its stack. */
export const hostnameOf = ({ hostname, service }: Pick<ContainerSpec, 'hostname' | 'service'>): string =>
  hostname ?? service;

/** An HTTP request to a service's own port. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** The port inside the container. */
  readonly port: number;
  readonly path: string;
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly body: string;
}

/** What a response proves: `notYet` asks again until the deadline, `refuted` ends it. */
export type Verdict =
  | { readonly kind: 'proven'; readonly detail?: string | undefined }
  | { readonly kind: 'notYet'; readonly because: string }
  | { readonly kind: 'refuted'; readonly because: string };

/** A request to a running service that shows which files it runs. */
export interface Proof {
  /** What is proven, as a short clause: `runs revision 3f2a…`. */
  readonly claim: string;
  readonly request: HttpRequest;
  assess(response: HttpResponse): Verdict;
}

/** A command of the service's own image that checks files before a server reads them. */
export interface CheckCommand {
  /** What is checked: `prometheus.yml and its rules`. */
  readonly title: string;
  /** `CONFIG` inside an argument stands for the directory of the service's rendered files. */
  readonly argv: readonly string[];
  /** Further runs for the same check, which passes when all of them do. */
  readonly alsoRun?: readonly (readonly string[])[] | undefined;
  /** The files in CONFIG, when they are not exactly the service's. */
  readonly reads?: readonly RenderedFile[] | undefined;
  /** The tool's name on a host without an engine, such as `promtool`. */
  readonly tool: string;
  /** What a server prints once it has started: it runs until then in a container of its own, without network. */
  readonly untilPrinted?: RegExp | undefined;
  /** Whether a run has passed, where its exit code does not say: a server fails at what the check leaves out. */
  passes?(output: string): boolean;
  /** Warnings in the output of a run that passed. */
  warnings?(output: string): readonly CheckFinding[];
  /** Parses the output of a failed run; paths in it begin with CONFIG. */
  explain(output: string): readonly CheckFinding[];
  /** The file among its arguments that can be checked part by part, to find what a message without a line is about. */
  readonly divisible?: DivisibleFile | undefined;
}

/** A config file whose tool stops at the first error, without saying where it is. */
export interface DivisibleFile {
  readonly path: string;
  /** Its keys that every part is checked with. */
  readonly shared: readonly string[];
  /** The parts of its value; those of shared keys come first. */
  partsOf(config: Mapping): readonly ConfigPart[];
}

/** A part of a config file that is valid, or not, whatever the other parts are. */
export interface ConfigPart {
  /** Where it is in the file. */
  readonly at: KeyPath;
  /** Where it is in a file of its own. */
  readonly under: KeyPath;
  /** The rest of that file, without which the part alone is not valid. */
  readonly frame?: Mapping | undefined;
  /** A key of it that is left out, because it holds parts of its own. */
  readonly without?: string | undefined;
  readonly name?: string | undefined;
  /** What it is, for messages: `job`, `receiver`; only with a name. */
  readonly kind?: string | undefined;
}

/** A problem that a checking tool found in a rendered file. */
export interface CheckFinding {
  /** The rendered file's path inside the config directory, when the tool names it. */
  readonly path?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** Text to search the file for, when the tool names no line. */
  readonly about?: string | undefined;
  /** Keys that lead to it in the file. */
  readonly at?: KeyPath | undefined;
  /** The key of stack.yml that it is about, when it is not about a file. */
  readonly key?: KeyPath | undefined;
  /** One sentence, on one line. */
  readonly message: string;
  readonly hint?: string | undefined;
  /** Whether another check of the same files reports it, so that this one is only skipped. */
  readonly isReportedElsewhere?: boolean | undefined;
}

/** A value that a running service reports about itself. */
export interface HealthIndicator {
  /** `targets`, `last reload`. */
  readonly label: string;
  readonly request: HttpRequest;
  /** What Prometheus is asked besides. */
  readonly query?: HttpRequest | undefined;
  /**
   * Reads a response of status 200; `now` is in milliseconds since 1970. Undefined when it cannot be parsed.
   * `startedAt`: when the container of each service last started, in milliseconds since 1970. `queried`: what Prometheus answered with
   * status 200 to `query`.
   */
  read(
    response: HttpResponse,
    now: number,
    startedAt?: ReadonlyMap<string, number>,
    queried?: HttpResponse,
  ): Reading | undefined;
}

export interface Reading {
  /** `6 up, 1 down`. */
  readonly text: string;
  /** The same for programs; times in ISO 8601. */
  readonly values: Readonly<Record<string, number | string | boolean | readonly string[]>>;
  /** `wrong`: the stack does not do its work; `notice`: worth a look. */
  readonly tone: 'right' | 'notice' | 'wrong';
  readonly problems?: readonly { readonly message: string; readonly tryThis?: string | undefined }[] | undefined;
}
