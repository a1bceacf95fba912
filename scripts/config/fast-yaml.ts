import { parse } from 'yaml';

/** The value of a YAML text, without places; undefined when anything at all is unusual about it. */
export function parseYaml(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: parse(text, { merge: true, logLevel: 'error', prettyErrors: false }) };
  } catch {
    return undefined;
  }
}
