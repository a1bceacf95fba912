import type { HttpRequest, HttpResponse } from '../../stack/model.ts';
import type { Secret } from '../../stack/secret.ts';
import type { Release } from '../../stack/service.ts';
import type { ExecResult } from '../engine/engine.ts';
import type { SecretStore } from '../state/secret-store.ts';
import type { Clock } from '../util/clock.ts';

/** What promstack does itself for one kind of server, where a declared request and its answer are not enough. */
export interface ServiceDriver {
  /** The name of the service it attends to. */
  readonly service: string;
  /** Makes the running server take the files of its release; rejects with a StackError when it refuses. */
  reload(room: DriverContext): Promise<void>;
  /** Shows that the running server runs its release; rejects with a StackError when it does not, answers with what a person should know besides. */
  confirm(room: DriverContext): Promise<readonly string[]>;
}

/** What an attendant has to work with: one running server and the release it is meant to run. */
export interface DriverContext {
  readonly release: Release;
  /** Rejects when there is no answer; any status is an answer. */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Runs a program inside the server's container. */
  exec(argv: readonly string[], stdin?: string): Promise<ExecResult>;
  /** The last lines the server wrote, oldest first. */
  lastLines(): Promise<readonly string[]>;
  readonly kept: SecretStore;
  /** The kept secrets that the server is to have; the others stay as they are. */
  readonly given: ReadonlyMap<string, Secret>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long a proof may take to come true. */
  readonly deadlineMs: number;
}
