import type { KeyPath } from './diagnostic.ts';
import type { Secret } from './secret.ts';

/** One file as a service will see it below its config directory; the content is final. */
export interface RenderedFile {
  readonly service: string;
  /** Relative to the service's config directory, with forward slashes. */
  readonly path: string;
  readonly content: string | Secret;
  /** What may be shown of a content that is a Secret: the same text with `[secret]` in each secret's place. */
  readonly masked?: string;
  /** The secrets inside a content that is a Secret, so that they can be kept out of what others say of the file. */
  readonly secrets?: readonly Secret[];
  /** Permission bits; the owner is the user the service runs as. */
  readonly mode: number;
  /** The file a person would edit to change it, for messages. */
  readonly origin: string;
  /** Whether it was made from one of promstack's own templates. */
  readonly isShipped?: boolean;
  /** Whether its lines are the lines of `origin`, so that a place in one is the same place in the other. */
  readonly isVerbatim?: boolean;
  /** Its lines that came from stack.yml. */
  readonly filled?: readonly FilledLines[];
}

/** Lines of a rendered file, counted from 1, that are the value of a key of stack.yml. */
export interface FilledLines {
  readonly path: KeyPath;
  readonly from: number;
  /** The last of them. */
  readonly to: number;
}

/** A published port: `bind:host` on the engine's host leads to `container` inside. */
export interface PortSpec {
  readonly bind: string;
  readonly host: number;
  readonly container: number;
}

/** What a container sees of the outside: its config directory (read-only) or a data volume. */
export type Mount =
  | { readonly kind: 'config'; readonly target: string }
  | { readonly kind: 'data'; readonly volume: string; readonly target: string };

/** Limits of one container; absent means no limit. */
export interface Resources {
  readonly memoryBytes?: number;
  /** In whole or part CPUs: 0.5 is half of one. */
  readonly cpus?: number;
}

/** Everything about a container that cannot change without making it anew. */
export interface ContainerSpec {
  readonly service: string;
  readonly image: string;
  /** `uid:gid`, in numbers. */
  readonly user: string;
  /** Replaces the image's entrypoint when given. */
  readonly entrypoint?: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ports: readonly PortSpec[];
  readonly mounts: readonly Mount[];
  /** Writable in-memory directories, besides the mounts. */
  readonly tmpfs: readonly string[];
  readonly resources: Resources;
  /** Labels of the person's own, beside promstack's. */
  readonly labels: Readonly<Record<string, string>>;
  readonly stopTimeoutSeconds: number;
}

/** An HTTP request to a service's own port, said without a host: the runner knows how to reach it. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** The port inside the container. */
  readonly port: number;
  readonly path: string;
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer to an HttpRequest. */
export interface HttpResponse {
  readonly status: number;
  readonly body: string;
}

/** What an answer proves: `notYet` asks again until the deadline, `refuted` ends it. */
export type Verdict =
  | { readonly kind: 'proven'; readonly detail?: string }
  | { readonly kind: 'notYet'; readonly because: string }
  | { readonly kind: 'refuted'; readonly because: string };

/** One question to a running service and how to read its answer. */
export interface Proof {
  /** What is being proven, as a short clause: `runs revision 3f2a…`. */
  readonly claim: string;
  readonly request: HttpRequest;
  judge(response: HttpResponse): Verdict;
}

/** A command of the service's own image that checks files before any server reads them. */
export interface CheckCommand {
  /** What is checked, as a short noun phrase: `prometheus.yml and its rules`. */
  readonly title: string;
  /** `CONFIG` inside an argument stands for the directory that holds the service's rendered files. */
  readonly argv: readonly string[];
  /** More runs of the same program, for the same check: it passes when all of them do. */
  readonly alsoRun?: readonly (readonly string[])[];
  /** The files it reads, where they are not just the service's: tests go into CONFIG beside what they test. */
  readonly reads?: readonly RenderedFile[];
  /** The names of the tool on a host without an engine, such as `promtool`. */
  readonly tool: string;
  /** Reads the failure: one finding a problem, in the tool's own words. Paths in the output begin with CONFIG again. */
  explain(output: string): readonly CheckFinding[];
}

/** One problem a checking tool found in a rendered file. */
export interface CheckFinding {
  /** The rendered file's path inside the config directory, when the tool names it. */
  readonly path?: string;
  readonly line?: number;
  readonly column?: number;
  /** A text that stands where the problem is, when the tool names no line: the place is looked for by it. */
  readonly about?: string;
  /** One sentence, on one line. */
  readonly message: string;
}

/** One thing a running service tells of how it is. */
export interface HealthIndicator {
  /** A short noun, as a heading: `targets`, `last reload`. */
  readonly label: string;
  readonly request: HttpRequest;
  /** Reads an answer of status 200; `now` is in milliseconds since 1970. Undefined when it cannot be read. */
  read(response: HttpResponse, now: number): Reading | undefined;
}

/** What an answer says, for a person and for a program. */
export interface Reading {
  /** `6 up, 1 down`. */
  readonly text: string;
  /** The same as numbers and names, for programs; times in seconds since 1970. */
  readonly values: Readonly<Record<string, number | string | boolean | readonly string[]>>;
  /** `wrong` means that the stack does not do its work; `notice` that a person may want to look. */
  readonly tone: 'right' | 'notice' | 'wrong';
  /** What is not right, a sentence each, and what to try. */
  readonly problems?: readonly { readonly message: string; readonly tryThis?: string }[];
}
