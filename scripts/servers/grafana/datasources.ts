import { parse } from 'yaml';
import * as z from 'zod';
import { pluginOf } from '../../../stack/grafana/datasource-types.ts';
import type { RenderedFile } from '../../../stack/model.ts';
import { isMapping, listOf, type Mapping } from '../../../stack/values/mapping.ts';
import { PlainScalar, plainScalars } from '../../../stack/values/plain-scalar.ts';
import { mapLimit } from '../../util/map-limit.ts';
import { datasourceFields, type GrafanaClient, type Provisioned, type StoredDatasource } from './client.ts';
import { textOf } from './dashboards.ts';

const provisioned = z.looseObject({
  ...datasourceFields,
  orgId: z.number().default(1),
  editable: z.boolean().default(false),
  jsonData: z.record(z.string(), z.unknown()).default({}),
  secureJsonData: z.record(z.string(), z.unknown()).default({}),
});

/** A datasource of a release, with the values that Grafana will store. */
export interface ExpectedDatasource extends z.infer<typeof provisioned> {
  /** Whether Grafana may make it the default: it does so with the first of an organization that has no default. */
  readonly mayBeDefault: boolean;
  readonly file: RenderedFile;
}

/** Concurrent requests to a Grafana that serves users at the same time. */
const concurrency = 4;

/** The fields that Grafana stores as they are in the file. */
const plainFields = [
  'name',
  'url',
  'access',
  'user',
  'database',
  'basicAuth',
  'basicAuthUser',
  'withCredentials',
] as const;

export function expectedDatasources(files: readonly RenderedFile[]): readonly ExpectedDatasource[] {
  const all = files.flatMap((file) => {
    if (!isDatasourceFile(file)) return [];
    const content = unescaped(parse(textOf(file), plainScalars));
    return listOf(isMapping(content) ? content['datasources'] : undefined).flatMap((item) => {
      // Files of the user's own templates may have what only Grafana can judge.
      const { success, data } = provisioned.safeParse(asGrafanaReads(item));
      return success ? [{ ...data, file }] : [];
    });
  });
  return all.map((datasource) => {
    const hasDefault = all.some(({ orgId, isDefault }) => isDefault && orgId === datasource.orgId);
    return { ...datasource, mayBeDefault: datasource.isDefault || !hasDefault };
  });
}

function isDatasourceFile({ path }: RenderedFile): boolean {
  return /^provisioning\/datasources\/[^/]+\.ya?ml$/.test(path);
}

/** Grafana takes scalars of any type, and an empty value as none. */
function asGrafanaReads(item: unknown): unknown {
  if (!isMapping(item)) return item;
  return Object.fromEntries(
    Object.entries(item).map(([key, value]) => {
      const isText = plainFields.some((field) => field === key) && typeof value !== 'object';
      const isFlag = key in datasourceFields && /^(?:true|false)$/.test(String(value));
      if (value === null) return [key, undefined];
      if (isFlag) return [key, String(value) === 'true'];
      return [key, isText ? String(value) : value];
    }),
  );
}

/** In the values of provisioning files, `$$` is an escaped `$`. */
function unescaped(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$$', () => '$');
  if (Array.isArray(value)) return value.map(unescaped);
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unescaped(inner)]));
}

/** Whether two releases have the same provisioning files of a kind. */
export function haveSame(kind: Provisioned, before: readonly RenderedFile[], after: readonly RenderedFile[]): boolean {
  const [first, second] = [before, after].map((files) =>
    JSON.stringify(
      files
        .filter(({ path }) => path.startsWith(`provisioning/${kind}/`))
        .map((file) => [file.path, textOf(file)])
        .sort(),
    ),
  );
  return first === second;
}

/** How the datasources in Grafana differ from the expected ones, in a sentence each. */
export async function changedDatasources(
  client: GrafanaClient,
  datasources: readonly ExpectedDatasource[],
): Promise<readonly string[]> {
  const changes = await mapLimit(datasources, concurrency, async (expected) => {
    if (expected.orgId !== 1) return [];
    const response = await client.datasource(expected.uid);
    if (response.kind === 'absent') return [`the datasource ${expected.name} was removed by hand`];
    if (response.kind !== 'ok') return [];
    const difference = datasourceDifference(response.value, expected) ?? addedByHand(response.value, expected);
    return difference === undefined ? [] : [`the datasource ${expected.name} was changed by hand: ${difference}`];
  });
  return changes.flat();
}

/** The path to ask of the server of a plugin that has no backend, so no health check; undefined for the others. */
export function proxyPath({ type, jsonData }: ExpectedDatasource): string | undefined {
  if (type !== 'alertmanager') return undefined;
  return jsonData['implementation'] === 'prometheus' ? 'api/v2/status' : 'alertmanager/api/v2/status';
}

/** Why the server behind a datasource does not answer; undefined when it does, or when Grafana cannot tell. */
export async function whyNoServer(client: GrafanaClient, datasource: ExpectedDatasource): Promise<string | undefined> {
  const { uid } = datasource;
  const path = proxyPath(datasource);
  if (path === undefined) {
    const health = await client.health(uid);
    if (health.kind === 'noAnswer') return health.message;
    return health.kind !== 'ok' || health.value.isHealthy ? undefined : health.value.message;
  }
  const response = await client.through(uid, path);
  if (response.kind === 'noAnswer') return response.message;
  if (response.kind === 'failed') return `${response.status} ${response.message}`;
  return response.kind === 'absent' ? `404 to GET /${path}` : undefined;
}

/** The first setting or secret that was added in the browser, where that is allowed. */
function addedByHand(stored: StoredDatasource, expected: ExpectedDatasource): string | undefined {
  if (!expected.editable) return undefined;
  const setting = Object.keys(stored.jsonData ?? {}).find((key) => !(key in expected.jsonData));
  if (setting !== undefined) return `its jsonData.${setting} is ${show(stored.jsonData?.[setting])}, not empty`;
  const secret = Object.keys(stored.secureJsonFields).find((key) => !(key in expected.secureJsonData));
  return secret === undefined ? undefined : `it has ${secret} in secureJsonData`;
}

/** How a stored datasource differs from the expected one; undefined when it does not. */
export function datasourceDifference(stored: StoredDatasource, expected: ExpectedDatasource): string | undefined {
  if (pluginOf(stored.type) !== pluginOf(expected.type)) {
    return `its type is ${show(stored.type)}, not ${show(expected.type)}`;
  }
  for (const key of plainFields) {
    if (stored[key] !== expected[key]) return `its ${key} is ${show(stored[key])}, not ${show(expected[key])}`;
  }
  if (stored.isDefault ? !expected.mayBeDefault : expected.isDefault) {
    return `its isDefault is ${stored.isDefault}, not ${expected.isDefault}`;
  }
  const secrets = Object.entries(expected.secureJsonData).filter(([, secret]) => secret !== '');
  const [missing] = secrets.find(([key]) => stored.secureJsonFields[key] !== true) ?? [];
  if (missing !== undefined) return `it has no ${missing} in secureJsonData`;
  const difference = firstDifference(stored.jsonData ?? {}, expected.jsonData, 'jsonData');
  if (difference === undefined) return undefined;
  return `its ${difference.path} is ${show(difference.stored)}, not ${show(difference.expected)}`;
}

/** The first expected value that is not stored; keys that Grafana adds are ignored, and their order has no meaning. */
function firstDifference(
  stored: unknown,
  expected: unknown,
  path: string,
): { path: string; stored: unknown; expected: unknown } | undefined {
  // Grafana's YAML parser has its own rules for `010` or a date.
  if (expected === null || expected === undefined || expected instanceof PlainScalar) return undefined;
  const isList = Array.isArray(expected) && Array.isArray(stored) && expected.length === stored.length;
  if (isList || (isMapping(expected) && isMapping(stored))) {
    for (const [key, inner] of Object.entries(expected)) {
      const at = isList ? `${path}[${key}]` : `${path}.${key}`;
      const difference = firstDifference((stored as Mapping)[key], inner, at);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  return stored === expected ? undefined : { path, stored, expected };
}

function show(value: unknown): string {
  return value === undefined || value === '' ? 'empty' : JSON.stringify(value);
}
