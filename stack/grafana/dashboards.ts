import type { StackConfig } from '../config.ts';
import type { RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import type { FileProblem, UserFiles } from '../service.ts';
import { isMapping, type Mapping } from '../values/mapping.ts';
import { quoted } from '../values/words.ts';
import { openDashboard, parseDashboard, resolveInputs, withInputs, withoutAliases } from './dashboard-file.ts';
import { dashboardProblems } from './dashboard-problems.ts';
import { knownDatasources } from './datasources.ts';

/** The folder of dashboards in the config directory; a folder in it is a folder in Grafana. */
export const dashboardsFolder = 'dashboards';

/** A key in the dashboard by which promstack recognizes it. */
const stampKey = 'promstack';

/** The stamp of a copy made in the browser has the uid of the original: such a copy belongs to the user. */
interface DashboardStamp {
  readonly revision: string;
  readonly uid: string;
}

/** The user's dashboards: files, globs, and folders with everything below them. */
export function dashboardFiles(config: StackConfig): readonly UserFiles[] {
  const datasources = knownDatasources(config);
  return config.grafana.dashboards.map((pattern, at) => {
    const glob = /\.json$|[*?[{]/.test(pattern) ? pattern : `${pattern.replace(/\/+$/, '')}/**/*.json`;
    return {
      key: ['grafana', 'dashboards', at],
      glob,
      mustMatch: glob !== pattern,
      into: dashboardsFolder,
      extensions: ['.json'],
      targetPath: (path) => targetPath(path, glob),
      problems: (content) => dashboardProblems(content, datasources),
      cacheKey: JSON.stringify(datasources),
    };
  });
}

/**
 * The folders that match the wildcards of the glob become one folder: Grafana uses only the last folder of a path, and would merge
 * `a/disks` and `b/disks`.
 */
function targetPath(path: string, glob: string): string {
  const globSteps = glob.split('/').filter((step) => step !== '.');
  const wildcard = globSteps.findIndex((step) => /[*?[{]/.test(step));
  const base = wildcard === -1 ? globSteps.length - 1 : wildcard;
  const steps = path
    .split('/')
    .filter((step) => step !== '.')
    .slice(base);
  const name = steps.at(-1) ?? path;
  const folder = steps.slice(0, -1).join(' - ');
  return folder === '' ? name : `${folder}/${name}`;
}

/** Unwraps dashboards, resolves their inputs, and writes the revision into each. */
export function stampDashboards(
  files: readonly RenderedFile[],
  revision: string,
  config: StackConfig,
): readonly RenderedFile[] {
  return files.map((file) => {
    if (!isDashboard(file) || file.content instanceof Secret) return file;
    const dashboard = openDashboard(parseDashboard(file.content));
    if (dashboard === undefined || dashboard.isSchemaV2) return file;
    const known = knownDatasources(config);
    const resolved = withInputs(dashboard.model, resolveInputs(dashboard.model, known));
    const model = withoutAliases(resolved, known);
    const uid = String(dashboard.uid ?? '');
    const stamp: DashboardStamp = { revision, uid };
    const { isVerbatim: _lines, ...rest } = file;
    return { ...rest, content: `${JSON.stringify({ ...model, id: null, uid, [stampKey]: stamp }, null, 2)}\n` };
  });
}

/** Dashboards that share a uid, or a title within a folder, which makes Grafana ignore all dashboards of their provider. */
export function sharedNames(files: readonly RenderedFile[]): readonly FileProblem[] {
  const uids = new Map<string, RenderedFile>();
  const titles = new Map<string, RenderedFile>();
  return files.flatMap((file): readonly FileProblem[] => {
    if (!isDashboard(file) || file.content instanceof Secret) return [];
    const dashboard = openDashboard(parseDashboard(file.content));
    if (dashboard === undefined || typeof dashboard.uid !== 'string') return [];
    const { model, path, uid, uidPath } = dashboard;
    const title = String(model['title'] ?? uid);
    const titleKey = `${file.path.slice(0, file.path.lastIndexOf('/'))}/${title}`;
    const sameUid = uids.get(dashboard.uid);
    const sameTitle = titles.get(titleKey);
    uids.set(dashboard.uid, sameUid ?? file);
    titles.set(titleKey, sameTitle ?? file);
    if (sameUid !== undefined) {
      const message = `the dashboard ${sameUid.origin} has the same uid ${quoted(String(uid))}`;
      return [{ file, code: 'uid-twice', path: uidPath, message, hint: 'change one of the uids' }];
    }
    if (sameTitle === undefined) return [];
    const message = `the dashboard ${sameTitle.origin} in the same folder has the same title ${quoted(title)}`;
    return [{ file, code: 'name-twice', path: [...path, 'title'], message, hint: 'change one of the titles' }];
  });
}

function isDashboard({ path }: RenderedFile): boolean {
  return path.startsWith(`${dashboardsFolder}/`) && path.endsWith('.json');
}

/** The stamp of a dashboard from Grafana; undefined when it has none. */
export function stampOf(dashboard: Mapping): DashboardStamp | undefined {
  const stamp = dashboard[stampKey];
  if (!isMapping(stamp)) return undefined;
  const { revision, uid } = stamp;
  return typeof revision === 'string' && typeof uid === 'string' ? { revision, uid } : undefined;
}
