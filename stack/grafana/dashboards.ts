import type { StackConfig } from '../config.ts';
import type { RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import type { FileProblem, UserFiles } from '../service.ts';
import { isNative, type Native } from '../values/native.ts';
import { quoted } from '../values/words.ts';
import { answerInputs, openDashboard, parseDashboard, withAnswers } from './dashboard-file.ts';
import { dashboardProblems } from './dashboard-problems.ts';
import { knownDatasources } from './datasources.ts';

/** Where dashboards lie in the config directory; a folder in it is a folder in Grafana. */
export const dashboardsFolder = 'dashboards';

/** The key under which a dashboard carries what promstack needs to know its own again. */
const markKey = 'promstack';

/** What the mark says: a copy made in the browser has another uid than its mark, and so is the person's own. */
export interface DashboardMark {
  readonly revision: string;
  readonly uid: string;
}

/** The person's dashboards: files and globs as they are, a folder with everything below it. */
export function dashboardFiles(config: StackConfig): readonly UserFiles[] {
  const known = knownDatasources(config);
  return config.grafana.dashboards.map((written, at) => {
    const glob = /\.json$|[*?[{]/.test(written) ? written : `${written.replace(/\/+$/, '')}/**/*.json`;
    return {
      key: ['grafana', 'dashboards', at],
      glob,
      into: dashboardsFolder,
      extensions: ['.json'],
      landing: (path) => landingPlace(path, glob),
      problems: (content) => dashboardProblems(content, known),
      judgedBy: JSON.stringify(known),
    };
  });
}

/**
 * The place of a dashboard: folders below the fixed part of the glob become one folder, since Grafana keeps only the last name of
 * a path and would mix `a/disks` with `b/disks`.
 */
function landingPlace(path: string, glob: string): string {
  const fixed = glob.split('/').filter((step) => step !== '.');
  const wild = fixed.findIndex((step) => /[*?[{]/.test(step));
  const base = wild === -1 ? fixed.length - 1 : wild;
  const steps = path
    .split('/')
    .filter((step) => step !== '.')
    .slice(base);
  const name = steps.at(-1) ?? path;
  const folder = steps.slice(0, -1).join(' - ');
  return folder === '' ? name : `${folder}/${name}`;
}

/** The dashboards made ready for Grafana: taken out of their envelopes, inputs answered, the revision written into each. */
export function stampDashboards(
  files: readonly RenderedFile[],
  revision: string,
  config: StackConfig,
): readonly RenderedFile[] {
  return files.map((file) => {
    if (!isDashboard(file) || file.content instanceof Secret) return file;
    const opened = openDashboard(parseDashboard(file.content));
    if (opened === undefined || opened.isSecondSchema) return file;
    const answered = withAnswers(opened.model, answerInputs(opened.model, knownDatasources(config)));
    const uid = String(opened.uid ?? '');
    const mark: DashboardMark = { revision, uid };
    const { isVerbatim: _lines, ...rest } = file;
    return { ...rest, content: `${JSON.stringify({ ...answered, id: null, uid, [markKey]: mark }, null, 2)}\n` };
  });
}

/** Dashboards that share a uid, or a title within one folder: Grafana would stop taking any of their provider. */
export function sharedNames(files: readonly RenderedFile[]): readonly FileProblem[] {
  const uids = new Map<string, RenderedFile>();
  const titles = new Map<string, RenderedFile>();
  return files.flatMap((file): readonly FileProblem[] => {
    const dashboard = titleAndUid(file);
    if (dashboard === undefined) return [];
    const { uid, title, uidPath, titlePath } = dashboard;
    const place = `${file.path.slice(0, file.path.lastIndexOf('/'))}/${title}`;
    const sameUid = uids.get(uid);
    const sameTitle = titles.get(place);
    uids.set(uid, sameUid ?? file);
    titles.set(place, sameTitle ?? file);
    return [
      ...(sameUid === undefined
        ? []
        : [
            {
              file,
              code: 'uid-twice',
              path: uidPath,
              message: `the uid ${quoted(uid)} is that of another dashboard, ${sameUid.origin}`,
              hint: 'give one of them another uid',
            },
          ]),
      ...(sameTitle === undefined || sameUid !== undefined
        ? []
        : [
            {
              file,
              code: 'name-twice',
              path: titlePath,
              message: `there are two dashboards titled ${quoted(title)} in one folder, the other is ${sameTitle.origin}`,
              hint: 'give one of them another title',
            },
          ]),
    ];
  });
}

function titleAndUid(file: RenderedFile) {
  if (!isDashboard(file) || file.content instanceof Secret) return undefined;
  const opened = openDashboard(parseDashboard(file.content));
  if (opened === undefined || typeof opened.uid !== 'string') return undefined;
  const { model, path, uid, uidPath } = opened;
  return { uid: opened.uid, title: String(model['title'] ?? uid), uidPath, titlePath: [...path, 'title'] };
}

function isDashboard({ path }: RenderedFile): boolean {
  return path.startsWith(`${dashboardsFolder}/`) && path.endsWith('.json');
}

/** The mark of a dashboard as Grafana answers it; undefined when it carries none. */
export function markOf(dashboard: Native): DashboardMark | undefined {
  const mark = dashboard[markKey];
  if (!isNative(mark)) return undefined;
  const { revision, uid } = mark;
  return typeof revision === 'string' && typeof uid === 'string' ? { revision, uid } : undefined;
}
