import { classicModel } from './dashboards.ts';
import type { Database, StoredDashboard, StoredDatasource, StoredUser } from './store.ts';
import { userRoutes } from './users.ts';

/** A response. */
export interface Reply {
  readonly status: number;
  /** Text as it is, anything else as JSON. */
  readonly body: unknown;
}

/** What the server's parts share. */
export interface Grafana {
  readonly database: Database;
  readonly settings: Readonly<Record<string, string>>;
  readonly reload: (what: 'datasources' | 'dashboards') => void;
  readonly log: (line: string) => void;
  /** Sends a GET to the server behind a datasource. */
  readonly fetch: (url: string, datasource: StoredDatasource) => Promise<Response>;
}

/** A request that a route has taken. */
export interface Asked {
  /** What the pattern's groups matched. */
  readonly one: string;
  readonly other: string;
  /** The request's body. */
  readonly text: string;
  /** Undefined for a visitor. */
  readonly user: StoredUser | undefined;
  /** Of the request's header, or the one that the user chose. */
  readonly orgId: number;
  readonly grafana: Grafana;
}

export interface Route {
  readonly pattern: RegExp;
  /** `viewer`: visitors too, where they are let in. */
  readonly role: 'admin' | 'user' | 'viewer';
  handle(asked: Asked): Reply | Promise<Reply>;
}

/** The plugins behind aliases. */
const plugins: Readonly<Record<string, string>> = {
  postgres: 'grafana-postgresql-datasource',
  testdata: 'grafana-testdata-datasource',
  phlare: 'grafana-pyroscope-datasource',
};

/** The datasource plugins of the image, as `GET /api/plugins?type=datasource` lists them. */
const installed = [
  ...['alertmanager', 'cloudwatch', 'elasticsearch', 'grafana-azure-monitor-datasource', 'graphite', 'influxdb'],
  ...['grafana-postgresql-datasource', 'grafana-pyroscope-datasource', 'grafana-testdata-datasource', 'jaeger'],
  ...['loki', 'mssql', 'mysql', 'opentsdb', 'parca', 'prometheus', 'stackdriver', 'tempo', 'zipkin'],
];

const noDatasource: Reply = { status: 404, body: { message: 'Data source not found' } };
const noDashboard: Reply = { status: 404, body: { message: 'Dashboard not found' } };

/** The routes of 12.4 that are known; nothing else is answered. */
export const routes: readonly Route[] = [
  {
    pattern: /^POST \/api\/admin\/provisioning\/(datasources|plugins|alerting|dashboards)\/reload$/,
    role: 'admin',
    handle: reload,
  },
  { pattern: /^POST \/api\/datasources$/, role: 'admin', handle: addDatasource },
  { pattern: /^GET \/api\/datasources$/, role: 'viewer', handle: datasources },
  { pattern: /^DELETE \/api\/datasources\/uid\/([^/]+)$/, role: 'admin', handle: deleteDatasource },
  { pattern: /^GET \/api\/datasources\/uid\/([^/]+)$/, role: 'viewer', handle: datasource },
  { pattern: /^GET \/api\/datasources\/uid\/([^/]+)\/health$/, role: 'viewer', handle: health },
  { pattern: /^GET \/api\/datasources\/proxy\/uid\/([^/]+)\/(.+)$/, role: 'viewer', handle: proxy },
  { pattern: /^GET \/api\/dashboards\/uid\/([^/]+)$/, role: 'viewer', handle: dashboard },
  { pattern: /^DELETE \/api\/dashboards\/uid\/([^/]+)$/, role: 'admin', handle: deleteDashboard },
  { pattern: /^POST \/api\/dashboards\/db$/, role: 'admin', handle: addDashboard },
  {
    pattern:
      /^GET \/apis\/dashboard\.grafana\.app\/v0alpha1\/namespaces\/default\/search\?type=(dashboard|folder)&limit=100000&field=source\.checksum$/,
    role: 'viewer',
    handle: index,
  },
  { pattern: /^POST \/api\/folders$/, role: 'admin', handle: addFolder },
  {
    pattern: /^GET \/apis\/folder\.grafana\.app\/v1beta1\/namespaces\/default\/folders\/([^/]+)$/,
    role: 'viewer',
    handle: folder,
  },
  { pattern: /^GET \/api\/folders\/([^/]+)\/counts$/, role: 'viewer', handle: folderCounts },
  { pattern: /^DELETE \/api\/folders\/([^/]+)$/, role: 'admin', handle: deleteFolder },
  { pattern: /^GET \/api\/search\?type=dash-db&limit=5000$/, role: 'viewer', handle: search },
  { pattern: /^GET \/api\/plugins\/([^/]+)\/settings$/, role: 'viewer', handle: plugin },
  ...userRoutes,
];

/** As Grafana logs it, in logfmt. */
export function provisioningError(error: unknown): string {
  const message = (error as Error).message.replaceAll('"', '\\"');
  return `logger=provisioning level=error msg="Failed to provision data sources" error="Datasource provisioning error: ${message}"`;
}

function reload({ one, grafana }: Asked): Reply {
  try {
    // Of plugins and alerting only that they are asked for is known.
    if (one === 'datasources' || one === 'dashboards') grafana.reload(one);
  } catch (error) {
    grafana.log(provisioningError(error));
    return { status: 500, body: { message: '' } };
  }
  return { status: 200, body: { message: `${one.charAt(0).toUpperCase()}${one.slice(1)} config reloaded` } };
}

function find({ one, orgId, grafana }: Asked): StoredDatasource | undefined {
  return grafana.database.read().datasources.find((stored) => stored.uid === one && stored.orgId === orgId);
}

function datasources({ grafana }: Asked): Reply {
  const all = grafana.database.read().datasources;
  return { status: 200, body: all.map(({ secrets: _, secureJsonData: __, isPrunable: ___, ...model }) => model) };
}

/** As the browser adds one: it belongs to no file. */
function addDatasource({ text, grafana }: Asked): Reply {
  const { uid, name, type, url } = JSON.parse(text) as Record<'uid' | 'name' | 'type' | 'url', string>;
  const access = {
    access: 'proxy',
    user: '',
    database: '',
    basicAuth: false,
    basicAuthUser: '',
    withCredentials: false,
  };
  const rest = { isDefault: false, orgId: 1, jsonData: {}, secrets: [], readOnly: false, isPrunable: false };
  const { datasources } = grafana.database.read();
  grafana.database.update({ datasources: [...datasources, { uid, name, type, url, ...access, ...rest }] });
  return { status: 200, body: { message: 'Datasource added', name } };
}

function deleteDatasource({ one, grafana }: Asked): Reply {
  const { datasources } = grafana.database.read();
  grafana.database.update({ datasources: datasources.filter(({ uid }) => uid !== one) });
  return { status: 200, body: { message: 'Data source deleted' } };
}

function datasource(asked: Asked): Reply {
  const found = find(asked);
  if (found === undefined) return noDatasource;
  const { secrets, secureJsonData: _, isPrunable: __, ...model } = found;
  const secureJsonFields = Object.fromEntries(secrets.map((name) => [name, true]));
  return { status: 200, body: { id: 1, ...model, type: plugins[found.type] ?? found.type, secureJsonFields } };
}

/** The health checks of plugins, to the real server behind: a path, and what they say of an answer and of none. */
const healthChecks: Readonly<Record<string, { path: string; ok: string; broken(reason: string): string }>> = {
  prometheus: {
    path: '/api/v1/query?query=1%2B1',
    ok: 'Successfully queried the Prometheus API.',
    broken: (reason) => `${reason} - There was an error returned querying the Prometheus API.`,
  },
  loki: {
    path: '/loki/api/v1/query?query=vector(1)%2Bvector(1)',
    ok: 'Data source successfully connected.',
    broken: () => 'Unable to connect with Loki. Please check the server logs for more details.',
  },
};

/** The plugin's own query. */
async function health(asked: Asked): Promise<Reply> {
  const stored = find(asked);
  if (stored === undefined) return { status: 500, body: { message: 'Unable to load datasource metadata' } };
  const check = healthChecks[stored.type];
  if (check === undefined) return { status: 500, body: { message: 'Plugin unavailable' } };
  try {
    const answer = await asked.grafana.fetch(`${stored.url}${check.path}`, stored);
    if (answer.ok) return { status: 200, body: { status: 'OK', message: check.ok } };
    return { status: 400, body: { status: 'ERROR', message: check.broken(`${answer.status} ${answer.statusText}`) } };
  } catch (error) {
    return { status: 400, body: { status: 'ERROR', message: check.broken(reason(error)) } };
  }
}

/** pkg/api/pluginproxy: a GET goes through to the server behind. */
async function proxy(asked: Asked): Promise<Reply> {
  const found = find(asked);
  if (found === undefined) return { status: 404, body: { message: 'Unable to find datasource' } };
  try {
    const answer = await asked.grafana.fetch(`${found.url}/${asked.other}`, found);
    return { status: answer.status, body: await answer.json() };
  } catch {
    return { status: 502, body: '' };
  }
}

const reason = (error: unknown): string => {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
};

function dashboard({ one, grafana }: Asked): Reply {
  const { dashboards, folders } = grafana.database.read();
  const found = dashboards.find(({ uid }) => uid === one);
  if (found === undefined) return noDashboard;
  const { id, version, folder, path } = found;
  const folderTitle = folders.find(({ uid }) => uid === folder)?.title ?? 'General';
  const meta = { type: 'db', provisioned: path !== undefined, folderUid: folder, folderTitle };
  return { status: 200, body: { meta, dashboard: { ...classicModel(found), id, version } } };
}

function search({ grafana }: Asked): Reply {
  const { dashboards } = grafana.database.read();
  const found = dashboards.map(({ id, uid, model }) => ({ id, uid, title: model['title'], type: 'dash-db', tags: [] }));
  return { status: 200, body: found };
}

const manager = (provider: string): object => ({ managedBy: { kind: 'classic-file-provisioning', id: provider } });

/** pkg/registry/apis/dashboard/search.go */
function index({ one, grafana }: Asked): Reply {
  const { dashboards, folders } = grafana.database.read();
  const hits =
    one === 'folder'
      ? folders.map(({ uid, title, isManaged }) => ({ name: uid, title, ...(isManaged && manager('promstack')) }))
      : dashboards.map(({ uid, model, folder, provider, md5 }) => ({
          ...{ name: uid, title: model['title'], folder },
          ...(provider !== undefined && { ...manager(provider), field: { 'source.checksum': md5 } }),
        }));
  return { status: 200, body: { totalHits: hits.length, hits } };
}

function folder({ one, grafana }: Asked): Reply {
  const found = grafana.database.read().folders.find(({ uid }) => uid === one);
  if (found === undefined) return { status: 404, body: { message: 'folder not found' } };
  const annotations = { 'grafana.app/createdBy': found.createdBy };
  return { status: 200, body: { kind: 'Folder', metadata: { name: one, annotations }, spec: { title: found.title } } };
}

function folderCounts({ one, grafana }: Asked): Reply {
  const dashboard = grafana.database.read().dashboards.filter((stored) => stored.folder === one).length;
  return { status: 200, body: { alertrule: 0, dashboard, folder: 0, librarypanel: 0 } };
}

/** As the browser adds one. */
function addFolder({ text, grafana }: Asked): Reply {
  const { title, uid = `mine-${title}` } = JSON.parse(text) as { readonly title: string; readonly uid?: string };
  const { folders } = grafana.database.read();
  grafana.database.update({ folders: [...folders, { uid, title, createdBy: 'user:admin', isManaged: false }] });
  return { status: 200, body: { uid, title } };
}

function deleteFolder({ one, grafana }: Asked): Reply {
  const { dashboards, folders } = grafana.database.read();
  grafana.database.update({
    folders: folders.filter(({ uid }) => uid !== one),
    dashboards: dashboards.filter((stored) => stored.folder !== one),
  });
  return { status: 200, body: { message: 'Folder deleted' } };
}

/** As the browser adds one: it belongs to no file. */
function addDashboard({ text, grafana }: Asked): Reply {
  const { dashboard: model, folderUid: folder = '' } = JSON.parse(text) as {
    readonly dashboard: StoredDashboard['model'];
    readonly folderUid?: string;
  };
  const { dashboards } = grafana.database.read();
  const uid = String(model['uid']);
  const former = dashboards.find((stored) => stored.uid === uid);
  if (former?.path !== undefined) return { status: 400, body: { message: 'Cannot save provisioned dashboard' } };
  const id = former?.id ?? Math.max(0, ...dashboards.map((stored) => stored.id)) + 1;
  const added = { id, uid, version: (former?.version ?? 0) + 1, folder, model, md5: '' };
  grafana.database.update({ dashboards: [...dashboards.filter((stored) => stored !== former), added] });
  return { status: 200, body: { id, uid, status: 'success', version: added.version } };
}

function deleteDashboard({ one, grafana }: Asked): Reply {
  const { dashboards } = grafana.database.read();
  const found = dashboards.find(({ uid }) => uid === one);
  if (found === undefined) return noDashboard;
  if (found.path !== undefined) return { status: 400, body: { message: 'provisioned dashboard cannot be deleted' } };
  grafana.database.update({ dashboards: dashboards.filter((other) => other !== found) });
  return { status: 200, body: { message: 'Dashboard deleted', uid: one } };
}

function plugin({ one }: Asked): Reply {
  if (!installed.includes(one)) {
    return { status: 404, body: { message: 'Plugin not found, no installed plugin with that id' } };
  }
  return { status: 200, body: { id: one, type: 'datasource', enabled: false } };
}
