import type { StackConfig } from '../config.ts';
import type { RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import type { FileProblem, UserFiles } from '../service.ts';
import { quoted } from '../values/words.ts';
import { openDashboard, parseDashboard, resolveInputs, withInputs, withoutAliases } from './dashboard-file.ts';
import { markedFile } from './dashboard-mark.ts';
import { dashboardProblems } from './dashboard-problems.ts';
import { knownDatasources } from './datasources.ts';

/** The folder of dashboards in the config directory; a folder in it is a folder in Grafana. */
export const dashboardsFolder = 'dashboards';

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

/**
 * Unwraps dashboards, resolves their inputs, and marks each by its own content: Grafana saves a new version of each dashboard
 * whose file has changed.
 */
export function markDashboards(
  files: readonly RenderedFile[],
  config: StackConfig,
  hash: (text: string) => string,
): readonly RenderedFile[] {
  const known = knownDatasources(config);
  return files.map((file) => {
    if (!isDashboard(file) || file.content instanceof Secret) return file;
    const dashboard = openDashboard(parseDashboard(file.content));
    if (dashboard === undefined) return file;
    const resolved = withInputs(dashboard.model, resolveInputs(dashboard.model, known));
    const model = withoutAliases(resolved, known);
    const { isVerbatim: _lines, ...rest } = file;
    const content = markedFile(dashboard, model, hash(JSON.stringify(model)));
    return { ...rest, content: `${JSON.stringify(content, null, 2)}\n` };
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
