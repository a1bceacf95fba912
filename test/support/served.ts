import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { canaryReceiver } from '../../stack/canary.ts';
import { getJson } from './servers.ts';

/** The addresses of a stack's servers, with the path that Prometheus has in front of its API. */
export interface Servers {
  readonly prometheus: string;
  readonly alertmanager?: string | undefined;
  readonly grafana?: string | undefined;
}

interface Rule {
  readonly type: string;
  readonly name: string;
  readonly query: string;
  readonly duration?: number;
  readonly labels?: object;
  readonly annotations?: object;
}

interface Named {
  readonly name: string;
}

/** A rule group or a receiver that promstack adds to each stack. */
const isOwn = ({ name }: Named): boolean => name.startsWith('promstack') || name === canaryReceiver;

/** What the servers of a stack say over their APIs that they run. */
export async function servedBy({ prometheus, alertmanager, grafana }: Servers, password: string) {
  return {
    ...(await ofPrometheus(prometheus)),
    ...(alertmanager === undefined ? {} : await ofAlertmanager(alertmanager)),
    ...(grafana === undefined ? { datasources: [], dashboards: [] } : await ofGrafana(grafana, password)),
  };
}

async function ofPrometheus(url: string) {
  type Target = { readonly labels: Readonly<Record<string, string>>; readonly health: string };
  const { data: all } = await getJson<{ data: { activeTargets: readonly Target[] } }>(`${url}/api/v1/targets`);
  type Group = Named & { readonly interval: number; readonly rules: readonly Rule[] };
  const { data: rules } = await getJson<{ data: { groups: readonly Group[] } }>(`${url}/api/v1/rules`);
  const targets = all.activeTargets.map(({ labels: { job, instance, ...others }, health }) => {
    const sorted = Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1));
    return `${job} ${instance} ${JSON.stringify(Object.fromEntries(sorted))} ${health}`;
  });
  return {
    targets: targets.sort(),
    rules: rules.groups
      .filter((group) => !isOwn(group))
      .map(({ name, interval, rules: list }) => {
        const own = list.map(({ type, name: rule, query, duration, labels, annotations }) => {
          return { type, rule, query, duration, labels, annotations };
        });
        return { name, interval, own };
      }),
  };
}

interface InhibitRule {
  readonly equal?: readonly string[];
}

/** A secret that Alertmanager reads from a file in place of one in its config. */
function withoutFiles(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutFiles);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const isSecret = typeof inner === 'string' && inner.startsWith('/') && key.endsWith('_file');
      return isSecret ? [key.slice(0, -'_file'.length), '<secret>'] : [key, withoutFiles(inner)];
    }),
  );
}

interface AlertmanagerConfig {
  readonly route: { readonly routes?: readonly { readonly receiver: string }[] };
  readonly receivers: readonly Named[];
  readonly inhibit_rules?: readonly InhibitRule[];
  readonly time_intervals?: unknown;
}

async function ofAlertmanager(url: string) {
  const { config } = await getJson<{ config: { original: string } }>(`${url}/api/v2/status`);
  const { route, receivers, inhibit_rules = [], time_intervals } = parse(config.original) as AlertmanagerConfig;
  const template = join(packageRoot(), 'templates', 'alertmanager', 'alertmanager.yml');
  const { inhibit_rules: shipped = [] } = parse(await readFile(template, 'utf8'), {
    logLevel: 'silent',
  }) as AlertmanagerConfig;
  const isShipped = ({ equal }: InhibitRule): boolean => shipped.some((rule) => `${rule.equal}` === `${equal}`);
  return {
    route: { ...route, routes: (route.routes ?? []).filter(({ receiver }) => receiver !== canaryReceiver) },
    receivers: receivers.filter((receiver) => !isOwn(receiver)).map(withoutFiles),
    inhibitRules: inhibit_rules.filter((rule) => !isShipped(rule)),
    timeIntervals: time_intervals,
  };
}

interface Datasource {
  readonly name: string;
  readonly type: string;
  readonly uid: string;
  readonly isDefault: boolean;
  readonly basicAuth: boolean;
  readonly jsonData: object;
}

/**
 * The datasources and dashboards that Grafana has. A datasource of a stack has an address of its own, and those of its own servers
 * have uids and a spelling too, beside one with the former uid: dashboards are compared by the names of their datasources.
 */
async function ofGrafana(url: string, password: string) {
  const ask = clientOf(url, password);
  const datasources = await ask<readonly Datasource[]>('/api/datasources');
  const nameOf = (reference: unknown): unknown => {
    const uid = typeof reference === 'object' && reference !== null && 'uid' in reference ? reference.uid : reference;
    const name = datasources.find((own) => own.uid === uid || own.name === uid)?.name.toLowerCase();
    return name?.replace(/^(prometheus|alertmanager) \(\w+\)$/, '$1') ?? reference;
  };
  const withNames = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(withNames);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(([key]) => !['id', 'version', 'promstack'].includes(key));
    return Object.fromEntries(
      entries.map(([key, inner]) => [key, key === 'datasource' ? nameOf(inner) : withNames(inner)]),
    );
  };
  const hits = await ask<readonly { uid: string }[]>('/api/search?type=dash-db&limit=5000');
  const dashboards = await Promise.all(
    hits.map(async ({ uid }) => {
      type Answer = { dashboard: Readonly<Record<string, unknown>>; meta: { folderTitle: string } };
      const { dashboard, meta } = await ask<Answer>(`/api/dashboards/uid/${uid}`);
      return { uid, folder: meta.folderTitle, model: withNames(dashboard) };
    }),
  );
  return {
    datasources: datasources
      .map(({ name, type, isDefault, basicAuth, jsonData }) => {
        return { name: name.toLowerCase(), type, isDefault, basicAuth, jsonData };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    dashboards: dashboards.sort((a, b) => (a.uid < b.uid ? -1 : 1)),
  };
}

/** Requests to a Grafana as its admin, which must succeed. */
export function clientOf(url: string, password: string) {
  return async <T>(path: string, body?: object): Promise<T> => {
    const answer = await fetch(`${url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    expect(answer.status, `${path}: ${text}`).toBe(200);
    return JSON.parse(text) as T;
  };
}
