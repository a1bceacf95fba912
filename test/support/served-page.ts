import { createReadStream } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { applyChange, type PageChange, type PageState, type Snapshot } from '../../scripts/ui/page-state.ts';
import { packageRoot } from '../../scripts/util/package-root.ts';

/** The built page of `promstack ui`, with a server whose state the test decides. */
export interface ServedPage {
  readonly url: string;
  /** Sends a change to every open page. */
  change(change: PageChange): void;
  /** Answers details and actions. Any other request fails the test that made it. */
  answer(path: string, answer: (request: Asked) => unknown): void;
  /** Ends the streams of open pages and refuses new ones. */
  stop(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Asked {
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** As the program sends it. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

export async function servePage(first: PageState, history: Snapshot['history'] = {}): Promise<ServedPage> {
  let state = first;
  const streams = new Set<ServerResponse>();
  const answers = new Map<string, (request: Asked) => unknown>();
  const send = (stream: ServerResponse, event: string, data: unknown): void => {
    stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://page');
    response.setHeader('content-security-policy', policy);
    if (pathname === '/api/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      streams.add(response.on('close', () => streams.delete(response)));
      send(response, 'snapshot', { state, history } satisfies Snapshot);
      return;
    }
    const answer = answers.get(pathname.replace('/api/', ''));
    if (answer !== undefined) {
      const parts = await request.toArray();
      const text = Buffer.concat(parts as Buffer[]).toString('utf8');
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer({ query: Object.fromEntries(searchParams), body })));
      return;
    }
    const file = pathname === '/' ? 'index.html' : pathname.slice(1);
    const type = types[extname(file)];
    if (type === undefined) response.writeHead(404).end('{}');
    else createReadStream(join(packageRoot(), 'dist', 'ui', file)).pipe(response.setHeader('content-type', type));
  });
  const listen = (port: number): Promise<void> => new Promise((done) => server.listen(port, '127.0.0.1', done));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}/`,
    change: (change) => {
      state = applyChange(state, change);
      for (const stream of streams) send(stream, 'change', change);
    },
    answer: (path, answer) => void answers.set(path, answer),
    stop,
    start: () => listen(port),
    [Symbol.asyncDispose]: stop,
  };
}
