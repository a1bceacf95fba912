import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { version } from '../util/version.ts';

/** The part of `fetch` that is used; handed in where a test needs another. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** How requests go out. */
export interface TransportOptions {
  /** Where the Pushgateway is, its path prefix included. */
  readonly url: GatewayUrl;
  readonly fetch?: Fetch | undefined;
  /** For one request, the answer's body included. */
  readonly timeoutMs: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A Pushgateway's address in parts, so that its password is never printed with it. */
export interface GatewayUrl {
  /** Without credentials and without a slash at the end. */
  readonly base: string;
  /** The value of the Authorization header, when the address had a user. */
  readonly authorization?: string | undefined;
}

/** One request; the path is below the base. */
export interface Outgoing {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  /** In the text format. */
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An answer, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Headers;
}

/** Bodies from this size on are worth the time that compressing takes. */
const gzipFromBytes = 16 * 1024;

/** There was no answer. */
export class NoAnswer extends Error {
  /** `connection`: none was made or it broke, so trying again is worth it. `timeout`: it was silent for too long. */
  readonly kind: 'connection' | 'timeout';
  /** The system's word for it: `ECONNREFUSED`. */
  readonly code: string | undefined;

  constructor(kind: 'connection' | 'timeout', message: string, options: { code?: string | undefined; cause: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'NoAnswer';
    this.kind = kind;
    this.code = options.code;
  }
}

/** Sends one request; rejects with NoAnswer, or with the signal's reason when it aborts. */
export async function send(transport: TransportOptions, { method, path, body, signal }: Outgoing): Promise<Answer> {
  const deadline = AbortSignal.timeout(transport.timeoutMs);
  const fetch = transport.fetch ?? globalThis.fetch;
  const { payload, headers } = await pack(body);
  try {
    const response = await fetch(`${transport.url.base}${path}`, {
      method,
      // A redirect would turn a push into a GET of another page.
      redirect: 'manual',
      headers: {
        'user-agent': `promstack/${version()}`,
        ...(transport.url.authorization === undefined ? {} : { authorization: transport.url.authorization }),
        ...transport.headers,
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    return { status: response.status, body: await response.text(), headers: response.headers };
  } catch (error) {
    signal?.throwIfAborted();
    throw toNoAnswer(error, deadline, transport.timeoutMs);
  }
}

async function pack(body: string | undefined): Promise<{ payload?: string | Buffer; headers: Record<string, string> }> {
  if (body === undefined) return { headers: {} };
  const type = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
  if (Buffer.byteLength(body) < gzipFromBytes) return { payload: body, headers: type };
  return { payload: await promisify(gzip)(body), headers: { ...type, 'content-encoding': 'gzip' } };
}

function toNoAnswer(error: unknown, deadline: AbortSignal, timeoutMs: number): NoAnswer {
  if (deadline.aborted)
    return new NoAnswer('timeout', `there was no answer within ${timeoutMs / 1000} s`, { cause: error });
  const cause = rootOf(error);
  const code = (cause as NodeJS.ErrnoException).code;
  return new NoAnswer('connection', cause.message === '' ? (code ?? 'the connection failed') : cause.message, {
    code,
    cause: error,
  });
}

/** fetch wraps what happened in `fetch failed`, and several tries at one host in an AggregateError. */
function rootOf(error: unknown): Error {
  if (error instanceof AggregateError && error.errors.length > 0) return rootOf(error.errors[0]);
  if (error instanceof Error && error.cause instanceof Error) return rootOf(error.cause);
  return error instanceof Error ? error : new Error(String(error));
}
