import type { KeyPath, Problem } from '../diagnostic.ts';
import { closest } from '../values/closest.ts';
import { isMapping, listOf, mappingsIn } from '../values/mapping.ts';
import { quoted } from '../values/words.ts';
import { type DashboardModel, panelsIn } from './dashboard-file.ts';
import type { KnownDatasource } from './datasources.ts';

interface Reference {
  readonly path: KeyPath;
  /** A uid, or in old dashboards a name. */
  readonly to: string;
  readonly isName: boolean;
  /** The type of the datasource, where the reference names it. */
  readonly type?: string | undefined;
}

/** References of a dashboard to a datasource that the stack does not have, and what is wrong with them. */
export interface UnknownDatasource {
  readonly to: string;
  readonly references: readonly Reference[];
  readonly problem: Problem;
}

/** References of a dashboard to datasources that the stack does not have: one problem for each, at the first reference. */
export function referenceProblems(
  dashboard: DashboardModel,
  datasources: readonly KnownDatasource[],
): readonly Problem[] {
  return unknownDatasources(dashboard, datasources).map(({ problem, references }) => {
    const count = references.length;
    return count === 1 ? problem : { ...problem, message: `${problem.message} (${count} references)` };
  });
}

/** The datasources to which a dashboard refers and which the stack does not have. */
export function unknownDatasources(
  dashboard: DashboardModel,
  datasources: readonly KnownDatasource[],
): readonly UnknownDatasource[] {
  const references = dashboard.isSchemaV2 ? referencesOfV2(dashboard) : classicReferences(dashboard);
  const unknown = new Map<string, { to: string; references: Reference[]; problem: Problem }>();
  for (const reference of references) {
    const [problem] = problemsOf(reference, dashboard, datasources);
    if (problem === undefined) continue;
    const key = `${reference.isName} ${reference.to}`;
    const same = unknown.get(key);
    if (same === undefined) unknown.set(key, { to: reference.to, references: [reference], problem });
    else same.references.push(reference);
  }
  return [...unknown.values()];
}

/** All references of a classic model: panels, their queries, variables and annotations. */
function classicReferences({ model, path }: DashboardModel): readonly Reference[] {
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
    const type = typeof datasource['type'] === 'string' ? datasource['type'] : undefined;
    return [{ path: [...at, 'datasource', 'uid'], to: datasource['uid'], isName: false, type }];
  });
}

/** In schema v2 the uid of a datasource is `datasource.uid` (v2alpha1) or `datasource.name`, in queries at any depth. */
function referencesOfV2({ model, path }: DashboardModel): readonly Reference[] {
  const inside = (value: unknown, at: KeyPath): readonly Reference[] => {
    if (Array.isArray(value)) return value.flatMap((item, index) => inside(item, [...at, index]));
    if (!isMapping(value)) return [];
    return Object.entries(value).flatMap(([key, inner]): readonly Reference[] => {
      if (key !== 'datasource' || !isMapping(inner)) return inside(inner, [...at, key]);
      const by = inner['uid'] === undefined ? 'name' : 'uid';
      const to = inner[by];
      const type = [inner['type'], value['group']].find((given) => typeof given === 'string');
      return typeof to === 'string' ? [{ path: [...at, key, by], to, isName: false, type }] : [];
    });
  };
  return ['elements', 'variables', 'annotations'].flatMap((key) => inside(model[key], [...path, key]));
}

/** Grafana's built-in datasources. */
const builtIn = ['grafana', '-- Grafana --', '-- Mixed --', '-- Dashboard --', '__expr__', 'default', ''];

function problemsOf(
  { path, to, isName }: Reference,
  dashboard: DashboardModel,
  datasources: readonly KnownDatasource[],
): readonly Problem[] {
  if (builtIn.includes(to)) return [];
  const variable = /^(?:\$\{([^{}:]+)(?::\w+)?\}|\$(\w+)|\[\[([^[\]:]+)(?::\w+)?\]\])$/.exec(to);
  if (variable !== null) return variableProblems(variable.slice(1).find(Boolean) ?? '', path, dashboard);
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
  const classic = isMapping(templating) ? listOf(templating['list']) : [];
  const ofV2 = listOf(model['variables']).map((variable) => (isMapping(variable) ? variable['spec'] : undefined));
  const isDefined = [...classic, ...ofV2, ...listOf(model['__inputs'])].some(
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
