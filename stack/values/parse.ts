import { parse } from 'yaml';
import { contentOf, type Secret } from '../secret.ts';
import { plainScalars } from './plain-scalar.ts';
import { readPlainYaml } from './plain-yaml.ts';

/** Undefined when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The value of a YAML file as the servers read it: `<<` is merged, and anchors can be used any number of times. Undefined when it cannot
 * be parsed; of a file with syntax errors what can be parsed, unless it must be `valid`. Other checks report the errors.
 */
export function parseYaml(content: string | Secret, options: { readonly valid?: boolean } = {}): unknown {
  const text = contentOf({ content });
  try {
    const plain = readPlainYaml(text);
    if (plain !== undefined) return plain.value;
    const logLevel = options.valid ? 'error' : 'silent';
    return parse(text, { ...plainScalars, merge: true, maxAliasCount: -1, logLevel });
  } catch {
    return undefined;
  }
}
