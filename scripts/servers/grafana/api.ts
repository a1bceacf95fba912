import * as z from 'zod';
import { adminUser } from '../../../stack/grafana/settings.ts';
import type { HttpRequest, HttpResponse } from '../../../stack/model.ts';
import type { Secret } from '../../../stack/secret.ts';
import { parseJson } from '../../../stack/values/parse.ts';

/** Grafana's answer, as far as it matters what to do about it. */
export type GrafanaResponse<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'absent' }
  /** 401: the password is not the one in use. */
  | { readonly kind: 'unauthorized' }
  /** 403: the user may not do that. */
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'failed'; readonly status: number; readonly message: string };

/** What can be loaded anew from files. */
export type Provisioned = 'datasources' | 'dashboards';

const port = 3000;

const datasourceModel = z.looseObject({
  uid: z.string(),
  name: z.string(),
  type: z.string(),
  url: z.string().default(''),
  access: z.string().default('proxy'),
  isDefault: z.boolean().default(false),
  jsonData: z.record(z.string(), z.unknown()).nullish(),
});

/** A datasource as Grafana holds it. */
export type StoredDatasource = z.infer<typeof datasourceModel>;

const dashboardModel = z.looseObject({
  dashboard: z.record(z.string(), z.unknown()),
  meta: z.looseObject({ provisioned: z.boolean().default(false) }).prefault({}),
});

/** A dashboard as Grafana holds it. */
export type StoredDashboard = z.infer<typeof dashboardModel>;

const healthModel = z.looseObject({ status: z.string(), message: z.string().default('') });
const foundModel = z.array(z.looseObject({ uid: z.string(), title: z.string().default('') }));
const pluginModel = z.looseObject({ id: z.string() });

/** Grafana's HTTP API as its admin, as far as promstack needs it. Every method rejects when there is no answer at all. */
export class GrafanaApi {
  readonly #send: (request: HttpRequest) => Promise<HttpResponse>;
  readonly #authorization: string;

  constructor(send: (request: HttpRequest) => Promise<HttpResponse>, password: Secret) {
    this.#send = send;
    this.#authorization = `Basic ${Buffer.from(`${adminUser}:${password.reveal()}`).toString('base64')}`;
  }

  /** Reads the files anew; answers once that is done. */
  reload(what: Provisioned): Promise<GrafanaResponse<unknown>> {
    return this.#ask(z.unknown(), 'POST', `/api/admin/provisioning/${what}/reload`);
  }

  /** A plugin that is there; absent when the image came without it. */
  plugin(id: string): Promise<GrafanaResponse<unknown>> {
    return this.#ask(pluginModel, 'GET', `/api/plugins/${encodeURIComponent(id)}/settings`);
  }

  datasource(uid: string): Promise<GrafanaResponse<StoredDatasource>> {
    return this.#ask(datasourceModel, 'GET', `/api/datasources/uid/${encodeURIComponent(uid)}`);
  }

  /** Lets the datasource's plugin try it; for plugins with a part in the server. */
  async health(uid: string): Promise<GrafanaResponse<{ readonly isWell: boolean; readonly message: string }>> {
    const { status, body } = await this.#request('GET', `/api/datasources/uid/${encodeURIComponent(uid)}/health`);
    const told = healthModel.safeParse(parseJson(body));
    // A datasource that does not answer is told with status 400 and the reason.
    if (told.success) return { kind: 'ok', value: { isWell: told.data.status === 'OK', message: told.data.message } };
    return toAnswer(z.never(), status, body);
  }

  /** A request to the datasource itself, by way of Grafana. */
  through(uid: string, path: string): Promise<GrafanaResponse<unknown>> {
    return this.#ask(z.unknown(), 'GET', `/api/datasources/proxy/uid/${encodeURIComponent(uid)}/${path}`);
  }

  dashboard(uid: string): Promise<GrafanaResponse<StoredDashboard>> {
    return this.#ask(dashboardModel, 'GET', `/api/dashboards/uid/${encodeURIComponent(uid)}`);
  }

  /** Every dashboard there is, up to Grafana's own limit. */
  dashboards(): Promise<GrafanaResponse<z.infer<typeof foundModel>>> {
    return this.#ask(foundModel, 'GET', '/api/search?type=dash-db&limit=5000');
  }

  deleteDashboard(uid: string): Promise<GrafanaResponse<unknown>> {
    return this.#ask(z.unknown(), 'DELETE', `/api/dashboards/uid/${encodeURIComponent(uid)}`);
  }

  async #ask<T>(schema: z.ZodType<T>, method: HttpRequest['method'], path: string): Promise<GrafanaResponse<T>> {
    const { status, body } = await this.#request(method, path);
    return toAnswer(schema, status, body);
  }

  #request(method: HttpRequest['method'], path: string): Promise<HttpResponse> {
    return this.#send({
      method,
      port,
      path,
      headers: { authorization: this.#authorization, accept: 'application/json' },
    });
  }
}

function toAnswer<T>(schema: z.ZodType<T>, status: number, body: string): GrafanaResponse<T> {
  if (status === 401) return { kind: 'unauthorized' };
  if (status === 403) return { kind: 'forbidden' };
  if (status === 404) return { kind: 'absent' };
  const json = parseJson(body);
  if (status === 200) {
    const parsed = schema.safeParse(json);
    if (parsed.success) return { kind: 'ok', value: parsed.data };
    return {
      kind: 'failed',
      status,
      message: 'its answer is not what Grafana answers; is something else listening there?',
    };
  }
  const told = z.looseObject({ message: z.string() }).safeParse(json);
  return { kind: 'failed', status, message: told.success ? told.data.message : body.trim().slice(0, 300) };
}
