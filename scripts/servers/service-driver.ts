import type { HttpRequest, HttpResponse } from '../../stack/model.ts';
import type { Secret } from '../../stack/secret.ts';
import type { Release, Service } from '../../stack/service.ts';
import type { ExecResult } from '../engine/engine.ts';
import type { SecretStore } from '../state/secret-store.ts';
import type { Clock } from '../util/clock.ts';

/** Makes a running server of one kind run its release, and proves that it does. */
export interface ServiceDriver {
  /** Makes the running server load the files of its release; rejects with a StackError when it rejects them. */
  reload(context: DriverContext): Promise<void>;
  /** Proves that the running server runs its release; rejects with a StackError when it does not. Returns notes for the user. */
  confirm(context: DriverContext): Promise<readonly string[]>;
}

/** A running server and the release it should run. */
export interface DriverContext {
  readonly service: Service;
  readonly release: Release;
  /** Rejects when there is no response; any status is a response. */
  request(request: HttpRequest, options?: { readonly timeoutMs: number }): Promise<HttpResponse>;
  /** Runs a program inside the server's container. */
  exec(argv: readonly string[], stdin?: string): Promise<ExecResult>;
  /** The last lines of the server's log, oldest first; with `since`, those since a time. */
  lastLines(since?: Date): Promise<readonly string[]>;
  readonly kept: SecretStore;
  /** The generated secrets that stack.yml sets; the others stay unchanged. */
  readonly given: ReadonlyMap<string, Secret>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long the proofs may take. */
  readonly deadlineMs: number;
  /** Reports what a slow reload is doing. */
  onProgress(detail: string): void;
}
