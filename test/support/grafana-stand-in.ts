import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ExpectedDatasource,
  expectedDashboards,
  expectedDatasources,
} from '../../scripts/servers/grafana/expected.ts';
import type { RenderedFile } from '../../stack/model.ts';

/** What a stand-in answers: a status and a JSON body. */
interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** How a stand-in misbehaves; each fault is one that Grafana 12.4 can show. */
export interface Faults {
  /** Provisioning at start takes so many requests after health is ok. */
  slowStart?: number;
  /** The next reloads of the kind are refused with this status and words; `log` is written to the log, as Grafana does. */
  refuse?: {
    readonly what: 'datasources' | 'dashboards';
    readonly status: 403 | 500;
    readonly message: string;
    readonly log?: string;
  };
  /** So many reloads leave the datasource of that uid as it was, though they answer 200. */
  leaveAsItWas?: { readonly uid: string; times: number };
  /** The server behind the datasource of that uid does not answer. */
  deadServer?: { readonly uid: string; readonly message: string };
  /** Dashboards whose files Grafana cannot take are logged and left out. */
  badDashboard?: { readonly uid: string; readonly log: string };
  /** Keys of a dashboard that this Grafana does not know are lost. */
  dropsUnknownKeys?: boolean;
  /** The plugin for Prometheus is not part of the image. */
  withoutPlugin?: boolean;
}

/**
 * A stand-in for Grafana 12.4's HTTP API on a loopback port. It answers as Grafana's source says, reads "files" that the test puts
 * on its disk, and remembers each request that it has no answer for: `unexpected` must be empty at the end of every test.
 */
export class GrafanaStandIn implements AsyncDisposable {
  readonly faults: Faults = {};
  readonly log: string[] = [];
  readonly requests: string[] = [];
  readonly unexpected: string[] = [];
  password: string;
  readonly #server: Server;
  #files: readonly RenderedFile[];
  #port = 0;
  readonly #datasources = new Map<string, ExpectedDatasource>();
  readonly #dashboards = new Map<string, Readonly<Record<string, unknown>>>();
  #failedLogins = 0;

  private constructor(password: string, files: readonly RenderedFile[]) {
    this.password = password;
    this.#files = files;
    this.#server = createServer((request, response) => {
      const { status, body } = this.#answer(request);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  }

  /** Starts one; unless slow, it has loaded the files when it responds, like Grafana after its start. */
  static async start(options: {
    password: string;
    files: readonly RenderedFile[];
    faults?: Faults;
  }): Promise<GrafanaStandIn> {
    const standIn = new GrafanaStandIn(options.password, options.files);
    Object.assign(standIn.faults, options.faults);
    if (standIn.faults.slowStart === undefined) standIn.#provision();
    await new Promise<void>((resolve) => standIn.#server.listen(0, '127.0.0.1', resolve));
    standIn.#port = (standIn.#server.address() as AddressInfo).port;
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Replaces the files on its disk, which it reads at the next reload. */
  put(files: readonly RenderedFile[]): void {
    this.#files = files;
  }

  /** Changes a datasource like a user in the browser or by the API. */
  changeDatasource(uid: string, change: Partial<ExpectedDatasource>): void {
    const held = this.#datasources.get(uid);
    if (held === undefined) throw new Error(`the stand-in has no datasource ${uid}`);
    this.#datasources.set(uid, { ...held, ...change });
  }

  /** Adds a dashboard like a user in the browser. */
  addDashboard(model: Readonly<Record<string, unknown>> & { readonly uid: string }): void {
    this.#dashboards.set(model.uid, model);
  }

  /** The uids of its dashboards. */
  get dashboardUids(): readonly string[] {
    return [...this.#dashboards.keys()].sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage): Reply {
    const { method = '', url = '' } = request;
    const asked = `${method} ${url}`;
    this.requests.push(asked);
    this.#countDown();
    // Without a login: pkg/api/http_server.go.
    if (asked === 'GET /api/health') return ok({ database: 'ok', version: '12.4.0', commit: 'abc' });
    if (!this.#isAdmin(request)) return { status: 401, body: { message: 'Invalid username or password' } };
    const route = routes.find(({ pattern }) => pattern.test(asked));
    const match = route?.pattern.exec(asked);
    if (route === undefined || match === undefined || match === null) {
      this.unexpected.push(asked);
      return { status: 599, body: { message: `the stand-in does not know ${asked}` } };
    }
    return this[route.handler](decodeURIComponent(match[1] ?? ''), decodeURIComponent(match[2] ?? ''));
  }

  #countDown(): void {
    if (this.faults.slowStart === undefined) return;
    if (this.faults.slowStart-- <= 0) {
      delete this.faults.slowStart;
      this.#provision();
    }
  }

  /** Basic auth, and the lock after five wrong tries (pkg/services/loginattempt). */
  #isAdmin({ headers }: IncomingMessage): boolean {
    const [user, ...rest] = Buffer.from((headers.authorization ?? '').replace(/^Basic /, ''), 'base64')
      .toString()
      .split(':');
    const isRight = user === 'admin' && rest.join(':') === this.password && this.#failedLogins < 5;
    if (!isRight) this.#failedLogins += 1;
    return isRight;
  }

  /** pkg/api/admin_provisioning.go */
  reload(what: string): Reply {
    const { refuse } = this.faults;
    if (refuse !== undefined && refuse.what === what) {
      if (refuse.log !== undefined) this.log.push(refuse.log);
      return { status: refuse.status, body: { message: refuse.message } };
    }
    this.#provision(what);
    return ok({ message: `${what.charAt(0).toUpperCase()}${what.slice(1)} config reloaded` });
  }

  datasource(uid: string): Reply {
    const held = this.#datasources.get(uid);
    if (held === undefined) return { status: 404, body: { message: 'Data source not found' } };
    const { file: _file, ...model } = held;
    return ok({ id: 1, readOnly: true, typeName: held.type, secureJsonFields: {}, ...model });
  }

  health(uid: string): Reply {
    const held = this.#datasources.get(uid);
    if (held === undefined) return { status: 404, body: { message: 'Data source not found' } };
    if (held.type === 'alertmanager') return { status: 404, body: { message: 'Plugin not found' } };
    const { deadServer } = this.faults;
    if (deadServer?.uid === uid) return { status: 400, body: { status: 'ERROR', message: deadServer.message } };
    return ok({ status: 'OK', message: 'Successfully queried the Prometheus API.' });
  }

  proxy(uid: string, path: string): Reply {
    const held = this.#datasources.get(uid);
    if (held === undefined) return { status: 404, body: { message: 'Unable to find datasource' } };
    const { deadServer } = this.faults;
    if (deadServer?.uid === uid) return { status: 502, body: { message: deadServer.message } };
    if (held.type !== 'alertmanager' || path !== 'api/v2/status') {
      return { status: 403, body: { message: 'non allow-listed path' } };
    }
    return ok({ cluster: { status: 'disabled' } });
  }

  dashboard(uid: string): Reply {
    const dashboard = this.#dashboards.get(uid);
    if (dashboard === undefined) return { status: 404, body: { message: 'Dashboard not found' } };
    return ok({ meta: { provisioned: true, type: 'db' }, dashboard: { ...dashboard, id: 7, version: 1 } });
  }

  search(): Reply {
    return ok([...this.#dashboards].map(([uid, { title }]) => ({ id: 7, uid, title, type: 'dash-db', tags: [] })));
  }

  deleteDashboard(uid: string): Reply {
    if (!this.#dashboards.delete(uid)) return { status: 404, body: { message: 'Dashboard not found' } };
    return ok({ message: `Dashboard deleted`, uid });
  }

  plugin(id: string): Reply {
    if (this.faults.withoutPlugin)
      return { status: 404, body: { message: 'Plugin not found, no installed plugin with that id' } };
    return ok({ id, type: 'datasource', enabled: false });
  }

  /** Upserts by name and prunes what no file has (datasources); dashboards whose file is gone stay, unprovisioned (disableDeletion). */
  #provision(what?: string): void {
    if (what !== 'dashboards') {
      const wanted = expectedDatasources(this.#files);
      for (const [uid, held] of this.#datasources) {
        if (!wanted.some(({ name }) => name === held.name)) this.#datasources.delete(uid);
      }
      for (const one of wanted) {
        const { leaveAsItWas } = this.faults;
        if (leaveAsItWas?.uid === one.uid && leaveAsItWas.times > 0) {
          leaveAsItWas.times -= 1;
          continue;
        }
        for (const [uid, { name }] of this.#datasources) if (name === one.name) this.#datasources.delete(uid);
        this.#datasources.set(one.uid, one);
      }
    }
    if (what !== 'datasources') {
      for (const { uid, model } of expectedDashboards(this.#files)) {
        const { badDashboard, dropsUnknownKeys } = this.faults;
        if (badDashboard?.uid === uid) {
          this.log.push(badDashboard.log);
          continue;
        }
        const { promstack: _mark, ...known } = model;
        this.#dashboards.set(uid, dropsUnknownKeys ? known : model);
      }
    }
  }
}

type Handler = 'reload' | 'datasource' | 'health' | 'proxy' | 'dashboard' | 'search' | 'deleteDashboard' | 'plugin';

/** The routes that are known of 12.4; nothing else is answered. */
const routes: readonly { readonly pattern: RegExp; readonly handler: Handler }[] = [
  { pattern: /^POST \/api\/admin\/provisioning\/(datasources|dashboards)\/reload$/, handler: 'reload' },
  { pattern: /^GET \/api\/datasources\/uid\/([^/]+)$/, handler: 'datasource' },
  { pattern: /^GET \/api\/datasources\/uid\/([^/]+)\/health$/, handler: 'health' },
  { pattern: /^GET \/api\/datasources\/proxy\/uid\/([^/]+)\/(.+)$/, handler: 'proxy' },
  { pattern: /^GET \/api\/dashboards\/uid\/([^/]+)$/, handler: 'dashboard' },
  { pattern: /^DELETE \/api\/dashboards\/uid\/([^/]+)$/, handler: 'deleteDashboard' },
  { pattern: /^GET \/api\/search\?type=dash-db&limit=5000$/, handler: 'search' },
  { pattern: /^GET \/api\/plugins\/([^/]+)\/settings$/, handler: 'plugin' },
];

function ok(body: unknown): Reply {
  return { status: 200, body };
}
