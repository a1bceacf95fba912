import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { isNative, type Native } from '../values/native.ts';
import { inWords, quoted } from '../values/words.ts';
import { uidForm } from './config.ts';
import { answerInputs, type DashboardModel, openDashboard, panelsIn } from './dashboard-file.ts';
import type { KnownDatasource } from './datasources.ts';

/** What is wrong with the content of a dashboard's file in a stack with these datasources; paths are inside the file. */
export function dashboardProblems(content: unknown, known: readonly KnownDatasource[]): readonly Problem[] {
  const opened = openDashboard(content);
  if (opened === undefined) {
    return [
      {
        code: 'no-dashboard',
        path: [],
        message: `a dashboard is expected here, not ${inWords(content)}`,
        hint: "take what Grafana's Export writes",
      },
    ];
  }
  return [
    ...titleProblems(opened),
    ...uidProblems(opened),
    ...(opened.isSecondSchema
      ? []
      : [
          ...inputProblems(opened, known),
          ...libraryProblems(opened),
          ...panelsIn(opened.model, opened.path).flatMap(({ panel, path }) => angularProblems(panel, path)),
          ...datasourceReferences(opened).flatMap((reference) => referenceProblems(reference, opened, known)),
        ]),
  ];
}

/** Whether a content may be a dashboard at all: other JSON may lie in the same folder. */
function titleProblems({ model, path }: DashboardModel): readonly Problem[] {
  const { title } = model;
  if (typeof title === 'string' && title.trim() !== '') return [];
  return [
    {
      code: 'missing-key',
      path: title === undefined ? path : [...path, 'title'],
      atKey: title === undefined,
      message: title === undefined ? 'the dashboard has no title' : `a title is expected here, not ${inWords(title)}`,
      hint: 'Grafana leaves out a dashboard without one; is this file a dashboard?',
    },
  ];
}

function uidProblems({ model, uid, uidPath }: DashboardModel): readonly Problem[] {
  if (typeof uid === 'string' && uidForm.test(uid)) return [];
  const title = typeof model['title'] === 'string' ? model['title'] : 'dashboard';
  const made = title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 40);
  const isMissing = uid === undefined || uid === null || uid === '';
  return [
    {
      code: isMissing ? 'missing-key' : 'wrong-value',
      path: isMissing ? uidPath.slice(0, -1) : uidPath,
      atKey: isMissing,
      message: isMissing
        ? 'the dashboard has no uid: Grafana would make up another one each time, and its address would change'
        : `a uid of at most 40 letters, digits, - and _ is expected here, not ${inWords(uid)}`,
      hint: `write "${String(uidPath.at(-1))}": "${made === '' ? 'my-dashboard' : made}"`,
    },
  ];
}

function inputProblems({ model, path }: DashboardModel, known: readonly KnownDatasource[]): readonly Problem[] {
  return answerInputs(model, known).flatMap((answer, at): readonly Problem[] => {
    if (answer.value !== undefined) return [];
    return [
      {
        code: 'unknown-datasource',
        path: [...path, '__inputs', at, answer.plugin === undefined ? 'name' : 'pluginId'],
        message:
          answer.plugin === undefined
            ? `the input ${answer.name} has no value`
            : `the dashboard asks for a datasource of the kind ${quoted(answer.plugin)}, and the stack has none`,
        hint: answer.plugin === undefined ? 'give it one' : 'add one under grafana.datasources',
      },
    ];
  });
}

/** Library panels live in Grafana's database: a file can only refer to them. */
function libraryProblems({ model, path }: DashboardModel): readonly Problem[] {
  const elements = model['__elements'];
  const isEmpty = Array.isArray(elements)
    ? elements.length === 0
    : !isNative(elements) || Object.keys(elements).length === 0;
  if (isEmpty) return [];
  return [
    {
      code: 'library-panel',
      path: [...path, '__elements'],
      atKey: true,
      message: 'the dashboard brings library panels along, which a file cannot give to Grafana',
      hint: 'unlink them in Grafana before the export, so that they become plain panels',
    },
  ];
}

/** Panels that went with Angular in Grafana 12, and what took their place. */
const successors: Readonly<Record<string, string>> = {
  graph: 'timeseries',
  singlestat: 'stat',
  'table-old': 'table',
  'grafana-piechart-panel': 'piechart',
  'grafana-worldmap-panel': 'geomap',
};

function angularProblems({ type }: Native, path: KeyPath): readonly Problem[] {
  const successor = typeof type === 'string' ? successors[type] : undefined;
  if (successor === undefined) return [];
  return [
    {
      code: 'angular-panel',
      path: [...path, 'type'],
      message: `Grafana 12 has no ${String(type)} panel any more`,
      hint: `make it a ${successor} panel: Grafana 11 does so when the dashboard is opened and saved`,
    },
  ];
}

interface Reference {
  readonly path: KeyPath;
  /** A uid, or in old dashboards a name. */
  readonly to: string;
  readonly isName: boolean;
}

/** Every place of a classic model that names a datasource: panels, their queries, variables and annotations. */
function datasourceReferences({ model, path }: DashboardModel): readonly Reference[] {
  const list = (section: unknown, at: KeyPath): readonly Reference[] =>
    isNative(section) && Array.isArray(section['list'])
      ? section['list'].flatMap((item: unknown, index) =>
          isNative(item) ? referenceOf(item, [...at, 'list', index]) : [],
        )
      : [];
  return [
    ...panelsIn(model, path).flatMap(({ panel, path: at }) => [
      ...referenceOf(panel, at),
      ...(Array.isArray(panel['targets'])
        ? panel['targets'].flatMap((target: unknown, index) =>
            isNative(target) ? referenceOf(target, [...at, 'targets', index]) : [],
          )
        : []),
    ]),
    ...list(model['templating'], [...path, 'templating']),
    ...list(model['annotations'], [...path, 'annotations']),
  ];
}

function referenceOf(holder: Native, path: KeyPath): readonly Reference[] {
  const { datasource } = holder;
  if (typeof datasource === 'string') return [{ path: [...path, 'datasource'], to: datasource, isName: true }];
  if (!isNative(datasource) || typeof datasource['uid'] !== 'string') return [];
  return [{ path: [...path, 'datasource', 'uid'], to: datasource['uid'], isName: false }];
}

/** Datasources Grafana has in itself. */
const builtIn = ['grafana', '-- Grafana --', '-- Mixed --', '-- Dashboard --', '__expr__', 'default', ''];

function referenceProblems(
  { path, to, isName }: Reference,
  opened: DashboardModel,
  known: readonly KnownDatasource[],
): readonly Problem[] {
  if (builtIn.includes(to)) return [];
  const variable = /^\$(?:\{(\w+)(?::\w+)?\}|(\w+))$/.exec(to);
  if (variable !== null) return variableProblems(variable[1] ?? variable[2] ?? '', path, opened);
  const names = known.flatMap(({ name, uid }) => (isName ? [uid, name] : [uid]));
  if (names.includes(to)) return [];
  const near = closest(to, names);
  const byName = known.find(({ name }) => name === to);
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
            : names.length === 0
              ? 'add it under grafana.datasources'
              : `there is ${known.map(({ uid }) => uid).join(', ')}`,
    },
  ];
}

function variableProblems(name: string, path: KeyPath, { model }: DashboardModel): readonly Problem[] {
  const templating = model['templating'];
  const variables = isNative(templating) && Array.isArray(templating['list']) ? templating['list'] : [];
  const inputs = Array.isArray(model['__inputs']) ? model['__inputs'] : [];
  const isKnown = [...variables, ...inputs].some((one: unknown) => isNative(one) && one['name'] === name);
  if (isKnown) return [];
  return [
    {
      code: 'unknown-datasource',
      path,
      message: `\${${name}} stands for no datasource: the dashboard has neither such a variable nor such an input`,
      hint: 'write the uid of a datasource, such as "prometheus"',
    },
  ];
}
