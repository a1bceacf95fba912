import type { Problem } from '../diagnostic.ts';
import { expected, orList, quoted } from '../values/words.ts';
import { toUid, uidForm } from './config.ts';
import { type DashboardModel, isMissing, openDashboard, resolveInputs } from './dashboard-file.ts';
import { panelProblems } from './dashboard-panels.ts';
import { referenceProblems } from './dashboard-references.ts';
import type { KnownDatasource } from './datasources.ts';
import { knownSchemaV2 } from './image-contents.ts';

/** Problems of a dashboard file in a stack with these datasources and this image; paths are inside the file. */
export function dashboardProblems(
  content: unknown,
  datasources: readonly KnownDatasource[],
  image: string,
): readonly Problem[] {
  const dashboard = openDashboard(content);
  if (dashboard === undefined) {
    const hint = "use the file that Grafana's Export writes";
    return [{ code: 'no-dashboard', path: [], message: expected('a dashboard', content), hint }];
  }
  return [
    ...titleProblems(dashboard),
    ...uidProblems(dashboard),
    ...versionProblems(dashboard, image),
    ...inputProblems(dashboard, datasources),
    ...libraryProblems(dashboard),
    ...panelProblems(dashboard, image),
    ...referenceProblems(dashboard, datasources),
  ];
}

function titleProblems({ model, path }: DashboardModel): readonly Problem[] {
  const { title } = model;
  if (typeof title === 'string' && title.trim() !== '') return [];
  const isMissing = title === undefined;
  return [
    {
      code: 'missing-key',
      path: isMissing ? path : [...path, 'title'],
      atKey: isMissing,
      message: isMissing ? 'the dashboard has no title' : expected('a title', title),
      hint: 'Grafana does not load a dashboard without a title; is this file a dashboard?',
    },
  ];
}

/** A dashboard without a uid gets one from its path. */
function uidProblems({ uid, uidPath }: DashboardModel): readonly Problem[] {
  if (isMissing(uid) || (typeof uid === 'string' && uidForm.test(uid))) return [];
  const suggested = toUid(String(uid));
  return [
    {
      code: 'wrong-value',
      path: uidPath,
      message: expected('a uid of at most 40 letters, digits, - and _', uid),
      hint: `write "${String(uidPath.at(-1))}": "${suggested || 'my-dashboard'}"`,
    },
  ];
}

/** Classic models are written without their version; a resource of schema v2 is loaded by it. */
function versionProblems({ apiVersion, isSchemaV2 }: DashboardModel, image: string): readonly Problem[] {
  if (apiVersion === undefined) return [];
  const [group = '', version = ''] = apiVersion.split('/');
  const path = ['apiVersion'];
  if (group !== 'dashboard.grafana.app') {
    const message = `${quoted(apiVersion)} is not the version of a dashboard`;
    return [{ code: 'unknown-version', path, message, hint: 'dashboards are of dashboard.grafana.app' }];
  }
  const known = knownSchemaV2(image);
  if (!isSchemaV2 || known === undefined || known.includes(version)) return [];
  const hint =
    known.length === 0
      ? 'schema v2 needs Grafana 12: export the dashboard in the classic model'
      : `it knows v0alpha1, v1, v1beta1 and ${orList(known)}: export the dashboard from this version of Grafana`;
  return [{ code: 'unknown-version', path, message: `${image} does not know ${quoted(apiVersion)}`, hint }];
}

function inputProblems({ model, path }: DashboardModel, datasources: readonly KnownDatasource[]): readonly Problem[] {
  return resolveInputs(model, datasources).flatMap(({ name, value, plugin }, at): readonly Problem[] => {
    if (value !== undefined) return [];
    const input = [...path, '__inputs', at];
    const code = 'unknown-datasource';
    if (plugin === undefined) {
      return [{ code, path: [...input, 'name'], message: `the input ${name} has no value`, hint: 'set its value' }];
    }
    const message = `the dashboard needs a datasource of type ${quoted(plugin)}, and the stack has none`;
    return [{ code, path: [...input, 'pluginId'], message, hint: 'add one under grafana.datasources' }];
  });
}

/** Library panels are stored in Grafana's database; a file can only refer to them. */
function libraryProblems({ model, path }: DashboardModel): readonly Problem[] {
  const elements = model['__elements'];
  if (typeof elements !== 'object' || elements === null || Object.keys(elements).length === 0) return [];
  return [
    {
      code: 'library-panel',
      path: [...path, '__elements'],
      atKey: true,
      message: 'the dashboard contains library panels, which cannot be provisioned from a file',
      hint: 'unlink them in Grafana before the export, so that they become regular panels',
    },
  ];
}
