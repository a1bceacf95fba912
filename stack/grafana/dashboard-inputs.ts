import { isNative, type Native } from '../values/native.ts';
import type { KnownDatasource } from './datasources.ts';

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
