import type { HttpRequest, HttpResponse } from '../../stack/model.ts';
import type { Secret } from '../../stack/secret.ts';
import type { Release, Service } from '../../stack/service.ts';
import type { ExecResult } from '../engine/engine.ts';
import type { SecretStore } from '../state/secret-store.ts';
import type { Clock } from '../util/clock.ts';

/** How a running server of one kind is made to run its release, and how that is proven. */
export interface ServiceDriver {
  /** Makes the running server read the files of its release; rejects with a StackError when it refuses. */
  reload(context: DriverContext): Promise<void>;
  /** Proves that the running server runs its release; rejects with a StackError when it does not, answers with what the user should know besides. */
  confirm(context: DriverContext): Promise<readonly string[]>;
}

/** What a driver works with: one running server and the release it should run. */
export interface DriverContext {
  readonly service: Service;
  readonly release: Release;
  /** Rejects when there is no answer; any status is an answer. */
  request(request: HttpRequest, options?: { readonly timeoutMs: number }): Promise<HttpResponse>;
  /** Runs a program inside the server's container. */
  exec(argv: readonly string[], stdin?: string): Promise<ExecResult>;
  /** The last lines the server wrote, oldest first; those since a time where one is given. */
  lastLines(since?: Date): Promise<readonly string[]>;
  readonly kept: SecretStore;
  /** The generated secrets for which stack.yml gives a value; the others stay as they are. */
  readonly given: ReadonlyMap<string, Secret>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long a proof may take to come true. */
  readonly deadlineMs: number;
  /** Takes what a slow reload is doing, in words. */
  onProgress(detail: string): void;
}
