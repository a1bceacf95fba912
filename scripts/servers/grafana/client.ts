import { STATUS_CODES } from 'node:http';
import * as z from 'zod';
import { adminUser } from '../../../stack/grafana/settings.ts';
import type { HttpRequest, HttpResponse } from '../../../stack/model.ts';
import type { Secret } from '../../../stack/secret.ts';
import { parseJson } from '../../../stack/values/parse.ts';
import { ConnectionError } from '../../util/http.ts';

export type GrafanaResponse<T> =
  | { readonly kind: 'ok'; readonly value: T }
  /** 404. */
  | { readonly kind: 'absent' }
  /** 401: wrong password. */
  | { readonly kind: 'unauthorized' }
  /** 403: the user lacks the permission. */
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'failed'; readonly status: number; readonly message: string }
  /** No response: killed, paused, too slow. */
  | { readonly kind: 'noAnswer'; readonly message: string };

/** A response that is not `ok`. */
export type GrafanaFailure = Exclude<GrafanaResponse<unknown>, { kind: 'ok' }>;

type NoAnswer = Extract<GrafanaFailure, { kind: 'noAnswer' }>;

/** The kinds of provisioning files that Grafana can reload. */
export type Provisioned = 'datasources' | 'plugins' | 'alerting' | 'dashboards';

const port = 3000;

/** The fields of a datasource that its file and the response of Grafana have in common. */
export const datasourceFields = {
  uid: z.string(),
  name: z.string(),
  type: z.string(),
  url: z.string().default(''),
  access: z.string().default('proxy'),
  user: z.string().default(''),
  database: z.string().default(''),
  basicAuth: z.boolean().default(false),
  basicAuthUser: z.string().default(''),
  withCredentials: z.boolean().default(false),
  isDefault: z.boolean().default(false),
};

const datasourceSchema = z.looseObject({
  ...datasourceFields,
  jsonData: z.record(z.string(), z.unknown()).nullish(),
  secureJsonFields: z.record(z.string(), z.boolean()).default({}),
});
const dashboardSchema = z.looseObject({ dashboard: z.record(z.string(), z.unknown()) });
const healthSchema = z.looseObject({ status: z.string(), message: z.string().default('') });
const searchSchema = z.array(z.looseObject({ uid: z.string(), title: z.string().default('') }));
const userSchema = z.looseObject({ id: z.number(), isGrafanaAdmin: z.boolean().default(false) });
const indexSchema = z.looseObject({
  hits: z.array(
    z.looseObject({
      name: z.string(),
      title: z.string().default(''),
      managedBy: z.looseObject({ kind: z.string() }).nullish(),
      field: z.record(z.string(), z.unknown()).nullish(),
    }),
  ),
});
const listSchema = z.array(z.looseObject({ uid: z.string(), name: z.string(), readOnly: z.boolean().default(false) }));
const folderSchema = z.looseObject({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).default({}) }),
});
const pluginSchema = z.looseObject({ id: z.string() });

export type StoredDatasource = z.infer<typeof datasourceSchema>;
export type StoredDashboard = z.infer<typeof dashboardSchema>;
/** A dashboard or folder in the index; `name` is its uid. */
export type IndexedItem = z.infer<typeof indexSchema>['hits'][number];

/** The time limit of a request; absent means the default. */
type Timeout = { readonly timeoutMs: number } | undefined;
type Send = (request: HttpRequest, timeout?: Timeout) => Promise<HttpResponse>;

/** Grafana's HTTP API, used as its admin. A method rejects only when its signal aborts. */
export class GrafanaClient {
  readonly #send: Send;
  readonly #authorization: string;

  constructor(send: Send, password: Secret) {
    this.#send = send;
    this.#authorization = `Basic ${Buffer.from(`${adminUser}:${password.reveal()}`).toString('base64')}`;
  }

  /** Reloads provisioning files; resolves when that is done. */
  reload(what: Provisioned, timeoutMs = 30_000): Promise<GrafanaResponse<unknown>> {
    return this.#request(z.unknown(), 'POST', `/api/admin/provisioning/${what}/reload`, { timeoutMs });
  }

  /** Changes the password of the user that signs in. */
  changePassword(from: Secret, to: Secret): Promise<GrafanaResponse<unknown>> {
    const body = JSON.stringify({ oldPassword: from.reveal(), newPassword: to.reveal() });
    return this.#request(z.unknown(), 'PUT', '/api/user/password', undefined, body);
  }

  /** The user that signs in; visitors get 401 even where they may read the rest. */
  user(): Promise<GrafanaResponse<z.infer<typeof userSchema>>> {
    return this.#request(userSchema, 'GET', '/api/user');
  }

  plugin(id: string): Promise<GrafanaResponse<unknown>> {
    return this.#request(pluginSchema, 'GET', `/api/plugins/${encodeURIComponent(id)}/settings`);
  }

  datasource(uid: string): Promise<GrafanaResponse<StoredDatasource>> {
    return this.#request(datasourceSchema, 'GET', `/api/datasources/uid/${encodeURIComponent(uid)}`);
  }

  /** All datasources, without their secrets. */
  datasources(): Promise<GrafanaResponse<z.infer<typeof listSchema>>> {
    return this.#request(listSchema, 'GET', '/api/datasources');
  }

  /** The datasource plugin's own health check; only plugins with a backend have one. */
  async health(uid: string): Promise<GrafanaResponse<{ readonly isHealthy: boolean; readonly message: string }>> {
    const response = await this.#fetch('GET', `/api/datasources/uid/${encodeURIComponent(uid)}/health`);
    if ('kind' in response) return response;
    const { status, body } = response;
    // An unhealthy datasource is reported with status 400 and a message.
    const health = healthSchema.safeParse(parseJson(body));
    if (!health.success) return toResponse(z.never(), status, body);
    return { kind: 'ok', value: { isHealthy: health.data.status === 'OK', message: health.data.message } };
  }

  /** Sends a GET through Grafana's proxy to the server of a datasource. */
  through(uid: string, path: string): Promise<GrafanaResponse<unknown>> {
    return this.#request(z.unknown(), 'GET', `/api/datasources/proxy/uid/${encodeURIComponent(uid)}/${path}`);
  }

  dashboard(uid: string): Promise<GrafanaResponse<StoredDashboard>> {
    return this.#request(dashboardSchema, 'GET', `/api/dashboards/uid/${encodeURIComponent(uid)}`);
  }

  /** All dashboards, with the files they were loaded from, or folders, by the index that searches use; absent before Grafana 12. */
  async index(type: 'dashboard' | 'folder' = 'dashboard'): Promise<GrafanaResponse<readonly IndexedItem[]>> {
    const query = `type=${type}&limit=100000&field=source.checksum`;
    const path = `/apis/dashboard.grafana.app/v0alpha1/namespaces/default/search?${query}`;
    const response = await this.#request(indexSchema, 'GET', path);
    return response.kind === 'ok' ? { kind: 'ok', value: response.value.hits } : response;
  }

  /** All dashboards, up to Grafana's own limit. */
  dashboards(): Promise<GrafanaResponse<z.infer<typeof searchSchema>>> {
    return this.#request(searchSchema, 'GET', '/api/search?type=dash-db&limit=5000');
  }

  deleteDashboard(uid: string): Promise<GrafanaResponse<unknown>> {
    return this.#request(z.unknown(), 'DELETE', `/api/dashboards/uid/${encodeURIComponent(uid)}`);
  }

  folder(uid: string): Promise<GrafanaResponse<z.infer<typeof folderSchema>>> {
    const path = `/apis/folder.grafana.app/v1beta1/namespaces/default/folders/${encodeURIComponent(uid)}`;
    return this.#request(folderSchema, 'GET', path);
  }

  /** How many items of each kind are in a folder and its folders. */
  folderCounts(uid: string): Promise<GrafanaResponse<Readonly<Record<string, number>>>> {
    return this.#request(z.record(z.string(), z.number()), 'GET', `/api/folders/${encodeURIComponent(uid)}/counts`);
  }

  deleteFolder(uid: string): Promise<GrafanaResponse<unknown>> {
    return this.#request(z.unknown(), 'DELETE', `/api/folders/${encodeURIComponent(uid)}`);
  }

  async #request<T>(
    schema: z.ZodType<T>,
    method: HttpRequest['method'],
    path: string,
    timeout?: Timeout,
    body?: string,
  ): Promise<GrafanaResponse<T>> {
    const response = await this.#fetch(method, path, timeout, body);
    return 'kind' in response ? response : toResponse(schema, response.status, response.body);
  }

  async #fetch(
    method: HttpRequest['method'],
    path: string,
    timeout?: Timeout,
    body?: string,
  ): Promise<HttpResponse | NoAnswer> {
    const headers = {
      authorization: this.#authorization,
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      // Else the organization that the admin last chose in the browser.
      'x-grafana-org-id': '1',
    };
    try {
      return await this.#send({ method, port, path, headers, ...(body === undefined ? {} : { body }) }, timeout);
    } catch (error) {
      if (error instanceof ConnectionError) return { kind: 'noAnswer', message: error.message };
      throw error;
    }
  }
}

function toResponse<T>(schema: z.ZodType<T>, status: number, body: string): GrafanaResponse<T> {
  if (status === 401) return { kind: 'unauthorized' };
  if (status === 403) return { kind: 'forbidden' };
  if (status === 404) return { kind: 'absent' };
  const json = parseJson(body);
  if (status === 200) {
    const parsed = schema.safeParse(json);
    if (parsed.success) return { kind: 'ok', value: parsed.data };
    const message = 'the response is not from Grafana; does another program listen there?';
    return { kind: 'failed', status, message };
  }
  const text = body.trim().slice(0, 300);
  const error = z.looseObject({ message: z.string() }).safeParse(json);
  return { kind: 'failed', status, message: error.success ? error.data.message : text || (STATUS_CODES[status] ?? '') };
}
