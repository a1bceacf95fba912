import type { HttpRequest, HttpResponse, RenderedFile } from '../../stack/model.ts';
import type { Secret } from '../../stack/secret.ts';
import type { Release, Service } from '../../stack/service.ts';
import type { ExecResult } from '../engine/engine.ts';
import type { SecretStore, Secrets } from '../state/secret-store.ts';
import type { Clock } from '../util/clock.ts';
import { StackError } from '../util/stack-error.ts';
import type { StoreQuery } from './long-term.ts';

/** Makes a running server of one kind run its release, and proves that it does. */
export interface ServiceDriver {
  /** Makes the running server load the files of its release; rejects with a StackError when it rejects them. */
  reload(context: DriverContext): Promise<void>;
  /** Proves that the running server runs its release; rejects with a StackError when it does not. Returns notes for the user. */
  confirm(context: DriverContext): Promise<readonly string[]>;
  /** Proves that what a server of this kind sends to a store arrives there, where it has one; part of `confirm`. */
  confirmStore?(context: StoreContext): Promise<readonly string[]>;
  /**
   * Makes a server of a swarm take its secrets, where it takes them from their files only at its first start; `former` are those
   * that it may still have. Returns notes for the user.
   */
  takeSecrets?(context: SecretsContext): Promise<readonly string[]>;
  /** What would keep this command from changing the running server, such as a password that it rejects; changes nothing. */
  problems?(context: LookContext): Promise<readonly ServerProblem[]>;
  /** What was changed by hand inside the running server, which runs these files; a sentence each. */
  edits?(context: LookContext, files: readonly RenderedFile[]): Promise<readonly string[]>;
}

/** A running server whose samples are to be found in a store. */
export type StoreContext = Pick<
  DriverContext,
  | 'release'
  | 'confirmed'
  | 'changedAt'
  | 'request'
  | 'lastLines'
  | 'hasStarted'
  | 'clock'
  | 'signal'
  | 'deadlineMs'
  | 'onProgress'
> & { readonly query: StoreQuery };

/** A running server, its secrets by name, and those of before. */
export interface SecretsContext extends Pick<DriverContext, 'request'> {
  readonly wanted: Secrets;
  readonly former: readonly Secrets[];
}

/** A running server to look at. */
export type LookContext = Pick<DriverContext, 'kept' | 'given' | 'request' | 'rejected' | 'lastLines'> & {
  readonly clock: Pick<Clock, 'now'>;
  /** The files that it is to load; undefined when they are not known. */
  readonly files?: readonly RenderedFile[] | undefined;
  /** Reads the files that it runs. */
  readonly running?: () => Promise<readonly RenderedFile[]>;
};

/** What is wrong with a running server, and what to try. */
export interface ServerProblem {
  readonly message: string;
  readonly tryThis: string;
  /** What it keeps a command from; default: a reload of the running server. A warning keeps it from nothing. */
  readonly prevents?: 'any change' | 'nothing' | undefined;
}

/** The server runs but does not let promstack work with it. Its container is left running, since the way out needs it. */
export class LockedOutError extends StackError {}

/** A running server and the release it should run. */
export interface DriverContext {
  readonly service: Service;
  readonly release: Release;
  /** The files that the server has loaded before, by the last confirmed change; undefined when that is not certain. */
  readonly loaded?: readonly RenderedFile[] | undefined;
  /** The files of its last confirmed release, running or not; undefined when there is none. */
  readonly confirmed?: readonly RenderedFile[] | undefined;
  /** When this command started the server or began to reload it; undefined before. */
  readonly changedAt?: Date | undefined;
  /** Rejects when there is no response; any status is a response. */
  request(request: HttpRequest, options?: { readonly timeoutMs: number }): Promise<HttpResponse>;
  /** Runs a program inside the server's container. */
  exec(argv: readonly string[], stdin?: string): Promise<ExecResult>;
  /** The last lines of the server's log, oldest first; with `since`, those since a time. */
  lastLines(since?: Date): Promise<readonly string[]>;
  readonly kept: SecretStore;
  /** The generated secrets that stack.yml sets; the others stay unchanged. */
  readonly given: ReadonlyMap<string, Secret>;
  /** Whether this command generated the server's secrets: it has never run with them. */
  readonly isFirstStart: boolean;
  /** Whether this command started the server. */
  readonly isStarted: boolean;
  /** Whether this command started another service of the stack. */
  hasStarted?(service: string): boolean;
  /** Whether it runs what it ran before this command, which has failed. */
  readonly isRestored?: boolean | undefined;
  /** The passwords that the server has rejected within this command. */
  readonly rejected: Set<string>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long the proofs may take. */
  readonly deadlineMs: number;
  /** Reports what a slow reload is doing. */
  onProgress(detail: string): void;
  /** Reports something the user should know although nothing failed. */
  onNote(text: string): void;
}
