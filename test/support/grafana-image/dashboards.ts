import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { interpolated } from './datasources.ts';
import type { Store, StoredDashboard, StoredFolder } from './store.ts';

type Fields = Readonly<Record<string, unknown>>;
type Stored = Pick<Store, 'dashboards' | 'folders'>;
type Log = (line: string) => void;

interface Provider {
  readonly name: string;
  readonly type?: string;
  readonly disableDeletion?: boolean;
  readonly options: { readonly path: string; readonly foldersFromFilesStructure?: boolean };
}

/** Grafana itself, as the author of what it provisions. */
const serviceIdentity = 'access-policy:service';
/** How many provisioned dashboards of a provider Grafana finds again. */
const foundAgain = 1_000;

/** One pass over `provisioning/dashboards` and the folders named there: what is stored afterwards. A bad dashboard is logged and left out. */
export function provisionDashboards(folder: string, stored: Stored, env: NodeJS.ProcessEnv, log: Log): Stored {
  const providers = readdirSync(folder)
    .filter((name) => /\.ya?ml$/.test(name))
    .flatMap((name) => {
      const read = parse(readFileSync(join(folder, name), 'utf8')) as { providers: readonly unknown[] };
      return read.providers.map((provider) => interpolated(provider, env) as Provider);
    });
  const names = providers.map(({ name }) => name);
  // CleanUpOrphanedDashboards: those of a provider that no file names are deleted.
  const kept = stored.dashboards.filter(({ provider }) => provider === undefined || names.includes(provider));
  const found = providers.map((provider): ReadonlyMap<string, FoundFile> => {
    if ((provider.type ?? 'file') !== 'file') throw new Error(`type ${provider.type} is not supported`);
    return filesOf(provider, log);
  });
  let all: Stored = { ...stored, dashboards: kept };
  providers.forEach((provider, at) => {
    all = walk(provider, found[at] ?? new Map(), all, log);
  });
  warnOfDuplicates(providers, found, log);
  return all;
}

interface FoundFile {
  readonly folder: string;
  readonly md5: string;
  /** Undefined when the file is not a dashboard. */
  readonly dashboard: FileDashboard | undefined;
}

interface FileDashboard {
  readonly uid: string;
  readonly title: string;
  readonly model: Fields;
  readonly apiVersion: string | undefined;
}

/** The files of a provider by path: links to files are followed, and known by their own path. */
function filesOf({ options }: Provider, log: Log): ReadonlyMap<string, FoundFile> {
  if (!existsSync(options.path)) {
    log(
      `logger=provisioning.dashboard level=error msg="Cannot read directory" error="stat ${options.path}: no such file or directory"`,
    );
    return new Map();
  }
  const top = realpathSync(options.path);
  return new Map(
    jsonFiles(top).flatMap((path) => {
      if (!existsSync(path)) {
        log(
          `logger=provisioning.dashboard level=error msg="failed to save dashboard" file=${path} error="lstat : no such file or directory"`,
        );
        return [];
      }
      const content = readFileSync(path, 'utf8');
      const md5 = createHash('md5').update(content).digest('hex');
      const isInFolder = options.foldersFromFilesStructure === true && dirname(path) !== top;
      const dashboard = readModel(content, (error) =>
        log(
          `logger=provisioning.dashboard level=error msg="failed to load dashboard from " file=${path} error="${error}"`,
        ),
      );
      return [[path, { folder: isInFolder ? basename(dirname(path)) : '', md5, dashboard }] as const];
    }),
  );
}

function walk(
  { name, disableDeletion }: Provider,
  files: ReadonlyMap<string, FoundFile>,
  stored: Stored,
  log: Log,
): Stored {
  const known = new Set(stored.dashboards.filter(({ provider }) => provider === name).slice(0, foundAgain));
  // Of a dashboard whose file is gone, Grafana deletes the mark of provisioning, or the dashboard.
  const dashboards = stored.dashboards.flatMap((dashboard): readonly StoredDashboard[] => {
    if (!known.has(dashboard) || files.has(dashboard.path ?? '')) return [dashboard];
    const { path: _path, provider: _provider, apiVersion: _version, ...rest } = dashboard;
    const left = {
      ...rest,
      model: classicModel(dashboard),
      version: dashboard.version + 1,
    };
    return disableDeletion === true ? [left] : [];
  });
  return [...files].reduce<Stored>((all, [path, file]) => saved(all, { path, file, provider: name, known }, log), {
    ...stored,
    dashboards,
  });
}

interface Saving {
  readonly path: string;
  readonly file: FoundFile;
  readonly provider: string;
  readonly known: ReadonlySet<StoredDashboard>;
}

function saved(stored: Stored, { path, file, provider, known }: Saving, log: Log): Stored {
  const { dashboard, md5 } = file;
  const { folders, uid: folder } = folderOf(stored.folders, file.folder);
  const all = { ...stored, folders };
  if (dashboard === undefined) return all;
  const { uid, model, apiVersion } = dashboard;
  const isUpToDate = stored.dashboards.some((one) => one.path === path && one.md5 === md5 && known.has(one));
  if (isUpToDate) return all;
  const problem = wrongUid(uid) ?? unknownVersion(apiVersion);
  if (problem !== undefined) {
    log(`logger=provisioning.dashboard level=error msg="failed to save dashboard" file=${path} error="${problem}"`);
    return all;
  }
  const former = stored.dashboards.find((one) => one.uid === uid);
  const id = former?.id ?? Math.max(0, ...stored.dashboards.map((one) => one.id)) + 1;
  const isSame = former?.path === path && former.md5 === md5;
  const version = (former?.version ?? 0) + (isSame ? 0 : 1);
  const names = { provider, path, md5 };
  const schema = apiVersion?.includes('/v2') ? { apiVersion } : {};
  const next: StoredDashboard = { id, uid, version, folder, model, ...schema, ...names };
  return { ...all, dashboards: [...stored.dashboards.filter((one) => one !== former), next] };
}

/** The folder of this title, created if there is none. Grafana trims a title when it stores it, and not when it looks for it. */
function folderOf(folders: readonly StoredFolder[], title: string): { folders: readonly StoredFolder[]; uid: string } {
  if (title === '') return { folders, uid: '' };
  const found = folders.find((folder) => folder.title === title);
  if (found !== undefined) {
    const managed = folders.map((folder) => (folder === found ? { ...folder, isManaged: true } : folder));
    return { folders: managed, uid: found.uid };
  }
  const uid = `folder-${folders.length + 1}-${createHash('md5').update(title).digest('hex').slice(0, 8)}`;
  return { folders: [...folders, { uid, title: title.trim(), createdBy: serviceIdentity, isManaged: true }], uid };
}

/** pkg/services/dashboards/models.go: a classic model, or a resource when it has an apiVersion. Labels and annotations are not read. */
function readModel(content: string, fail: (error: string) => void): FileDashboard | undefined {
  try {
    const read = JSON.parse(content) as Fields;
    const { apiVersion, metadata, spec } = read;
    const isResource = typeof apiVersion === 'string' && apiVersion !== '';
    const model = isResource ? (spec as Fields) : read;
    const uid = isResource ? (metadata as Fields)['name'] : read['uid'];
    if (typeof model['title'] === 'string' && model['title'] !== '') {
      return { uid: String(uid), title: model['title'], model, apiVersion: isResource ? apiVersion : undefined };
    }
    fail('Dashboard title cannot be empty');
  } catch (error) {
    fail((error as Error).message);
  }
  return undefined;
}

const wrongUid = (uid: string): string | undefined =>
  /^[a-zA-Z0-9_-]{1,40}$/.test(uid) ? undefined : 'uid contains illegal characters';

const knownVersions = ['v0alpha1', 'v1', 'v1beta1', 'v2alpha1', 'v2beta1'];

const unknownVersion = (apiVersion: string | undefined): string | undefined =>
  apiVersion === undefined || knownVersions.includes(apiVersion.split('/')[1] ?? '')
    ? undefined
    : 'the server could not find the requested resource';

/** A dashboard as the API of classic models answers with: of schema v2, annotations and title of what promstack looks at. */
export function classicModel({ model, apiVersion, uid }: StoredDashboard): Fields {
  if (apiVersion === undefined) return model;
  const annotations = (model['annotations'] ?? []) as readonly { readonly spec: Fields }[];
  const list = annotations.map(({ spec: { legacyOptions, ...spec } }) => ({ ...spec, ...(legacyOptions as Fields) }));
  return { uid, title: model['title'], tags: model['tags'] ?? [], annotations: { list }, panels: [] };
}

/** Duplicates over all files of an organization: their providers save nothing until a pass finds none. */
function warnOfDuplicates(
  providers: readonly Provider[],
  found: readonly ReadonlyMap<string, FoundFile>[],
  log: Log,
): void {
  const owners = new Map<string, Set<string>>();
  const counts = new Map<string, number>();
  providers.forEach(({ name }, at) => {
    for (const { dashboard, folder } of found[at]?.values() ?? []) {
      if (dashboard === undefined) continue;
      for (const key of [`uid ${dashboard.uid}`, `title ${folder}/${dashboard.title}`]) {
        counts.set(key, (counts.get(key) ?? 0) + 1);
        owners.set(key, (owners.get(key) ?? new Set()).add(name));
      }
    }
  });
  const involved = new Set([...counts].flatMap(([key, count]) => (count > 1 ? [...(owners.get(key) ?? [])] : [])));
  for (const provider of involved)
    log(
      `logger=provisioning.dashboard level=warn msg="dashboards provisioning provider has no database write permissions because of duplicates" provider=${provider} orgId=1`,
    );
}

function jsonFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith('.') ? [] : jsonFiles(path);
    return entry.name.endsWith('.json') ? [path] : [];
  });
}
