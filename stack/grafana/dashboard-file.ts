import type { KeyPath } from '../diagnostic.ts';
import { isNative, type Native } from '../values/native.ts';
import type { KnownDatasource } from './datasources.ts';

/** A dashboard inside its file: the model itself, and where in the file it begins. */
export interface DashboardModel {
  readonly model: Native;
  readonly path: KeyPath;
  /** Schema v2, which has no list of panels as the classic model has; Grafana takes it only inside its envelope. */
  readonly isSecondSchema: boolean;
  readonly uid: unknown;
  /** Where the uid stands. */
  readonly uidPath: KeyPath;
}

/**
 * Finds the model in each shape people export: the classic model, what the HTTP API answers (`{meta, dashboard}`), and the
 * resource (`{apiVersion, kind, metadata, spec}`). Undefined when the content is none of them.
 */
export function openDashboard(content: unknown): DashboardModel | undefined {
  if (!isNative(content)) return undefined;
  const { apiVersion, metadata, spec, dashboard } = content;
  if (typeof apiVersion === 'string' && isNative(spec)) {
    return {
      model: spec,
      path: ['spec'],
      isSecondSchema: /\/v2/.test(apiVersion),
      uid: isNative(metadata) ? metadata['name'] : undefined,
      uidPath: ['metadata', 'name'],
    };
  }
  if (isNative(dashboard) && content['title'] === undefined) {
    return {
      model: dashboard,
      path: ['dashboard'],
      isSecondSchema: false,
      uid: dashboard['uid'],
      uidPath: ['dashboard', 'uid'],
    };
  }
  return { model: content, path: [], isSecondSchema: false, uid: content['uid'], uidPath: ['uid'] };
}

/** The content of a dashboard's file, if it is JSON. */
export function parseDashboard(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

/** Every panel of a classic model with its path: those of collapsed rows too. */
export function panelsIn(model: Native, path: KeyPath): readonly { readonly panel: Native; readonly path: KeyPath }[] {
  const panels = model['panels'];
  if (!Array.isArray(panels)) return [];
  return panels.flatMap((panel: unknown, at) => {
    if (!isNative(panel)) return [];
    const own = [...path, 'panels', at];
    return [{ panel, path: own }, ...panelsIn(panel, own)];
  });
}

/** What stands for an input of a dashboard that was exported to be shared; undefined when nothing does. */
export interface InputAnswer {
  readonly name: string;
  readonly value: string | undefined;
  /** The kind of datasource it asks for, if it asks for one. */
  readonly plugin: string | undefined;
}

/**
 * Answers the `__inputs` of a dashboard, which Grafana does not do for files: a datasource by the one of its kind (the default
 * where there are several), a constant by its own value.
 */
export function answerInputs(model: Native, known: readonly KnownDatasource[]): readonly InputAnswer[] {
  const inputs = model['__inputs'];
  if (!Array.isArray(inputs)) return [];
  return inputs.flatMap((input: unknown): readonly InputAnswer[] => {
    if (!isNative(input) || typeof input['name'] !== 'string') return [];
    const { name, type, pluginId, value } = input;
    if (type === 'datasource') {
      const plugin = String(pluginId ?? '');
      const fitting = known.filter((one) => one.type === plugin);
      const chosen = fitting.find((one) => one.isDefault) ?? fitting[0];
      return [{ name, value: chosen?.uid, plugin }];
    }
    return [{ name, value: typeof value === 'string' ? value : undefined, plugin: undefined }];
  });
}

/** The model with the answers put in the inputs' places, and without what only an import reads. */
export function withAnswers(model: Native, answers: readonly InputAnswer[]): Native {
  const { __inputs: _inputs, __requires: _requires, __elements: _elements, ...rest } = model;
  const values = new Map(answers.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const])));
  return values.size === 0 ? rest : (replaceIn(rest, values) as Native);
}

function replaceIn(value: unknown, values: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(/\$\{(\w+)\}/g, (written, name: string) => values.get(name) ?? written);
  }
  if (Array.isArray(value)) return value.map((item) => replaceIn(item, values));
  if (!isNative(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaceIn(inner, values)]));
}
