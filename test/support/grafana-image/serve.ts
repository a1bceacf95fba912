import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Asked, type Grafana, provisioningError, type Reply, routes } from './api.ts';
import { provisionDashboards } from './dashboards.ts';
import { provisionDatasources } from './datasources.ts';
import { type Database, hashOf } from './store.ts';

/** How long after it is healthy Grafana has provisioned; long enough that whoever takes health for ready is found out. */
const provisioningMs = 1_500;

/** Serves until it is stopped. */
export function serve(database: Database, settings: Readonly<Record<string, string>>): void {
  const folder = settings['paths.provisioning'] ?? '';
  const log = (line: string): void => void process.stdout.write(`${line}\n`);
  const reload = (what: 'datasources' | 'dashboards'): void => {
    const { datasources, dashboards } = database.read();
    if (what === 'datasources') {
      database.update({ datasources: provisionDatasources(join(folder, what), datasources, process.env) });
    } else {
      database.update({ dashboards: provisionDashboards(join(folder, what), dashboards, process.env, log) });
    }
  };
  const server = createServer(async (request, response) => {
    const { status, body } = await answer(request, { database, settings, reload, log });
    const isText = typeof body === 'string';
    response.writeHead(status, { 'content-type': isText ? 'text/plain; version=0.0.4' : 'application/json' });
    response.end(isText ? body : JSON.stringify(body));
  });
  server.listen(3000, () => log('logger=http.server level=info msg="HTTP Server Listen" address=[::]:3000'));
  setTimeout(() => {
    for (const missing of ['plugins', 'alerting']) {
      const path = join(folder, missing);
      const error = `open ${path}: no such file or directory`;
      if (!existsSync(path))
        log(`logger=provisioning.${missing} level=error msg="Failed to read" path=${path} error="${error}"`);
    }
    try {
      reload('datasources');
      reload('dashboards');
    } catch (error) {
      log(provisioningError(error));
      process.exit(1);
    }
  }, provisioningMs);
  process.once('SIGTERM', () => process.exit(0));
}

async function answer(request: IncomingMessage, grafana: Grafana): Promise<Reply> {
  const { method = '', url = '' } = request;
  const asked = `${method} ${url}`;
  if (asked === 'GET /api/health') {
    return { status: 200, body: { database: 'ok', version: '12.4.0', commit: 'abc' } };
  }
  if (asked === 'GET /metrics') return { status: 200, body: 'grafana_build_info{version="12.4.0"} 1\n' };
  const role = roleOf(request, grafana);
  if (role === undefined) return { status: 401, body: { message: 'Invalid username or password' } };
  for (const { pattern, role: needed, handle } of routes) {
    const match = pattern.exec(asked);
    if (match === null) continue;
    if (needed === 'admin' && role !== 'admin') return { status: 403, body: { message: 'Access denied' } };
    const [, one = '', other = ''] = match;
    const given: Asked = { one: decodeURIComponent(one), other, text: await text(request), grafana };
    return handle(given);
  }
  grafana.log(`the stand-in does not know ${asked}`);
  return { status: 599, body: { message: `the stand-in does not know ${asked}` } };
}

/** Basic auth with the lock after five wrong tries (pkg/services/loginattempt); without a login whatever anonymous people may. */
function roleOf({ headers }: IncomingMessage, { database, settings }: Grafana): 'admin' | 'viewer' | undefined {
  if (headers.authorization === undefined) return settings['auth.anonymous.enabled'] === 'true' ? 'viewer' : undefined;
  const [user, ...rest] = Buffer.from(headers.authorization.replace(/^Basic /, ''), 'base64')
    .toString()
    .split(':');
  const { password, failedLogins } = database.read();
  if (failedLogins < 5 && user === settings['security.admin_user'] && hashOf(rest.join(':')) === password)
    return 'admin';
  database.update({ failedLogins: failedLogins + 1 });
  return undefined;
}
