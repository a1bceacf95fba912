import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Asked, type Grafana, provisioningError, type Reply, routes } from './api.ts';
import { provisionDashboards } from './dashboards.ts';
import { provisionDatasources } from './datasources.ts';
import type { Database, StoredDatasource, StoredUser } from './store.ts';
import { authenticate } from './users.ts';

/** How long after it is healthy Grafana has provisioned; long enough that whoever takes health for ready is found out. */
const provisioningMs = 1_500;

/** Sends a GET to the server behind a datasource, with its login and its certificate authority. */
async function fetchBehind(
  url: string,
  { basicAuth, basicAuthUser, jsonData, secureJsonData: secrets = {} }: StoredDatasource,
): Promise<Response> {
  const login = Buffer.from(`${basicAuthUser}:${secrets['basicAuthPassword']}`).toString('base64');
  const headers: Record<string, string> = basicAuth ? { authorization: `Basic ${login}` } : {};
  const signal = AbortSignal.timeout(3_000);
  if (!url.startsWith('https:')) return fetch(url, { headers, signal });
  const { serverName } = jsonData;
  const tls = {
    ...(jsonData['tlsAuthWithCACert'] === true ? { ca: secrets['tlsCACert'] } : {}),
    ...(typeof serverName === 'string' ? { servername: serverName } : {}),
  };
  const sent = get(url, { headers, signal, ...tls });
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return new Response(await text(response), { status: response.statusCode ?? 0 });
}

/** Serves in the image until it is stopped. */
export function serve(database: Database, settings: Readonly<Record<string, string>>): void {
  const log = (line: string): void => void process.stdout.write(`${line}\n`);
  const grafana = openGrafana({ database, settings, log, fetch: fetchBehind });
  serverOf((request) => answer(request, grafana)).listen(3000, () =>
    log('logger=http.server level=info msg="HTTP Server Listen" address=[::]:3000'),
  );
  setTimeout(() => {
    for (const missing of ['plugins', 'alerting']) {
      const path = join(settings['paths.provisioning'] ?? '', missing);
      const error = `open ${path}: no such file or directory`;
      if (!existsSync(path))
        log(`logger=provisioning.${missing} level=error msg="Failed to read" path=${path} error="${error}"`);
    }
    try {
      provision(grafana);
    } catch (error) {
      log(provisioningError(error));
      process.exit(1);
    }
  }, provisioningMs);
  process.once('SIGTERM', () => process.exit(0));
}

/** What a starting server does. */
export function provision({ database, reload }: Grafana): void {
  reload('datasources');
  reload('dashboards');
  // pkg/services/secrets/kvstore/migrations: it updates all datasources, and what it does not set becomes false.
  const { areSecretsMigrated, datasources } = database.read();
  const unprunable = datasources.map((datasource) => ({ ...datasource, isPrunable: false }));
  if (!areSecretsMigrated) database.update({ datasources: unprunable, areSecretsMigrated: true });
}

/** Grafana on a database, with the provisioning files of its settings, which it has not read yet. */
export function openGrafana(parts: Omit<Grafana, 'reload'>): Grafana {
  const { database, settings, log } = parts;
  const reload = (what: 'datasources' | 'dashboards'): void => {
    const folder = join(settings['paths.provisioning'] ?? '', what);
    const stored = database.read();
    if (what === 'datasources') {
      database.update({ datasources: provisionDatasources(folder, stored, process.env) });
    } else {
      database.update(provisionDashboards(folder, stored, process.env, log));
    }
  };
  return { ...parts, reload };
}

/** A server of these answers: strings as they are, the rest as JSON. */
export function serverOf(answering: (request: IncomingMessage) => Reply | Promise<Reply>): Server {
  return createServer(async (request, response) => {
    const { status, body } = await answering(request);
    const isText = typeof body === 'string';
    response.writeHead(status, { 'content-type': isText ? 'text/plain; version=0.0.4' : 'application/json' });
    response.end(isText ? body : JSON.stringify(body));
  });
}

export async function answer(request: IncomingMessage, grafana: Grafana): Promise<Reply> {
  const { method = '', url = '' } = request;
  const asked = `${method} ${url}`;
  if (asked === 'GET /api/health') {
    return { status: 200, body: { database: 'ok', version: '12.4.0', commit: 'abc' } };
  }
  if (asked === 'GET /metrics') return { status: 200, body: 'grafana_build_info{version="12.4.0"} 1\n' };
  const user = userOf(request, grafana);
  const orgId = Number(request.headers['x-grafana-org-id'] ?? user?.orgId ?? 1);
  const isOpen = grafana.settings['auth.anonymous.enabled'] === 'true';
  if (user === undefined && !isOpen) return { status: 401, body: { message: 'Invalid username or password' } };
  for (const { pattern, role: needed, handle } of routes) {
    const match = pattern.exec(asked);
    if (match === null) continue;
    if (needed === 'user' && user === undefined) return { status: 401, body: { message: 'Unauthorized' } };
    if (needed === 'admin' && user?.isAdmin !== true) return { status: 403, body: { message: 'Access denied' } };
    const [, one = '', other = ''] = match;
    const given: Asked = { one: decodeURIComponent(one), other, text: await text(request), user, orgId, grafana };
    return handle(given);
  }
  grafana.log(`the stand-in does not know ${asked}`);
  return { status: 599, body: { message: `the stand-in does not know ${asked}` } };
}

/** The user of a request's basic auth; with a wrong password the request is a visitor's. */
function userOf({ headers: { authorization } }: IncomingMessage, grafana: Grafana): StoredUser | undefined {
  if (authorization === undefined) return undefined;
  const [login = '', ...rest] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64')
    .toString()
    .split(':');
  return authenticate(grafana, login, rest.join(':'));
}
