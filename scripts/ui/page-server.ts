import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { parseJson } from '../../stack/values/parse.ts';
import { EngineError, toStackError } from '../engine/engine-error.ts';
import { redactIn } from '../util/redaction.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import { mostClients, type PageFeed } from './page-feed.ts';
import type { PageError } from './page-requests.ts';

/** A file of the page, kept in memory. */
export interface PageFile {
  readonly type: string;
  readonly content: Buffer;
}

export interface PageServerOptions {
  /** 0 for a free one. */
  readonly port: number;
  /** By path: `page.js`; the page itself is `index.html`. */
  readonly files: ReadonlyMap<string, PageFile>;
  readonly feed: Pick<PageFeed, 'add' | 'clients'>;
  /** The details by path: `group`. A result of undefined is not found. */
  readonly details: Readonly<Record<string, (query: URLSearchParams) => Promise<unknown>>>;
  /** Called with an error that is none of a request, the stack or the engine. */
  onBug(error: unknown): void;
  /** The changes by path, with --allow-changes; they take a parsed body. */
  readonly actions: Readonly<Record<string, (body: unknown) => Promise<unknown>>>;
}

/** The server of the page, which listens on the loopback address. */
export interface PageServer extends AsyncDisposable {
  readonly port: number;
  /** The address of the page, with the token. */
  readonly url: string;
  /** The same for a program whose arguments others can read: it works once. */
  readonly urlOnce: string;
}

const host = '127.0.0.1';

/** Nothing from elsewhere is loaded, nothing is run that is not in the page's own files, and no page can frame it. */
const safeHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** Requests for details and changes that run at once; more wait in line, and many more are refused. */
const atOnce = 4;
const mostWaiting = 64;
const mostBodyBytes = 65_536;

/** A response of an error. */
class Refusal extends Error {
  readonly status: number;
  readonly error: PageError;

  constructor(status: number, error: PageError) {
    super(error.why);
    this.status = status;
    this.error = error;
  }
}

/** Starts the server; rejects with a StackError when the port is taken. */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const token = newToken();
  let once: string | undefined = newToken();
  const gate = new Gate();
  const server = createServer(
    {
      ...{ maxHeaderSize: 16_384, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000 },
      // Without it, a client that sends nothing has its connection for half a minute.
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => {
      answer(request, response).catch((error: unknown) => sendError(response, error, options.onBug));
    },
  );
  server.maxConnections = 400;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    checkOrigin(request, portOf(server));
    const [pathname = '', query = ''] = (request.url ?? '').split('?', 2);
    const [, given = '', ...rest] = pathname.split('/');
    // Not for a preview of the link, which would leave nothing to the browser.
    if (once !== undefined && request.method === 'GET' && isEqual(given, once)) {
      once = undefined;
      send(response, 303, { location: `/${token}/` }, '');
      return;
    }
    if (!isEqual(given, token)) throw notFound;
    await route(request, response, {
      path: rest.join('/'),
      query: new URLSearchParams(query),
      hasSlash: rest.length > 0,
    });
  };
  const route = async (
    request: IncomingMessage,
    response: ServerResponse,
    { path, query, hasSlash }: { readonly path: string; readonly query: URLSearchParams; readonly hasSlash: boolean },
  ): Promise<void> => {
    const { files, feed, details, actions } = options;
    const name = path.startsWith('api/') ? path.slice('api/'.length) : undefined;
    if (request.method === 'POST') {
      const act = name !== undefined && Object.hasOwn(actions, name) ? actions[name] : undefined;
      if (act === undefined) throw name === undefined || Object.keys(actions).length === 0 ? notAllowed : notFound;
      const body = await readBody(request);
      sendJson(response, await gate.pass(() => act(body)));
      return;
    }
    if (request.method !== 'GET') throw notAllowed;
    if (!hasSlash) {
      send(response, 308, { location: `/${token}/` }, '');
    } else if (name === 'events') {
      if (feed.clients >= mostClients) {
        throw busy(`${mostClients} pages of it are open`, 'close one of them');
      }
      response.writeHead(200, { ...safeHeaders, 'content-type': 'text/event-stream; charset=utf-8' });
      response.flushHeaders();
      response.socket?.setNoDelay();
      feed.add(response);
    } else if (name !== undefined) {
      const find = Object.hasOwn(details, name) ? details[name] : undefined;
      const found = await (find && gate.pass(() => find(query)));
      if (found === undefined) throw notFound;
      sendJson(response, found);
    } else {
      const file = files.get(path === '' ? 'index.html' : path);
      if (files.size === 0) throw noPage;
      if (file === undefined) throw notFound;
      send(response, 200, { 'content-type': file.type }, file.content);
    }
  };
  await listen(server, options.port);
  const base = `http://${host}:${portOf(server)}`;
  return {
    port: portOf(server),
    url: `${base}/${token}/`,
    urlOnce: `${base}/${once}/`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const newToken = (): string => randomBytes(24).toString('base64url');

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** In the same time whichever characters differ. */
function isEqual(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

/** A name of another host that leads here, or a page of another server, may not ask. */
function checkOrigin({ headers, headersDistinct }: IncomingMessage, port: number): void {
  const hosts = [`${host}:${port}`, `localhost:${port}`];
  const isOwn = headersDistinct['host']?.every((given) => hosts.includes(given)) === true;
  if (headers.host === undefined || !isOwn) {
    throw new Refusal(403, {
      doing: 'opening the page',
      why: 'the host is not this computer',
      tryThis: 'use the URL that promstack ui prints',
    });
  }
  const isNavigation = headers['sec-fetch-mode'] === 'navigate';
  const isElsewhere = ['cross-site', 'same-site'].includes(String(headers['sec-fetch-site'])) && !isNavigation;
  if (isElsewhere || (headers.origin !== undefined && headers.origin !== `http://${headers.host}`)) {
    throw new Refusal(403, {
      doing: 'opening the page',
      why: 'the request is from another page',
      tryThis: 'use the URL that promstack ui prints',
    });
  }
}

/** A form of another page can send neither this header nor this type. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const { headers } = request;
  const doing = 'changing the stack';
  const isOfPage =
    headers['x-promstack-page'] === '1' &&
    headers['content-type'] === 'application/json' &&
    headers.origin === `http://${headers.host}`;
  if (!isOfPage) throw new Refusal(403, { doing, why: 'the request is not from the page of promstack ui' });
  if (Number(headers['content-length'] ?? Number.NaN) <= mostBodyBytes) {
    const body = parseJson(await text(request).catch(() => ''));
    if (body !== undefined) return body;
    throw new Refusal(400, { doing, why: 'the request is not JSON' });
  }
  throw new Refusal(413, { doing, why: `the request has no length, or more than ${mostBodyBytes} bytes` });
}

const notFound = new Refusal(404, {
  doing: 'opening the page',
  why: 'there is nothing here',
  tryThis: 'use the URL that promstack ui prints',
});
const notAllowed = new Refusal(405, {
  doing: 'opening the page',
  why: 'this page only shows: it can change nothing',
  tryThis: 'promstack ui --allow-changes',
});
const noPage = new Refusal(500, {
  doing: 'opening the page',
  why: 'the page is missing from this build',
  tryThis: 'npm run build',
});
const busy = (why: string, tryThis: string): Refusal => new Refusal(503, { doing: 'opening the page', why, tryThis });

/** Lets a few through at once. */
class Gate {
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside >= atOnce) {
      if (this.#waiting.length >= mostWaiting) throw busy('too many requests at once', 'try it again');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#inside += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#inside -= 1;
      else next();
    }
  }
}

function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  content: string | Buffer,
): void {
  response.writeHead(status, { ...safeHeaders, ...headers, 'content-length': Buffer.byteLength(content) });
  response.end(content);
}

function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  send(response, status, { 'content-type': 'application/json; charset=utf-8' }, JSON.stringify(redactIn(value)));
}

function sendError(response: ServerResponse, error: unknown, onBug: PageServerOptions['onBug']): void {
  const known = toPageError(error);
  if (known === undefined) onBug(error);
  if (known === undefined || response.headersSent || response.destroyed) response.destroy();
  else sendJson(response, known.body, known.status);
}

/** Undefined for an error of this program. */
function toPageError(error: unknown): { readonly status: number; readonly body: PageError } | undefined {
  if (error instanceof Refusal) return { status: error.status, body: error.error };
  if (error instanceof InputError) {
    return { status: 400, body: { doing: 'changing the stack', why: error.message } };
  }
  const failure = error instanceof EngineError ? toStackError(error) : error;
  if (failure instanceof StackError) {
    const { doing, why, tryThis } = failure;
    return { status: 502, body: { doing, why, tryThis } };
  }
  return undefined;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'another program uses it' : cause.message;
      reject(new StackError({ doing: `listening on port ${port}`, why, tryThis: 'use another --port', cause }));
    });
    server.listen(port, host, () => resolve());
  });
}
