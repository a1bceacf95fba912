import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PageServer, startPageServer } from '../../../scripts/ui/page-server.ts';
import { addSecret } from '../../../scripts/util/redaction.ts';
import { InputError, StackError } from '../../../scripts/util/stack-error.ts';
import { isFull } from '../../support/shares.ts';

const files = new Map([
  ['index.html', { type: 'text/html; charset=utf-8', content: Buffer.from('<!doctype html>') }],
  ['page.js', { type: 'text/javascript; charset=utf-8', content: Buffer.from('1') }],
  ['page.css', { type: 'text/css; charset=utf-8', content: Buffer.from('') }],
]);
const markers = '<script>alert(1)</script>\u202e"\n';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Sends exactly this path and these headers. */
async function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const sent = request({ host: '127.0.0.1', port, path, method, headers: { ...length, ...headers }, agent: false });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  if (response.headers['content-type']?.startsWith('text/event-stream') === true) {
    response.destroy();
    return { status: response.statusCode ?? 0, headers: response.headers, body: '' };
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

/** Starts a server with `clients` pages; its bugs are collected. */
async function serve(actions: Parameters<typeof startPageServer>[0]['actions'] = {}, pages = files) {
  const bugs: unknown[] = [];
  const feed = { clients: 0, add: () => undefined };
  const server = await startPageServer({
    port: 0,
    files: pages,
    feed,
    details: {
      group: async (query) =>
        query.get('id') === markers ? { text: markers, password: 'page-server-secret-1' } : undefined,
      target: async () => {
        throw new StackError({ doing: 'querying prometheus', why: 'it is stopped', tryThis: 'promstack up' });
      },
      rule: async () => {
        throw new TypeError('a bug');
      },
    },
    actions,
    onBug: (error) => bugs.push(error),
  });
  return { server, feed, bugs, path: new URL(server.url).pathname };
}

const routes = [
  '',
  'index.html',
  'page.js',
  'page.css',
  'api/events',
  'api/group?id=a',
  'api/nothing',
  'nothing',
] as const;

describe('the server of the page', () => {
  let served: Awaited<ReturnType<typeof serve>>;
  let server: PageServer;
  beforeAll(async () => {
    served = await serve();
    ({ server } = served);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('must have a token of at least 128 bits, another one each time', async () => {
    await using other = (await serve()).server;
    const [token, otherToken] = [server.url, other.url].map((url) => new URL(url).pathname.slice(1, -1));
    expect(Buffer.from(token ?? '', 'base64url').length).toBeGreaterThanOrEqual(16);
    expect(token).not.toBe(otherToken);
  });

  it.each(routes)('must answer nothing at /%s without the token', async (route) => {
    const token = served.path.slice(1, -1);
    for (const start of [
      '/',
      '//',
      `/${token.slice(0, -1)}/`,
      `/${token}x/`,
      '/undefined/',
      `/%2e/${token}/`,
      `/?${token}/`,
    ]) {
      for (const method of ['GET', 'POST', 'OPTIONS', 'HEAD']) {
        const { status, body } = await ask(server.port, `${start}${route}`, { method });
        expect({ start, method, status }).toEqual({ start, method, status: 404 });
        expect(body).not.toContain(token);
      }
    }
  });

  it.each(routes)(
    'must answer nothing at /TOKEN/%s with a foreign host or origin, nor to another page',
    async (route) => {
      const own = `127.0.0.1:${server.port}`;
      const foreign = [
        { host: `evil.example:${server.port}` },
        { host: '127.0.0.1' },
        { host: `localhost.:${server.port}` },
        { host: `LOCALHOST:${server.port}` },
        { host: `[::1]:${server.port}` },
        { host: `127.1:${server.port}` },
        { host: `0.0.0.0:${server.port}` },
        { host: `${own}, evil.example` },
        { host: `evil.example@${own}` },
        { host: 'evil.example', 'x-forwarded-host': own, forwarded: `host=${own}` },
        { host: `127.0.0.1:${server.port + 1}` },
        { host: own, origin: 'https://evil.example' },
        { host: own, origin: `http://127.0.0.1:${server.port + 1}` },
        { host: own, origin: `http://localhost:${server.port}` },
        { host: own, origin: 'null' },
        { host: own, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
        { host: own, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' },
      ] as const;
      for (const headers of foreign) {
        const { status } = await ask(server.port, `${served.path}${route}`, { headers });
        expect({ headers, status }).toEqual({ headers, status: 403 });
      }
    },
  );

  it('must answer to its own page by each of its names, never with CORS, and with strict headers', async () => {
    for (const host of [`127.0.0.1:${server.port}`, `localhost:${server.port}`]) {
      for (const [path, type] of [
        ['', 'text/html'],
        ['page.js', 'text/javascript'],
        ['page.css', 'text/css'],
        ['api/events', 'text/event-stream'],
      ] as const) {
        const { status, headers } = await ask(server.port, `${served.path}${path}`, {
          headers: { host, origin: `http://${host}` },
        });
        expect(status, path).toBe(200);
        expect(headers['content-type'], path).toMatch(type);
        expect(headers).toMatchObject({
          'content-security-policy': expect.stringMatching(/^default-src 'none'; .*frame-ancestors 'none'/),
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          'cache-control': 'no-store',
        });
        expect(headers['content-security-policy']).not.toContain('unsafe');
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      }
    }
  });

  it('must have no route that changes anything', async () => {
    const headers = {
      'x-promstack-page': '1',
      'content-type': 'application/json',
      origin: `http://127.0.0.1:${server.port}`,
    };
    for (const name of [
      'silence',
      'expire-silence',
      'delete-group',
      'reload',
      'rollback',
      'verify',
      'events',
      'group',
    ]) {
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
        const { status } = await ask(server.port, `${served.path}api/${name}`, { method, headers, body: '{}' });
        expect({ name, method, status }).toEqual({ name, method, status: 405 });
      }
    }
  });

  it('must lead a browser to the page once, and not again', async () => {
    await using once = (await serve()).server;
    const { pathname } = new URL(once.urlOnce);
    for (const method of ['HEAD', 'POST', 'OPTIONS']) {
      expect(await ask(once.port, pathname, { method })).toMatchObject({ status: 404 });
    }
    expect(await ask(once.port, pathname)).toMatchObject({
      status: 303,
      headers: { location: new URL(once.url).pathname },
    });
    expect(await ask(once.port, pathname)).toMatchObject({ status: 404 });
  });

  it('must send names with markup as data, and no secret', async () => {
    addSecret('page-server-secret-1');
    const { body, headers } = await ask(server.port, `${served.path}api/group?id=${encodeURIComponent(markers)}`);
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(JSON.parse(body)).toEqual({ text: markers, password: '[secret]' });
  });

  it('must explain what could not be read, and what to try', async () => {
    const { status, body } = await ask(server.port, `${served.path}api/target?id=a`);
    expect({ status, body: JSON.parse(body) as unknown }).toEqual({
      status: 502,
      body: { doing: 'querying prometheus', why: 'it is stopped', tryThis: 'promstack up' },
    });
  });

  it('must pass on an error of this program, and nothing that a client did', async () => {
    await expect(ask(server.port, `${served.path}api/rule?id=a`)).rejects.toThrow();
    expect(served.bugs).toEqual([new TypeError('a bug')]);
    for (const garbage of [
      'GARBAGE\r\n\r\n',
      'GET // HTTP/1.1\r\nhost: a\r\n\r\n',
      `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
    ]) {
      const socket = connect(server.port, '127.0.0.1');
      socket.end(garbage);
      socket.resume();
      await once(socket, 'close');
    }
    expect(await ask(server.port, `${served.path}page.js`)).toMatchObject({ status: 200 });
    expect(served.bugs).toHaveLength(1);
  });

  it.each([
    ['two hosts', (own: string, path: string) => `GET ${path} HTTP/1.1\r\nHost: ${own}\r\nHost: evil.example\r\n\r\n`],
    ['no host', (_: string, path: string) => `GET ${path} HTTP/1.1\r\n\r\n`],
    ['HTTP/1.0 without a host', (_: string, path: string) => `GET ${path} HTTP/1.0\r\n\r\n`],
    [
      'a whole URL of another host',
      (own: string, path: string) => `GET http://evil.example${path} HTTP/1.1\r\nHost: ${own}\r\n\r\n`,
    ],
    ['a tunnel', (own: string, path: string) => `CONNECT ${own}${path} HTTP/1.1\r\nHost: ${own}\r\n\r\n`],
    ['a space before the colon', (own: string, path: string) => `GET ${path} HTTP/1.1\r\nHost : ${own}\r\n\r\n`],
    ['a folded host', (own: string, path: string) => `GET ${path} HTTP/1.1\r\nHost:\r\n ${own}\r\n\r\n`],
    [
      'a length and chunks',
      (own: string, path: string) =>
        `POST ${path}api/reload HTTP/1.1\r\nHost: ${own}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET ${path} HTTP/1.1\r\nHost: ${own}\r\n\r\n`,
    ],
    [
      'a bare line feed',
      (own: string, path: string) => `GET ${path} HTTP/1.1\nHost: ${own}\nX: \rGET ${path} HTTP/1.1\n\n`,
    ],
    [
      '20 kB of headers',
      (own: string, path: string) => `GET ${path} HTTP/1.1\r\nHost: ${own}\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    ],
  ])('must not answer with the page to %s', async (_, request) => {
    const socket = connect(server.port, '127.0.0.1');
    socket.end(request(`127.0.0.1:${server.port}`, served.path));
    const answered = (await text(socket).catch(() => '')).trim();
    expect(answered).not.toContain('200 OK');
    expect(answered).not.toContain('doctype');
  });

  it('must answer no other method, part or path, and nothing twice on one connection without the token', async () => {
    for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'PUT', 'PROPFIND']) {
      const { status, headers, body } = await ask(server.port, served.path, { method });
      expect({ method, status }).toEqual({ method, status: 405 });
      expect(headers['allow'] ?? '').not.toContain('POST');
      expect(body).not.toContain('doctype');
    }
    expect(await ask(server.port, `${served.path}page.js`, { headers: { range: 'bytes=0-0' } })).toMatchObject({
      status: 200,
      body: '1',
    });
    for (const path of [
      '../index.html',
      '..%2findex.html',
      '%2e%2e/etc/passwd',
      '/etc/passwd',
      'index.html%00',
      '__proto__',
      'api/__proto__',
      'api/constructor',
      'api//group',
    ]) {
      expect({ path, status: (await ask(server.port, `${served.path}${path}`)).status }).toEqual({ path, status: 404 });
    }
    const socket = connect(server.port, '127.0.0.1');
    const host = `Host: 127.0.0.1:${server.port}\r\n`;
    socket.end(`GET ${served.path} HTTP/1.1\r\n${host}\r\nGET /other/ HTTP/1.1\r\n${host}\r\n`);
    expect((await text(socket)).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404']);
  });

  it('must close connections that send a request byte by byte, or none', async ({ skip }) => {
    skip(!isFull, 'it takes seven seconds');
    const sockets = ['', 'GET / HTTP/1.1\r\nHost: a'].map((start) => {
      const socket = connect(server.port, '127.0.0.1');
      socket.write(start);
      socket.on('error', () => undefined);
      return socket.resume();
    });
    const dripping = setInterval(() => sockets[1]?.write('a'), 200);
    await Promise.all(sockets.map((socket) => once(socket, 'close', { signal: AbortSignal.timeout(9_000) })));
    clearInterval(dripping);
  }, 15_000);

  it('must refuse more pages than it can serve', async () => {
    const { server: full, feed, path } = await serve();
    await using _full = full;
    feed.clients = 16;
    expect(await ask(full.port, `${path}api/events`)).toMatchObject({ status: 503 });
  });

  it('must say so when the build has no page', async () => {
    const { server: bare, path } = await serve({}, new Map());
    await using _bare = bare;
    const { status, body } = await ask(bare.port, path);
    expect(status).toBe(500);
    expect(JSON.parse(body)).toMatchObject({ why: 'the page is missing from this build', tryThis: 'npm run build' });
  });

  it('must refuse a port that is taken', async () => {
    const taken = startPageServer({
      port: server.port,
      files,
      feed: served.feed,
      details: {},
      actions: {},
      onBug: () => undefined,
    });
    await expect(taken).rejects.toThrow(
      `listening on port ${server.port}: another program uses it\n  try: use another --port`,
    );
  });
});

describe('the server of a page that may change the stack', () => {
  const bodies: unknown[] = [];
  const actions = {
    reload: async (body: unknown) => {
      bodies.push(body);
      return { text: 'nothing to do' };
    },
    silence: async () => {
      throw new InputError([{ severity: 'error', code: 'misuse', message: 'no matchers' }]);
    },
  };

  it('must make a change only for its own page', async () => {
    const { server, path } = await serve(actions);
    await using _server = server;
    const own = {
      origin: `http://127.0.0.1:${server.port}`,
      'x-promstack-page': '1',
      'content-type': 'application/json',
    };
    const post = (name: string, headers: Record<string, string>, body = '{"a":1}') =>
      ask(server.port, `${path}api/${name}`, {
        method: 'POST',
        headers,
        body,
      });
    for (const missing of Object.keys(own)) {
      const headers = Object.fromEntries(Object.entries(own).filter(([name]) => name !== missing));
      expect(await post('reload', headers), missing).toMatchObject({ status: 403 });
    }
    const simple = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=a',
      'application/json;a',
    ];
    for (const type of simple) {
      expect(await post('reload', { ...own, 'content-type': type }), type).toMatchObject({ status: 403 });
    }
    for (const origin of ['null', `http://localhost:${server.port}`, 'http://127.0.0.1', 'https://evil.example']) {
      expect(await post('reload', { ...own, origin }), origin).toMatchObject({ status: 403 });
    }
    for (const site of ['cross-site', 'same-site']) {
      expect(await post('reload', { ...own, 'sec-fetch-site': site }), site).toMatchObject({ status: 403 });
    }
    const preflight = await ask(server.port, `${path}api/reload`, {
      method: 'OPTIONS',
      headers: { ...own, 'access-control-request-method': 'POST' },
    });
    expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(await post('reload', own, 'no json')).toMatchObject({ status: 400 });
    expect(await post('reload', own, JSON.stringify('a'.repeat(70_000)))).toMatchObject({ status: 413 });
    expect(bodies).toEqual([]);
    expect(await post('reload', own)).toMatchObject({ status: 200, body: '{"text":"nothing to do"}' });
    expect(bodies).toEqual([{ a: 1 }]);
    expect(await post('silence', own)).toMatchObject({ status: 400, body: expect.stringContaining('no matchers') });
    expect(await post('nothing', own)).toMatchObject({ status: 404 });
    expect(await ask(server.port, `${path}api/reload`)).toMatchObject({ status: 404 });
  });
});
