import { setMaxListeners } from 'node:events';
import { type Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { HttpResponse } from '../../stack/model.ts';
import { longestTimerMs } from './clock.ts';

/** A response with its headers, their names in lower case. */
export interface FullResponse extends HttpResponse {
  readonly headers: IncomingHttpHeaders;
}

/** No response was received. */
export class ConnectionError extends Error {
  /** `connection`: it failed or broke, so a retry may help. `timeout`: no response in time. */
  readonly kind: 'connection' | 'timeout';
  /** The system's error code: `ECONNREFUSED`. */
  readonly code: string | undefined;

  constructor(kind: ConnectionError['kind'], message: string, cause?: NodeJS.ErrnoException) {
    super(message, { cause });
    this.name = 'ConnectionError';
    this.kind = kind;
    this.code = cause?.code;
  }
}

/** A ConnectionError of the kind `timeout`. */
export function timeoutError(timeoutMs: number, cause?: NodeJS.ErrnoException): ConnectionError {
  return new ConnectionError('timeout', `no answer within ${timeoutMs / 1000} s`, cause);
}

interface RequestOptions {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: string | Buffer | undefined;
  readonly agent: Agent;
  /** For the complete response, including its body. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends one request to an http or https URL. Rejects with a ConnectionError, or with the signal's reason when it aborts;
 * any status is a response. Redirects are not followed, since that would turn a PUT into a GET. node:http takes half
 * the time of fetch, which shows in a thousand requests.
 */
export async function sendRequest(url: string, options: RequestOptions): Promise<FullResponse> {
  options.signal?.throwIfAborted();
  try {
    return await sendOnce(url, options);
  } catch (error) {
    if (error instanceof StaleConnection) return sendOnce(url, options);
    throw error;
  }
}

/** The server had already closed a keep-alive connection, so the request is sent again. */
class StaleConnection extends ConnectionError {}

function sendOnce(
  url: string,
  { method, headers, body, agent, timeoutMs, signal }: RequestOptions,
): Promise<FullResponse> {
  return new Promise((resolve, reject) => {
    let timeout: ConnectionError | undefined;
    const open = url.startsWith('https:') ? httpsRequest : httpRequest;
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const sent = open(url, { method, agent, headers: { ...headers, ...length } });
    const onTimeout = () => {
      timeout = timeoutError(timeoutMs);
      sent.destroy();
    };
    const timer = setTimeout(onTimeout, Math.min(timeoutMs, longestTimerMs));
    const onAbort = () => sent.destroy();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: Error) => {
      end();
      if (signal?.aborted === true) reject(signal.reason);
      else
        reject(
          timeout ??
            (sent.reusedSocket && isReset(error)
              ? new StaleConnection('connection', error.message, error)
              : toConnectionError(error)),
        );
    };
    // Node warns of more than ten listeners, which as many concurrent requests have.
    if (signal !== undefined) setMaxListeners(0, signal);
    signal?.addEventListener('abort', onAbort, { once: true });
    sent.on('error', fail);
    sent.on('response', (response) => {
      text(response).then((received) => {
        end();
        resolve({ status: response.statusCode ?? 0, body: received, headers: response.headers });
      }, fail);
    });
    sent.end(body);
  });
}

/** Why a client does not accept the certificate of a server, by the code of OpenSSL. */
const certificateErrors: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: compare its clock with that of this host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by an unknown CA, itself',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an unknown CA',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an unknown CA',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an unknown CA',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an unknown CA',
  CERT_SIGNATURE_FAILURE: 'its certificate is signed by an unknown CA',
};

/** Whether a request failed since its client does not accept the certificate of the server. */
export function isRefusedCertificate(error: unknown): boolean {
  return error instanceof ConnectionError && Object.hasOwn(certificateErrors, error.code ?? '');
}

function isReset(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

/** Failed attempts at several addresses of a host are one AggregateError. */
function toConnectionError(error: NodeJS.ErrnoException): ConnectionError {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return toConnectionError(error.errors[0]);
  const plain = error.message === '' ? (error.code ?? 'the connection failed') : error.message;
  const message = certificateErrors[error.code ?? ''] ?? plain;
  return new ConnectionError('connection', message, error);
}
