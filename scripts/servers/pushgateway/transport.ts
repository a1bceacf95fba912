import { type Agent, Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { longestTimerMs } from '../../util/clock.ts';
import { version } from '../../util/version.ts';

/** How requests go out. */
export interface TransportOptions {
  /** Where the Pushgateway is, its path prefix included. */
  readonly url: GatewayUrl;
  /** For one request, the answer's body included. */
  readonly timeoutMs: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Makes the connections, and stays open; one of its own, which keeps them open until it is closed, when absent. */
  readonly agent?: Agent | undefined;
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

/** An answer, whatever its status; redirects are not followed, since one would turn a push into a GET. */
export interface GatewayResponse {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** A way to send requests. */
export interface Transport extends AsyncDisposable {
  /** Where they go, for messages: without credentials. */
  readonly base: string;
  /** Sends one request; rejects with NoAnswer, or with the signal's reason when it aborts. */
  send(outgoing: Outgoing): Promise<GatewayResponse>;
}

/** There was no answer. */
export class ConnectionError extends Error {
  /** `connection`: none was made or it broke, so trying again is worth it. `timeout`: it was silent for too long. */
  readonly kind: 'connection' | 'timeout';
  /** The system's word for it: `ECONNREFUSED`. */
  readonly code: string | undefined;

  constructor(kind: 'connection' | 'timeout', message: string, cause: NodeJS.ErrnoException) {
    super(message, { cause });
    this.name = 'NoAnswer';
    this.kind = kind;
    this.code = cause.code;
  }
}

/** The way straight to an address. node:http takes half the time of fetch, which a thousand deletes make felt. */
export function openTransport({ url, timeoutMs, headers, agent: given }: TransportOptions): Transport {
  const isSecure = url.base.startsWith('https:');
  const agent = given ?? (isSecure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true }));
  const open = isSecure ? httpsRequest : httpRequest;
  const usual = {
    'user-agent': `promstack/${version()}`,
    ...(url.authorization === undefined ? {} : { authorization: url.authorization }),
    ...headers,
  };

  const sendOnce = ({ method, path, signal }: Outgoing, packed: Packed): Promise<GatewayResponse> =>
    new Promise((resolve, reject) => {
      let reason: ConnectionError | undefined;
      const sent = open(`${url.base}${path}`, { method, agent, headers: { ...usual, ...packed.headers } });
      const timer = setTimeout(
        () => {
          const why = new Error(`there was no answer within ${timeoutMs / 1000} s`);
          reason = new ConnectionError('timeout', why.message, why);
          sent.destroy();
        },
        Math.min(timeoutMs, longestTimerMs),
      );
      const onAbort = () => sent.destroy();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const fail = (error: Error) => {
        end();
        if (signal?.aborted === true) reject(signal.reason);
        else reject(reason ?? (sent.reusedSocket && isReset(error) ? new StaleConnection() : toNoAnswer(error)));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      sent.on('error', fail);
      sent.on('response', (response) => {
        text(response).then((body) => {
          end();
          resolve({ status: response.statusCode ?? 0, body, headers: response.headers });
        }, fail);
      });
      sent.end(packed.payload);
    });

  return {
    base: url.base,
    send: async (outgoing) => {
      const packed = await pack(outgoing.body);
      outgoing.signal?.throwIfAborted();
      try {
        return await sendOnce(outgoing, packed);
      } catch (error) {
        if (error instanceof StaleConnection) return sendOnce(outgoing, packed);
        throw error;
      }
    },
    [Symbol.asyncDispose]: async () => {
      if (given === undefined) agent.destroy();
    },
  };
}

/** A connection that was kept open had been closed by the other side meanwhile; nothing is known of the server by that. */
class StaleConnection extends Error {}

function isReset(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

/** Several tries at one host come as an AggregateError. */
function toNoAnswer(error: NodeJS.ErrnoException): ConnectionError {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return toNoAnswer(error.errors[0]);
  return new ConnectionError(
    'connection',
    error.message === '' ? (error.code ?? 'the connection failed') : error.message,
    error,
  );
}

/** A body as it goes out. */
interface Packed {
  readonly payload?: string | Buffer;
  readonly headers: Readonly<Record<string, string | number>>;
}

/** What a body is. */
export const textFormat = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } as const;

/** Bodies from this size on are worth the time that compressing takes. */
const gzipFromBytes = 16 * 1024;

async function pack(body: string | undefined): Promise<Packed> {
  if (body === undefined) return { headers: {} };
  const length = Buffer.byteLength(body);
  if (length < gzipFromBytes) return { payload: body, headers: { ...textFormat, 'content-length': length } };
  const payload = await promisify(gzip)(body);
  return { payload, headers: { ...textFormat, 'content-encoding': 'gzip', 'content-length': payload.length } };
}
