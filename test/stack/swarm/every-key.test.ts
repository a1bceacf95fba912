import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { loadStack } from '../../../scripts/config/load.ts';
import type { LoadedStack } from '../../../scripts/config/loaded.ts';
import { stackJsonSchema } from '../../../scripts/config/schema.ts';
import { readYamlWithSecrets } from '../../../scripts/config/yaml-source.ts';
import { keyRows } from '../../../scripts/dev/reference.ts';
import { toServiceState } from '../../../scripts/engine/swarm/service-spec.ts';
import { toServiceSpec } from '../../../scripts/plan/swarm/service-spec.ts';
import { toTarget } from '../../../scripts/plan/swarm/target.ts';
import { render } from '../../../scripts/render/render.ts';
import { loadTemplates, type TemplateSet } from '../../../scripts/render/templates.ts';
import { packageRoot } from '../../../scripts/util/package-root.ts';
import { type StackConfig, stackSchema } from '../../../stack/config.ts';
import { stackProblems } from '../../../stack/problems.ts';
import { Secret } from '../../../stack/secret.ts';
import { enabledServices } from '../../../stack/services.ts';
import { isMapping, valueAt } from '../../../stack/values/mapping.ts';
import { folderOf } from '../../golden/golden.ts';

// On a swarm a key of stack.yml works, or it is refused at its line; none is ignored. So each key is given another value, and what
// would run on the swarm has to differ, or the key has to be refused.

/** Keys that are no part of what runs, and where they are heeded on a swarm. */
const elsewhere: Readonly<Record<string, string>> = {
  version: 'loadStack refuses a newer one, whatever the target',
  target: 'without it there is no swarm',
  'access.names': 'only certificates of an internal CA have them, which are refused',
  'images.source': 'ensureImages, before any change on a swarm too',
  'images.mirror': 'ensureImages, before any change on a swarm too',
};

/** Values that another one cannot be made of: by the whole key, or by its last part. */
const values: Readonly<Record<string, unknown>> = {
  extra_args: ['--another.flag=1'],
  files: ['another.txt'],
  memory: '77MB',
  cpus: 0.7,
  'access.tls': 'internal',
  'access.users': { eve: new Secret('another', '!env EVE') },
  'alertmanager.mute_time_intervals': [{ name: 'weekend', time_intervals: [{ weekdays: ['saturday'] }] }],
  'discovery.projects': ['another'],
  'discovery.networks': ['another'],
  'exporters.custom.NAME.files': { token: new Secret('another', '!env TOKEN') },
  'exporters.mysqld.dsn': new Secret('mysql://ann:another@db:3306', '!env DSN'),
  'exporters.mysqld.instances.NAME': { dsn: new Secret('mysql://ann:another@db:3306', '!env DSN') },
  'exporters.postgres.dsn': new Secret('postgresql://ann:another@db:5432/shop', '!env DSN'),
  'exporters.postgres.instances.NAME': { dsn: new Secret('postgresql://ann:another@db:5432/shop', '!env DSN') },
  'exporters.custom.NAME.scrape': { metrics_path: '/another' },
  'long_term.remote.basic_auth.username': 'another',
  networks: [{ name: 'another', services: ['prometheus'] }],
};

/** What has to be beside a key, or the keys that begin so, for it to mean something. */
const beside: Readonly<Record<string, object>> = {
  'pushgateway.group_sample_limit': { prometheus: {} },
  'prometheus.runbook_base': { prometheus: { shipped_rules: true } },
  'access.services': { pushgateway: {} },
  heartbeat: { alertmanager: {} },
  sink: { alertmanager: {}, pushgateway: {}, sink: { enabled: true } },
  swarm: { alertmanager: {}, pushgateway: {} },
  traffic: { pushgateway: {}, traffic: { enabled: true } },
};

/** What full.yml has beside a key and takes precedence over it. */
const without: Readonly<Record<string, readonly string[]>> = {
  exporters: ['instances'],
  prometheus: ['global'],
  'long_term.remote': ['victoriametrics'],
};

const keys = keyRows(stackJsonSchema());
let full: Readonly<Record<string, unknown>>;
let loaded: LoadedStack;
let templates: TemplateSet;

beforeAll(async () => {
  const text = readFileSync(join(packageRoot(), 'templates/init/full.yml'), 'utf8');
  const source = await readYamlWithSecrets(text.replaceAll(/^( *)#(?=[^\s#])/gm, '$1'), 'full.yml', undefined);
  full = source.value as typeof full;
  const cwd = folderOf('minimal');
  const result = await loadStack({ cwd, env: {} });
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  loaded = result.value;
  templates = await loadTemplates(join(cwd, 'templates'), cwd);
});

const minimal = {
  ...{ name: 'shop', target: 'swarm', bind: '0.0.0.0' },
  pushgateway: { enabled: false },
  prometheus: { shipped_rules: false },
  alertmanager: { enabled: false },
  grafana: { enabled: false, shipped_dashboards: false },
};

/** All that a swarm is asked for, and what it is refused for. */
function outcome(keysOfStack: object): { readonly state: string; readonly refused: readonly string[] } {
  const config: StackConfig = stackSchema.parse(keysOfStack);
  const rendering = render({ ...loaded, config, userFiles: [] }, templates);
  if (!rendering.ok) throw new Error(JSON.stringify(rendering.error));
  const target = toTarget(rendering.value, {
    cluster: 'a swarm',
    image: (reference) => reference,
    healthCheck: () => undefined,
    pins: new Map(),
  });
  const ids = new Map(target.stored.map(({ name }) => [name, name]));
  const states = target.services.map((service) => {
    const { labels: _, ...spec } = toServiceSpec(target.stack, service);
    const containerLabels = { ...spec.containerLabels, 'dev.promstack.swarm.target': '' };
    const placed = { network: 'network', networks: new Map<string, string>(), files: ids, parallelism: 1 };
    return toServiceState({ ...spec, containerLabels, labels: {} }, placed);
  });
  const userFiles = enabledServices(config).flatMap((service) => service.userFiles?.(config) ?? []);
  return {
    state: JSON.stringify([states, userFiles.map(({ glob, into }) => [glob, into])]),
    refused: stackProblems(config).flatMap(({ code, path }) => (code === 'not-on-a-swarm' ? [path.join('.')] : [])),
  };
}

/** The outcomes of stacks that several keys begin with. */
const outcomes = new Map<string, ReturnType<typeof outcome>>();

/** A stack with the section of full.yml that has a key, and beside it what it needs. */
function stackWith(key: string): Record<string, unknown> {
  const [section = '', kind = ''] = key.split('.');
  const under = <T>(table: Readonly<Record<string, T>>): readonly T[] =>
    Object.entries(table).flatMap(([prefix, entry]) => (`${key}.`.startsWith(`${prefix}.`) ? [entry] : []));
  const base: Record<string, unknown> = { ...minimal };
  const own = full[section];
  if (isMapping(own)) base[section] = copyOf(section === 'exporters' ? { [kind]: own[kind] } : own);
  else if (own !== undefined && section in full) base[section] = own;
  const part = (section === 'exporters' ? (base[section] as Record<string, unknown>)[kind] : base[section]) as object;
  for (const name of under(without).flat()) if (!key.includes(`.${name}`)) Reflect.deleteProperty(part, name);
  if (!key.endsWith('.enabled') && isMapping(part)) Reflect.deleteProperty(part, 'enabled');
  for (const needed of under(beside)) {
    for (const [name, more] of Object.entries(needed)) {
      base[name] = { ...(name === section ? (base[name] as object) : {}), ...(more as object) };
    }
  }
  return base;
}

/** A copy that shares only secrets. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isMapping(value) || value instanceof Secret) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copyOf(inner)]));
}

const tried = keys.filter(({ key }) => !(key in elsewhere));

it.each(tried.map((row) => [row.key, row] as const))('%s must work on a swarm, or be refused', (key, row) => {
  const stack = stackWith(key);
  const path = pathOf(key, stack);
  const same = JSON.stringify(stack);
  const before = outcomes.get(same) ?? outcome(stack);
  outcomes.set(same, before);
  const now = valueAt(stack, path) ?? valueAt(stackSchema.parse(stack), path);
  const last = key.split('.').at(-1) ?? '';
  const value = values[key] ?? values[last] ?? another(now, row.type);
  expect(value, `give it a value: ${row.type}, now ${JSON.stringify(now)}`).not.toEqual(now);
  set(stack, path, value);
  const after = outcome(stack);
  const isRefused = after.refused.some(
    (refused) => refused === path.join('.') || `${path.join('.')}.`.startsWith(`${refused}.`),
  );
  expect(
    isRefused || after.state !== before.state,
    `it is ignored: ${JSON.stringify(now)} -> ${JSON.stringify(value)}`,
  ).toBe(true);
});

/** The path of a key, whose names are those of the stack. */
function pathOf(key: string, stack: object): string[] {
  const path: string[] = [];
  for (const step of key.split('.')) {
    const above = valueAt(stack, path);
    const [first] = isMapping(above) ? Object.keys(above) : [];
    path.push((step === 'NAME' || step === 'MODULE') && first !== undefined ? first : step);
  }
  return path;
}

function set(stack: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let section = stack;
  for (const step of path.slice(0, -1)) {
    if (!isMapping(section[step])) section[step] = {};
    section = section[step] as Record<string, unknown>;
  }
  section[path.at(-1) ?? ''] = value;
}

/** Another value of the same form. */
function another(value: unknown, type: string): unknown {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (value instanceof Secret) return new Secret('another', '!env ANOTHER');
  const choices = type.split(', ');
  if (choices.length > 1) return choices.find((choice) => choice !== value);
  if (typeof value === 'string') {
    return /\d/.test(value) ? value.replace(/\d+/, (digits) => String(Number(digits) + 1)) : `${value}x`;
  }
  if (Array.isArray(value)) return value.length > 0 ? [] : undefined;
  return isMapping(value) ? {} : undefined;
}
