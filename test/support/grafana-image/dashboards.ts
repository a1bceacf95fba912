import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { interpolated } from './datasources.ts';
import type { StoredDashboard } from './store.ts';

interface Provider {
  readonly name: string;
  readonly type?: string;
  readonly disableDeletion?: boolean;
  readonly options: { readonly path: string; readonly foldersFromFilesStructure?: boolean };
}

/** One pass over `provisioning/dashboards` and the folders named there: what is stored afterwards. A bad dashboard is logged and left out. */
export function provisionDashboards(
  folder: string,
  stored: readonly StoredDashboard[],
  env: NodeJS.ProcessEnv,
  log: (line: string) => void,
): readonly StoredDashboard[] {
  const providers = readdirSync(folder)
    .filter((name) => /\.ya?ml$/.test(name))
    .flatMap((name) => {
      const read = parse(readFileSync(join(folder, name), 'utf8')) as { providers: readonly unknown[] };
      return read.providers.map((one) => interpolated(one, env) as Provider);
    });
  const [provider, ...others] = providers;
  if (provider === undefined) return stored;
  if (others.length > 0 || (provider.type ?? 'file') !== 'file')
    throw new Error('the stand-in knows one provider of files');
  return walk(provider, stored, log);
}

function walk(
  { disableDeletion, options }: Provider,
  stored: readonly StoredDashboard[],
  log: (line: string) => void,
): readonly StoredDashboard[] {
  const files = jsonFiles(realpathSync(options.path));
  // Grafana knows a file by its real path: one that is gone is deleted, or is a dashboard like any other from then on.
  const left = stored.flatMap((one): readonly StoredDashboard[] => {
    if (one.path === undefined || files.includes(one.path)) return [one];
    const { path: _gone, ...rest } = one;
    return disableDeletion === true ? [rest] : [];
  });
  const isFolder = options.foldersFromFilesStructure === true;
  return files.reduce<readonly StoredDashboard[]>((all, path) => saved(all, path, isFolder, log), left);
}

function saved(
  all: readonly StoredDashboard[],
  path: string,
  isFolder: boolean,
  log: (line: string) => void,
): readonly StoredDashboard[] {
  const content = readFileSync(path, 'utf8');
  const md5 = createHash('md5').update(content).digest('hex');
  if (all.some((one) => one.path === path && one.md5 === md5)) return all;
  const model = readModel(content);
  if (model === undefined) {
    log(
      `logger=provisioning.dashboard level=error msg="failed to load dashboard from " file=${path} error="Dashboard title cannot be empty"`,
    );
    return all;
  }
  const uid = String(model['uid']);
  const former = all.find((one) => one.uid === uid);
  const id = former?.id ?? Math.max(0, ...all.map((one) => one.id)) + 1;
  const folder = isFolder ? basename(dirname(path)) : '';
  const next: StoredDashboard = { id, uid, version: (former?.version ?? 0) + 1, folder, model, path, md5 };
  return [...all.filter((one) => one !== former), next];
}

function readModel(content: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const model = JSON.parse(content) as Readonly<Record<string, unknown>>;
    return typeof model['title'] === 'string' && model['title'] !== '' ? model : undefined;
  } catch {
    return undefined;
  }
}

function jsonFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((one) => {
    const path = join(folder, one.name);
    if (one.isDirectory()) return one.name.startsWith('.') ? [] : jsonFiles(path);
    return one.name.endsWith('.json') ? [path] : [];
  });
}
