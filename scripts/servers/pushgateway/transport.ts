import { type Agent, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { StackConfig } from '../../../stack/config.ts';
import type { Diagnostic } from '../../../stack/diagnostic.ts';
import { type FullResponse, sendRequest } from '../../util/http.ts';
import { fail, ok, type Result } from '../../util/result.ts';
import { version } from '../../util/version.ts';

/** A request to a Pushgateway; the path is relative to its URL, the body in the text format. */
export interface GatewayRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests to one Pushgateway. */
export interface Transport extends AsyncDisposable {
  /** Its URL without credentials, for messages. */
  readonly base: string;
  /** Whether it is the one of `--url`, not of a stack. */
  readonly isGiven?: boolean | undefined;
  /** Any status is a response. Rejects with a ConnectionError, or with the signal's reason when it aborts. */
  send(request: GatewayRequest): Promise<FullResponse>;
}

/** A Pushgateway's URL in parts, so that its password is never printed. */
export interface GatewayUrl {
  /** Without credentials and without a trailing slash. */
  readonly base: string;
  /** The value of the Authorization header, if the URL has a user. */
  readonly authorization?: string | undefined;
}

export interface TransportOptions {
  readonly url: GatewayUrl;
  /** For one request, including the response's body. */
  readonly timeoutMs: number;
  /** Whether the URL is from `--url`. */
  readonly isGiven?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Stays open when the transport is disposed; by default the transport has its own, which keeps connections alive. */
  readonly agent?: Agent | undefined;
}

export const textFormat = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } as const;

/** The size from which compressing a body saves time. */
const gzipFromBytes = 16 * 1024;

export function openTransport({ url, timeoutMs, isGiven, headers, agent: given }: TransportOptions): Transport {
  const { base, authorization } = url;
  const agent = given ?? new (base.startsWith('https:') ? HttpsAgent : HttpAgent)({ keepAlive: true });
  const common = {
    'user-agent': `promstack/${version()}`,
    ...(authorization === undefined ? {} : { authorization }),
    ...headers,
  };
  return {
    base,
    isGiven,
    send: async ({ method, path, body, signal }) => {
      const isLarge = body !== undefined && Buffer.byteLength(body) >= gzipFromBytes;
      return sendRequest(`${base}${path}`, {
        method,
        agent,
        timeoutMs,
        signal,
        body: isLarge ? await promisify(gzip)(body) : body,
        headers: {
          ...common,
          ...(body === undefined ? {} : textFormat),
          ...(isLarge ? { 'content-encoding': 'gzip' } : {}),
        },
      });
    },
    [Symbol.asyncDispose]: async () => {
      if (given === undefined) agent.destroy();
    },
  };
}

/** Parses a URL from the user: `localhost:9091`, `https://user:password@host/prefix/`. */
export function parseGatewayUrl(text: string): Result<GatewayUrl> {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(full)) return wrong(`${JSON.stringify(text)} is not a URL`, 'write http://HOST:9091');
  const { protocol, host, pathname, search, hash, username, password } = new URL(full);
  if (protocol !== 'http:' && protocol !== 'https:') {
    return wrong(
      `the URL of a Pushgateway begins with http:// or https://, not with ${protocol}//`,
      'write http://HOST:9091',
    );
  }
  if (/\/metrics(\/|$)/.test(pathname) || search !== '' || hash !== '') {
    const prefix = pathname.replace(/\/metrics(\/.*)?$/, '');
    return wrong('the URL must be that of the Pushgateway itself', `write ${protocol}//${host}${prefix}`);
  }
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return ok({
    base: `${protocol}//${host}${pathname.replace(/\/+$/, '')}`,
    authorization: user === ':' ? undefined : `Basic ${Buffer.from(user, 'utf8').toString('base64')}`,
  });
}

function wrong(message: string, hint: string): Result<never> {
  const diagnostic: Diagnostic = { severity: 'error', code: 'gateway-address', message, hint };
  return fail([diagnostic]);
}

/** The URL of the stack's Pushgateway on this host, according to stack.yml. */
export function stackGatewayUrl({ bind, pushgateway }: StackConfig): string {
  const host = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[bind] ?? (bind.includes(':') ? `[${bind}]` : bind);
  return `http://${host}:${pushgateway.port}`;
}
