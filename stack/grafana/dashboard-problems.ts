import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { isMapping, listOf, type Mapping, mappingsIn } from '../values/mapping.ts';
import { expected, quoted } from '../values/words.ts';
import { toUid, uidForm } from './config.ts';
import { type DashboardModel, openDashboard, panelsIn, resolveInputs } from './dashboard-file.ts';
import type { KnownDatasource } from './datasources.ts';

/** Problems of a dashboard file in a stack with these datasources; paths are inside the file. */
export function dashboardProblems(content: unknown, datasources: readonly KnownDatasource[]): readonly Problem[] {
  const dashboard = openDashboard(content);
  if (dashboard === undefined) {
    const hint = "use the file that Grafana's Export writes";
    return [{ code: 'no-dashboard', path: [], message: expected('a dashboard', content), hint }];
  }
  return [
    ...titleProblems(dashboard),
    ...uidProblems(dashboard),
    ...(dashboard.isSchemaV2
      ? []
      : [
          ...inputProblems(dashboard, datasources),
          ...libraryProblems(dashboard),
          ...panelsIn(dashboard.model, dashboard.path).flatMap(({ panel, path }) => angularProblems(panel, path)),
          ...datasourceReferences(dashboard).flatMap((reference) =>
            referenceProblems(reference, dashboard, datasources),
          ),
        ]),
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

function uidProblems({ model, uid, uidPath }: DashboardModel): readonly Problem[] {
  if (typeof uid === 'string' && uidForm.test(uid)) return [];
  const suggested = toUid(typeof model['title'] === 'string' ? model['title'] : 'dashboard') || 'my-dashboard';
  const isMissing = uid === undefined || uid === null || uid === '';
  return [
    {
      code: isMissing ? 'missing-key' : 'wrong-value',
      path: isMissing ? uidPath.slice(0, -1) : uidPath,
      atKey: isMissing,
      message: isMissing
        ? 'the dashboard has no uid: Grafana would generate a new one each time, and the URL would change'
        : expected('a uid of at most 40 letters, digits, - and _', uid),
      hint: `write "${String(uidPath.at(-1))}": "${suggested}"`,
    },
  ];
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

/** Angular panels, which Grafana 12 removed, and their replacements. */
const successors: Readonly<Record<string, string>> = {
  graph: 'timeseries',
  singlestat: 'stat',
  'table-old': 'table',
  'grafana-piechart-panel': 'piechart',
  'grafana-worldmap-panel': 'geomap',
};

function angularProblems({ type }: Mapping, path: KeyPath): readonly Problem[] {
  const successor = typeof type === 'string' ? successors[type] : undefined;
  if (successor === undefined) return [];
  return [
    {
      code: 'angular-panel',
      path: [...path, 'type'],
      message: `Grafana 12 no longer has ${String(type)} panels`,
      hint: `use a ${successor} panel: Grafana 11 migrates it when you open and save the dashboard`,
    },
  ];
}

interface Reference {
  readonly path: KeyPath;
  /** A uid, or in old dashboards a name. */
  readonly to: string;
  readonly isName: boolean;
}

/** All references of a classic model to datasources: panels, their queries, variables and annotations. */
function datasourceReferences({ model, path }: DashboardModel): readonly Reference[] {
  const holders = [
    ...panelsIn(model, path).flatMap(({ panel, path: at }) => [
      { value: panel, path: at },
      ...mappingsIn(panel['targets'], [...at, 'targets']),
    ]),
    ...['templating', 'annotations'].flatMap((key) => {
      const section = model[key];
      return isMapping(section) ? mappingsIn(section['list'], [...path, key, 'list']) : [];
    }),
  ];
  return holders.flatMap(({ value: { datasource }, path: at }): readonly Reference[] => {
    if (typeof datasource === 'string') return [{ path: [...at, 'datasource'], to: datasource, isName: true }];
    if (!isMapping(datasource) || typeof datasource['uid'] !== 'string') return [];
    return [{ path: [...at, 'datasource', 'uid'], to: datasource['uid'], isName: false }];
  });
}

/** Grafana's built-in datasources. */
const builtIn = ['grafana', '-- Grafana --', '-- Mixed --', '-- Dashboard --', '__expr__', 'default', ''];

function referenceProblems(
  { path, to, isName }: Reference,
  dashboard: DashboardModel,
  datasources: readonly KnownDatasource[],
): readonly Problem[] {
  if (builtIn.includes(to)) return [];
  const variable = /^\$(?:\{(\w+)(?::\w+)?\}|(\w+))$/.exec(to);
  if (variable !== null) return variableProblems(variable[1] ?? variable[2] ?? '', path, dashboard);
  const names = datasources.flatMap(({ name, uid, aliases = [] }) => [uid, ...(isName ? [name] : []), ...aliases]);
  if (names.includes(to)) return [];
  const near = closest(to, names);
  const byName = datasources.find(({ name }) => name === to);
  return [
    {
      code: 'unknown-datasource',
      path,
      message: `the stack has no datasource with the ${isName ? 'name' : 'uid'} ${quoted(to)}`,
      hint:
        byName !== undefined
          ? `${to} is its name; its uid is "${byName.uid}"`
          : near !== undefined
            ? `did you mean ${quoted(near)}?`
            : datasources.length === 0
              ? 'add it under grafana.datasources'
              : `available: ${datasources.map(({ uid }) => uid).join(', ')}`,
    },
  ];
}

function variableProblems(name: string, path: KeyPath, { model }: DashboardModel): readonly Problem[] {
  const templating = model['templating'];
  const variables = isMapping(templating) ? listOf(templating['list']) : [];
  const isDefined = [...variables, ...listOf(model['__inputs'])].some(
    (item) => isMapping(item) && item['name'] === name,
  );
  if (isDefined) return [];
  return [
    {
      code: 'unknown-datasource',
      path,
      message: `\${${name}} is neither a variable nor an input of the dashboard`,
      hint: 'use the uid of a datasource, such as "prometheus"',
    },
  ];
}
