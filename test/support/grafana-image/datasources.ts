import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Store, StoredDatasource } from './store.ts';

type Fields = Readonly<Record<string, unknown>>;

interface File {
  readonly deleted: readonly Pick<StoredDatasource, 'name' | 'orgId'>[];
  readonly datasources: readonly StoredDatasource[];
}

/** One pass over `provisioning/datasources` (pkg/services/provisioning/datasources). Throws what Grafana's pass would fail with. */
export function provisionDatasources(
  folder: string,
  { datasources: stored, orgs }: Pick<Store, 'datasources' | 'orgs'>,
  env: NodeJS.ProcessEnv,
): readonly StoredDatasource[] {
  const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
  const files = names.map((name) => readFile(join(folder, name), env));
  const provisioned = files.flatMap(({ datasources }) => datasources);
  for (const { orgId } of provisioned) {
    if (!orgs.includes(orgId)) throw new Error(`failed to provision data source: org.notFound: ${orgId}`);
  }
  if (provisioned.filter(({ isDefault }) => isDefault).length > 1) {
    throw new Error('datasource.yaml config is invalid. Only one datasource per organization can be marked as default');
  }
  let all: readonly StoredDatasource[] = stored.filter(
    (held) => !held.isPrunable || provisioned.some((datasource) => isSame(datasource, held)),
  );
  for (const { deleted, datasources } of files) {
    all = all.filter((held) => !deleted.some((entry) => isSame(entry, held)));
    for (const datasource of datasources) all = saved(all, datasource);
  }
  return all;
}

const isSame = (a: Pick<StoredDatasource, 'name' | 'orgId'>, b: Pick<StoredDatasource, 'name' | 'orgId'>): boolean =>
  a.name === b.name && a.orgId === b.orgId;

/** Adds or updates one (pkg/services/datasources/service). */
function saved(all: readonly StoredDatasource[], given: StoredDatasource): readonly StoredDatasource[] {
  const before = all.find((held) => isSame(held, given));
  if (before !== undefined && before.uid !== given.uid) throw new Error('data source not found');
  if (before === undefined && all.some(({ uid }) => uid === given.uid)) {
    throw new Error('data source with the same uid already exists');
  }
  const isDefault = given.isDefault || all.length === 0;
  // An update leaves the columns of empty strings as they were, but for user and database.
  const { url = '', basicAuthUser = '' } = before ?? {};
  const datasource = {
    ...given,
    isDefault,
    url: given.url || url,
    basicAuthUser: given.basicAuthUser || basicAuthUser,
  };
  return [
    ...all.filter((held) => held !== before).map((held) => (isDefault ? { ...held, isDefault: false } : held)),
    datasource,
  ];
}

function readFile(path: string, env: NodeJS.ProcessEnv): File {
  const read = parse(readFileSync(path, 'utf8')) as Fields;
  if (read['apiVersion'] !== 1) throw new Error(`${path}: the stand-in reads apiVersion 1 alone`);
  const items = (key: string) =>
    ((read[key] ?? []) as readonly Fields[]).map((item) => interpolated(item, env) as Fields);
  return {
    deleted: items('deleteDatasources').map((entry) => ({
      name: text(entry, 'name'),
      orgId: Number(entry['orgId'] ?? 1),
    })),
    datasources: items('datasources').map((entry) => {
      const uid = text(entry, 'uid');
      if (!/^[a-zA-Z0-9_-]{1,40}$/.test(uid)) throw new Error(`${path}: invalid uid ${uid}`);
      if (text(entry, 'name') === '' || text(entry, 'type') === '')
        throw new Error(`${path}: a datasource needs name and type`);
      return {
        uid,
        name: text(entry, 'name'),
        type: text(entry, 'type'),
        url: text(entry, 'url'),
        access: text(entry, 'access') || 'proxy',
        user: text(entry, 'user'),
        database: text(entry, 'database'),
        basicAuth: entry['basicAuth'] === true,
        basicAuthUser: text(entry, 'basicAuthUser'),
        withCredentials: entry['withCredentials'] === true,
        isDefault: entry['isDefault'] === true,
        orgId: Number(entry['orgId'] ?? 1),
        jsonData: sorted(entry['jsonData'] ?? {}) as Fields,
        secrets: Object.keys((entry['secureJsonData'] ?? {}) as Fields),
        secureJsonData: (entry['secureJsonData'] ?? {}) as Readonly<Record<string, string>>,
        readOnly: entry['editable'] !== true,
        isPrunable: read['prune'] === true,
      };
    }),
  };
}

function text(fields: Fields, key: string): string {
  const value = fields[key] ?? '';
  if (typeof value === 'object') throw new Error(`yaml: cannot unmarshal ${typeof value} into the string ${key}`);
  return String(value);
}

/** The keys of all mappings in the order of their names, as Go writes them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, sorted(inner)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
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
  if (Array.isArray(value)) return value.map((item) => interpolated(item, env));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, interpolated(inner, env)]));
}
