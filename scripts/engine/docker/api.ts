import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type Dockerode from 'dockerode';
import { durationText } from '../../util/duration-text.ts';
import type { Report } from '../../util/event.ts';
import { EngineError } from '../engine-error.ts';
import { toEngineError, unlessStatus } from './call.ts';
import { checkedDialer, notDockerApi, UnexpectedResponse } from './response.ts';

/** Time limits of the engine's calls, in milliseconds. */
interface CallLimits {
  /** Without a byte of the response: a call that reads, changes something, deletes files, or transfers images. */
  readonly readMs: number;
  readonly changeMs: number;
  readonly deleteMs: number;
  readonly transferMs: number;
  /** The same for the first call after one that got no response: the engine probably does not respond to that either. */
  readonly silentMs: number;
  /** How long a change under way is waited for after an interrupt, so that it is known whether it took effect. */
  readonly graceMs: number;
  /** When a call that has not responded yet is reported: one that reads; a change is part of a step that is reported. */
  readonly slowReadMs: number;
  readonly slowChangeMs: number;
}

const defaultLimits: CallLimits = {
  readMs: 60_000,
  changeMs: 120_000,
  deleteMs: 600_000,
  transferMs: 300_000,
  silentMs: 10_000,
  graceMs: 5_000,
  slowReadMs: 1_000,
  slowChangeMs: 5_000,
};

/** What concerns all calls of an engine. */
export interface ApiOptions {
  readonly report?: Report | undefined;
  /** The user's interrupt. It ends the calls under way; calls that begin after it, as in a rollback, are made. */
  readonly signal?: AbortSignal | undefined;
  readonly limits?: Partial<CallLimits> | undefined;
}

interface CallOptions {
  readonly kind?: 'read' | 'change' | 'delete' | 'transfer';
  /** Time that the call takes in any case, in milliseconds: the grace period of a container's stop. */
  readonly extraMs?: number | undefined;
  /** Ends the call at once. */
  readonly signal?: AbortSignal | undefined;
}

/** Makes the requests of one call, through a dockerode whose requests are bound to the limits of the call. */
type Request<T> = (docker: Dockerode, limits: RequestContext) => Promise<T>;

interface RequestContext {
  /** Aborted at the limits of the call. */
  readonly signal: AbortSignal;
  /** Says that something was sent or received, so that the call gets more time. */
  received(): void;
}

/** The only access to the engine's API. Rejects with an EngineError, or with the reason of the signal that aborted. */
export interface DockerApi {
  call<T>(doing: string, request: Request<T>, options?: CallOptions): Promise<T>;
  /** Like `call`, but resolves with undefined on a 404. */
  optional<T>(doing: string, request: Request<T>, options?: CallOptions): Promise<T | undefined>;
  /**
   * Like `call`, but resolves once the response begins, with what `read` makes of it. A response that is `endless` may be
   * silent for any time from then on.
   */
  open<T>(
    doing: string,
    request: Request<IncomingMessage>,
    read: (chunks: AsyncIterable<Buffer>) => AsyncIterable<T>,
    options?: CallOptions & { readonly endless?: boolean },
  ): Promise<AsyncIterable<T>>;
}

export function createDockerApi(docker: Dockerode, address: string, options: ApiOptions = {}): DockerApi {
  const limits = { ...defaultLimits, ...options.limits };
  let calls = 0;
  /** The last call got no response. */
  let isSilent = false;

  /** Aborts a call at its limits and its signals, and reports it when it takes long. */
  const guard = (call: string, { kind = 'read', extraMs = 0, signal }: CallOptions) => {
    const doing = withShortIds(call);
    const controller = new AbortController();
    const isChange = kind === 'change' || kind === 'delete';
    const abort = (reason: unknown): void => controller.abort(reason);
    let limit: NodeJS.Timeout | undefined;
    let isPaused = false;
    const arm = (): void => {
      isPaused = false;
      clearTimeout(limit);
      const ms = extraMs + (isSilent ? Math.min(limits[`${kind}Ms`], limits.silentMs) : limits[`${kind}Ms`]);
      limit = setTimeout(() => {
        isSilent = true;
        abort(noResponse(doing, address, ms));
      }, ms);
    };
    let grace: NodeJS.Timeout | undefined;
    const onInterrupt = (): void => {
      if (!isChange) {
        abort(options.signal?.reason);
        return;
      }
      grace = setTimeout(() => {
        isSilent = true;
        abort(options.signal?.reason);
      }, limits.graceMs + extraMs);
    };
    const onAbort = (): void => abort(signal?.reason);
    const endReport = reportSlow(doing, kind, extraMs);
    if (signal?.aborted === true) onAbort();
    // Node warns of more than ten listeners, which as many concurrent calls have.
    for (const shared of [signal, options.signal]) if (shared !== undefined) setMaxListeners(0, shared);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted === false) options.signal.addEventListener('abort', onInterrupt, { once: true });
    arm();
    let hasBegun = false;
    return {
      doing,
      signal: controller.signal,
      received: (): void => {
        isSilent = false;
        hasBegun = true;
        if (!isPaused && !controller.signal.aborted) arm();
      },
      arm,
      pause: (): void => {
        isPaused = true;
        clearTimeout(limit);
      },
      endReport: () => endReport(hasBegun),
      end: (): void => {
        clearTimeout(limit);
        clearTimeout(grace);
        signal?.removeEventListener('abort', onAbort);
        options.signal?.removeEventListener('abort', onInterrupt);
        endReport(hasBegun);
      },
      failure: (error: unknown): unknown => {
        if (controller.signal.aborted) return controller.signal.reason;
        if (error instanceof UnexpectedResponse) return notDockerApi({ doing, address, body: error.message });
        return toEngineError(doing, error);
      },
    };
  };

  /** Reports a call that gets no response for long; returns what reports its end. */
  const reportSlow = (doing: string, kind: CallOptions['kind'], extraMs: number): ((hasResponse: boolean) => void) => {
    const { report } = options;
    // A transfer's progress is reported by its caller.
    if (report === undefined || kind === 'transfer') return () => undefined;
    const id = `engine-${++calls}`;
    const what = `wait for the engine: ${doing}`;
    const began = Date.now();
    let isReported = false;
    const slow = (): void => {
      isReported = true;
      report({ kind: 'started', id, what });
      report({ kind: 'progress', id, what, detail: `no response yet from ${address}` });
    };
    const timer = setTimeout(slow, extraMs + (kind === 'read' ? limits.slowReadMs : limits.slowChangeMs));
    return (hasResponse) => {
      clearTimeout(timer);
      if (!isReported) return;
      isReported = false;
      if (hasResponse) report({ kind: 'done', id, what, tookMs: Date.now() - began });
      else report({ kind: 'failed', id, what, why: `no response from ${address}` });
    };
  };

  const bind = ({ doing, signal, received }: RequestContext & { readonly doing: string }): Dockerode =>
    checkedDialer(docker, { address, doing, signal, received });

  const api: DockerApi = {
    async call(doing, request, callOptions = {}) {
      const guarded = guard(doing, callOptions);
      try {
        return await request(bind(guarded), guarded);
      } catch (error) {
        throw guarded.failure(error);
      } finally {
        guarded.end();
      }
    },
    optional: (doing, request, callOptions) =>
      api.call(doing, (...context) => request(...context).catch(unlessStatus(404)), callOptions),
    async open(doing, request, read, { endless = false, ...callOptions } = {}) {
      const guarded = guard(doing, callOptions);
      try {
        const response = await request(bind(guarded), guarded);
        guarded.pause();
        guarded.endReport();
        return receive(response, read, { ...guarded, arm: endless ? () => undefined : guarded.arm });
      } catch (error) {
        guarded.end();
        throw guarded.failure(error);
      }
    },
  };
  return api;
}

/** Reads a response until its end; whoever stops earlier closes the connection. */
async function* receive<T>(
  response: IncomingMessage,
  read: (chunks: AsyncIterable<Buffer>) => AsyncIterable<T>,
  guarded: { arm(): void; pause(): void; end(): void; failure(error: unknown): unknown },
): AsyncGenerator<T> {
  /** The limit holds only while a chunk is waited for: a reader may take its time. */
  async function* chunks(): AsyncGenerator<Buffer> {
    const source = (response as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    for (;;) {
      guarded.arm();
      const { value, done } = await source.next();
      guarded.pause();
      if (done === true) return;
      yield value;
    }
  }
  try {
    yield* read(chunks());
  } catch (error) {
    throw guarded.failure(error);
  } finally {
    guarded.end();
    response.destroy();
  }
}

/** Ids as `docker ps` shows them. */
function withShortIds(doing: string): string {
  return doing.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1');
}

function noResponse(doing: string, address: string, ms: number): EngineError {
  return new EngineError({
    code: 'unreachable',
    doing,
    message: `the engine at ${address} has not responded for ${durationText(ms)}`,
    tryThis: 'see whether the engine works: docker info; restart it if that does not respond either',
  });
}
