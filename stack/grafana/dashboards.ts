import type { StackConfig } from '../config.ts';
import type { KeyPath } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import type { FileProblem, UserFiles } from '../service.ts';
import { isMapping, type Mapping } from '../values/mapping.ts';
import { quoted } from '../values/words.ts';
import {
  type DashboardModel,
  isMissing,
  openDashboard,
  parseDashboard,
  resolveInputs,
  uidAt,
  withInputs,
  withoutAliases,
} from './dashboard-file.ts';
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
      problems: (content) => dashboardProblems(content, datasources, config.grafana.image),
      cacheKey: JSON.stringify([config.grafana.image, datasources]),
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
  // Grafana trims the name of a folder when it makes one but not when it looks for it: it would make one at each reload.
  const folders = steps.slice(0, -1).map((step) => step.trim());
  const folder = folders.filter((step) => step !== '').join(' - ');
  return folder === '' ? name : `${folder}/${name}`;
}

/**
 * Unwraps dashboards, resolves their inputs, and marks each by its own content: Grafana saves a new version of each dashboard
 * whose file has changed. Many are divided among providers.
 */
export function markDashboards(
  files: readonly RenderedFile[],
  config: StackConfig,
  hash: (text: string) => string,
): readonly RenderedFile[] {
  const known = knownDatasources(config);
  const folders = providerFolders(files);
  const opened = files.map((file) => ({ file, dashboard: openFile(file) }));
  const uids = new Set(opened.map(({ dashboard }) => dashboard?.uid));
  return opened.map(({ file, dashboard }) => {
    if (dashboard === undefined) return file;
    const resolved = withInputs(dashboard.model, resolveInputs(dashboard.model, known));
    const whole = withoutAliases(resolved, known);
    const model = file.isShipped === true ? (withoutDeadLinks(whole, uids, config) as Mapping) : whole;
    const mark = { uid: uidAt(file.path, dashboard), content: hash(JSON.stringify(model)) };
    // Grafana's home page is one of promstack's own by its path.
    const at = file.isShipped === true ? 0 : Number.parseInt(hash(file.path), 16) % folders.length;
    const { isVerbatim: _lines, ...rest } = file;
    const content = `${JSON.stringify(markedFile(dashboard, model, mark), null, 2)}\n`;
    return { ...rest, path: file.path.replace(dashboardsFolder, folders[at] ?? dashboardsFolder), content };
  });
}

function openFile(file: RenderedFile): DashboardModel | undefined {
  return isDashboard(file) && !(file.content instanceof Secret)
    ? openDashboard(parseDashboard(file.content))
    : undefined;
}

/** A part of a shipped dashboard without links to dashboards and alert rules that this stack does not have. */
function withoutDeadLinks(part: unknown, uids: ReadonlySet<unknown>, config: StackConfig): unknown {
  if (Array.isArray(part)) {
    return part.filter((item) => !isDeadLink(item, uids, config)).map((item) => withoutDeadLinks(item, uids, config));
  }
  if (!isMapping(part)) return part;
  return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, withoutDeadLinks(inner, uids, config)]));
}

function isDeadLink(item: unknown, uids: ReadonlySet<unknown>, { prometheus, grafana }: StackConfig): boolean {
  const url = isMapping(item) ? String(item['url']) : '';
  const [, uid] = /^\/d\/([\w-]+)/.exec(url) ?? [];
  if (uid !== undefined) return !uids.has(uid);
  if (!url.startsWith('/alerting/')) return false;
  const hasAlerting = String(grafana.config['unified_alerting']?.['enabled'] ?? true) !== 'false';
  // A name from a table's cell is that of any rule.
  return !hasAlerting || (!prometheus.shipped_rules && !url.includes('${'));
}

/** The folders of the further providers in the provisioning file; the first one passes over names that begin with a dot. */
export const furtherFolders: readonly string[] = [1, 2, 3].map((provider) => `${dashboardsFolder}/.more/${provider}`);

/** How many dashboards one provider gets, of which Grafana finds 1,000 again. */
const largestProvider = 800;

/** The folders to divide the dashboards among; a provisioning file of the user's own may not have the further providers. */
function providerFolders(files: readonly RenderedFile[]): readonly string[] {
  const isDivided =
    files.filter(isDashboard).length > largestProvider &&
    files.some(
      ({ path, content }) =>
        path.startsWith('provisioning/dashboards/') &&
        furtherFolders.every((folder) => String(content).includes(folder)),
    );
  return isDivided ? [dashboardsFolder, ...furtherFolders] : [dashboardsFolder];
}

/**
 * Dashboards that share a uid, or a title within a folder, which makes Grafana ignore all dashboards of their provider, and those
 * that get a uid.
 */
export function sharedNames(files: readonly RenderedFile[]): readonly FileProblem[] {
  const uids = new Map<string, RenderedFile>();
  const titles = new Map<string, RenderedFile>();
  return files.flatMap((file): readonly FileProblem[] => {
    const dashboard = openFile(file);
    if (dashboard === undefined) return [];
    const { model, path, uidPath } = dashboard;
    const uid = uidAt(file.path, dashboard);
    const title = String(model['title'] ?? uid);
    const titleKey = `${file.path.slice(0, file.path.lastIndexOf('/'))}/${title}`;
    const sameUid = uids.get(uid);
    const sameTitle = titles.get(titleKey);
    uids.set(uid, sameUid ?? file);
    titles.set(titleKey, sameTitle ?? file);
    if (sameUid !== undefined) {
      const message = `the dashboard ${sameUid.origin} has the same uid ${quoted(uid)}`;
      return [{ file, code: 'uid-twice', path: uidPath, message, hint: 'change one of the uids' }];
    }
    if (sameTitle !== undefined) {
      const message = `the dashboard ${sameTitle.origin} in the same folder has the same title ${quoted(title)}`;
      return [{ file, code: 'name-twice', path: [...path, 'title'], message, hint: 'change one of the titles' }];
    }
    return isMissing(dashboard.uid) ? [missingUid(file, uid, uidPath)] : [];
  });
}

function missingUid(file: RenderedFile, uid: string, uidPath: KeyPath): FileProblem {
  return {
    file,
    severity: 'warning',
    code: 'missing-key',
    path: uidPath.slice(0, -1),
    atKey: true,
    message: `the dashboard has no uid: it gets ${quoted(uid)}, from the path of its file`,
    hint: `write "${String(uidPath.at(-1))}": ${quoted(uid)}, so that its URL stays when the file is moved`,
  };
}

function isDashboard({ path }: RenderedFile): boolean {
  return path.startsWith(`${dashboardsFolder}/`) && path.endsWith('.json');
}
