import type { KeyPath } from '../diagnostic.ts';
import { isMapping, listOf, type Mapping, mappingsIn } from '../values/mapping.ts';
import { toUid } from './config.ts';
import { pluginOf } from './datasource-types.ts';
import type { KnownDatasource } from './datasources.ts';

/** The dashboard inside a file, and its path in the file. */
export interface DashboardModel {
  readonly model: Mapping;
  readonly path: KeyPath;
  /** Schema v2, which has no list of panels; Grafana accepts it only as a resource. */
  readonly isSchemaV2: boolean;
  /** Of a resource. */
  readonly apiVersion?: string | undefined;
  readonly uid: unknown;
  readonly uidPath: KeyPath;
}

/**
 * Finds the dashboard in all export formats: the classic model, the HTTP API's `{meta, dashboard}`, and the resource
 * `{apiVersion, kind, metadata, spec}`. Undefined when the content is none of them.
 */
export function openDashboard(content: unknown): DashboardModel | undefined {
  if (!isMapping(content)) return undefined;
  const { apiVersion, metadata, spec, dashboard, title } = content;
  if (typeof apiVersion === 'string' && isMapping(spec)) {
    const uid = isMapping(metadata) ? metadata['name'] : undefined;
    const isSchemaV2 = /\/v2/.test(apiVersion);
    return { model: spec, path: ['spec'], isSchemaV2, apiVersion, uid, uidPath: ['metadata', 'name'] };
  }
  const isSchemaV2 = false;
  if (isMapping(dashboard) && title === undefined) {
    return { model: dashboard, path: ['dashboard'], isSchemaV2, uid: dashboard['uid'], uidPath: ['dashboard', 'uid'] };
  }
  return { model: content, path: [], isSchemaV2, uid: content['uid'], uidPath: ['uid'] };
}

export function isMissing(uid: unknown): boolean {
  return uid === undefined || uid === null || uid === '';
}

/** The uid of a dashboard: its own, or one from the path of its file, which stays the same while the file is there. */
export function uidAt(path: string, { uid }: DashboardModel): string {
  if (!isMissing(uid)) return String(uid);
  const name = path.replace(/^[^/]*\//, '').replace(/\.json$/, '');
  const made = toUid(name);
  if (made === name) return made;
  // Distinct for paths that differ in more than a uid can say (FNV-1a).
  const hash = [...name].reduce((sum, char) => Math.imul(sum ^ (char.codePointAt(0) ?? 0), 0x01000193), 0x811c9dc5);
  return `${made.slice(0, 32) || 'dashboard'}-${(hash >>> 0).toString(36)}`;
}

/** The content of a dashboard's file; undefined when it is not JSON. */
export function parseDashboard(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

/** All panels of a classic model with their paths, including those in collapsed rows and in the rows of old schemas. */
export function panelsIn(
  model: Mapping,
  path: KeyPath,
): readonly { readonly panel: Mapping; readonly path: KeyPath }[] {
  return [
    ...mappingsIn(model['panels'], [...path, 'panels']).flatMap(({ value, path: at }) => [
      { panel: value, path: at },
      ...panelsIn(value, at),
    ]),
    ...mappingsIn(model['rows'], [...path, 'rows']).flatMap(({ value, path: at }) => panelsIn(value, at)),
  ];
}

/** The value of an input of an exported dashboard; undefined when it has none. */
export interface InputValue {
  readonly name: string;
  readonly value: string | undefined;
  /** The plugin of an input for a datasource. */
  readonly plugin: string | undefined;
}

/**
 * Resolves the `__inputs` of an exported dashboard, which Grafana does not do for files: a datasource to one of its plugin (the default
 * if there are several), a constant to its value.
 */
export function resolveInputs(model: Mapping, datasources: readonly KnownDatasource[]): readonly InputValue[] {
  return listOf(model['__inputs']).flatMap((input): readonly InputValue[] => {
    if (!isMapping(input) || typeof input['name'] !== 'string') return [];
    const { name, type, pluginId, value } = input;
    if (type !== 'datasource')
      return [{ name, value: typeof value === 'string' ? value : undefined, plugin: undefined }];
    const plugin = String(pluginId ?? '');
    const candidates = datasources.filter(({ type: own }) => pluginOf(own) === pluginOf(plugin));
    const chosen = candidates.find(({ isDefault }) => isDefault) ?? candidates[0];
    return [{ name, value: chosen?.uid, plugin }];
  });
}

/** The model with its inputs replaced by their values, and without the keys that only an import reads. */
export function withInputs(model: Mapping, inputs: readonly InputValue[]): Mapping {
  const { __inputs: _inputs, __requires: _requires, __elements: _elements, ...rest } = model;
  const values = new Map(inputs.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const])));
  return values.size === 0 ? rest : (replaceIn(rest, values) as Mapping);
}

function replaceIn(value: unknown, values: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(/\$\{(.+?)\}/g, (reference, name: string) => values.get(name) ?? reference);
  }
  if (Array.isArray(value)) return value.map((item) => replaceIn(item, values));
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaceIn(inner, values)]));
}

/** The model with the uids of datasources in place of their aliases. */
export function withoutAliases(model: Mapping, datasources: readonly KnownDatasource[]): Mapping {
  const uids = new Map(
    datasources.flatMap(({ uid, aliases = [] }) => aliases.flatMap((alias) => (alias === uid ? [] : [[alias, uid]]))),
  );
  return uids.size === 0 ? model : (replaceDatasources(model, uids) as Mapping);
}

function replaceDatasources(value: unknown, uids: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => replaceDatasources(item, uids));
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key !== 'datasource') return [key, replaceDatasources(inner, uids)];
      if (typeof inner === 'string') return [key, uids.get(inner) ?? inner];
      if (!isMapping(inner)) return [key, inner];
      // Schema v2beta1 calls the uid a name.
      const by = inner['uid'] === undefined ? 'name' : 'uid';
      const uid = uids.get(String(inner[by]));
      return [key, uid === undefined ? inner : { ...inner, [by]: uid }];
    }),
  );
}
