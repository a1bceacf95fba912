import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { StoredDatasource } from './store.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One pass over `provisioning/datasources`: what is stored afterwards. Throws what Grafana's pass would fail with. */
export function provisionDatasources(
  folder: string,
  stored: readonly StoredDatasource[],
  env: NodeJS.ProcessEnv,
): readonly StoredDatasource[] {
  const files = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
  const wanted = files.flatMap((name) => readFile(join(folder, name), env));
  for (const orgId of new Set(wanted.map((one) => one.orgId))) {
    if (wanted.filter((one) => one.orgId === orgId && one.isDefault).length > 1) {
      throw new Error(
        'datasource.yaml config is invalid. Only one datasource per organization can be marked as default',
      );
    }
  }
  const isSame = (one: StoredDatasource, other: StoredDatasource) =>
    one.name === other.name && one.orgId === other.orgId;
  const kept = stored.filter((one) => !wanted.some((other) => isSame(one, other)) && !one.isPrunable);
  const taken = wanted.find(({ uid }) => kept.some((one) => one.uid === uid));
  if (taken !== undefined) throw new Error(`data source with the same uid already exists: ${taken.uid}`);
  return [...kept, ...wanted];
}

function readFile(path: string, env: NodeJS.ProcessEnv): readonly StoredDatasource[] {
  const read = parse(readFileSync(path, 'utf8')) as Fields;
  if (read['apiVersion'] !== 1) throw new Error(`${path}: the stand-in reads apiVersion 1 alone`);
  const list = (read['datasources'] ?? []) as readonly Fields[];
  return list.map((raw) => {
    const one = interpolated(raw, env) as Fields;
    const uid = text(one, 'uid');
    if (!/^[a-zA-Z0-9_-]{1,40}$/.test(uid)) throw new Error(`${path}: invalid uid ${uid}`);
    if (text(one, 'name') === '' || text(one, 'type') === '')
      throw new Error(`${path}: a datasource needs name and type`);
    return {
      uid,
      name: text(one, 'name'),
      type: text(one, 'type'),
      url: text(one, 'url'),
      access: text(one, 'access') || 'proxy',
      isDefault: one['isDefault'] === true,
      orgId: Number(one['orgId'] ?? 1),
      jsonData: (one['jsonData'] ?? {}) as Fields,
      secrets: Object.keys((one['secureJsonData'] ?? {}) as Fields),
      isPrunable: read['prune'] === true,
    };
  });
}

function text(fields: Fields, key: string): string {
  const value = fields[key] ?? '';
  if (typeof value !== 'string') throw new Error(`yaml: cannot unmarshal ${typeof value} into the string ${key}`);
  return value;
}

/** pkg/services/provisioning/values: `$$` is a dollar, `$NAME`, `${NAME}`, `$__env{}` and `$__file{}` are what they name. */
export function interpolated(value: unknown, env: NodeJS.ProcessEnv): unknown {
  if (typeof value === 'string') {
    return value
      .split('$$')
      .map((part) =>
        part
          .replaceAll(/\$__file\{([^}]+)\}/g, (_, path: string) => readFileSync(path, 'utf8').trim())
          .replaceAll(
            /\$(?:__env)?\{(\w+)\}|\$(\w+)/g,
            (_, braced?: string, bare?: string) => env[braced ?? bare ?? ''] ?? '',
          ),
      )
      .join('$');
  }
  if (Array.isArray(value)) return value.map((one) => interpolated(one, env));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, interpolated(inner, env)]));
}
