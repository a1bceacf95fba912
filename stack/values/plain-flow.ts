import { readPlainScalar } from './plain-scalar.ts';

const key = /([A-Za-z_][\w.-]*): +/y;
/** Only escapes that YAML and JSON have in common. */
const doubleQuoted = /"(?:[^"\\]|\\["\\/bfnrt])*"/y;
const singleQuoted = /'(?:[^']|'')*'/y;
/** Words without any character that means something to YAML. */
const words = /[A-Za-z0-9_.][\w./%+-]*(?: +[A-Za-z0-9_.][\w./%+-]*)*/y;
const blanks = / */y;

/**
 * Reads a quoted string, or a flow collection of plain words, quoted strings and others of its kind, that takes the whole text:
 * `{severity: page, summary: "down"}`. Undefined for anything else, which may still be YAML.
 */
export function readPlainFlow(text: string): { readonly value: unknown } | undefined {
  let at = 0;
  const take = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at;
    const match = form.exec(text);
    if (match !== null) at += match[0].length;
    return match;
  };
  const skip = (character: string): boolean => {
    if (text[at] !== character) return false;
    at++;
    return true;
  };

  /** Undefined for what is not read here: no value is. */
  const valueAt = (): unknown => {
    if (skip('{')) return mappingAt();
    if (skip('[')) return listAt();
    const double = take(doubleQuoted)?.[0];
    if (double !== undefined) return double.includes('\\') ? (JSON.parse(double) as string) : double.slice(1, -1);
    const single = take(singleQuoted)?.[0];
    if (single !== undefined) return single.slice(1, -1).replaceAll("''", "'");
    const plain = take(words)?.[0];
    return plain === undefined ? undefined : readPlainScalar(plain);
  };
  const mappingAt = (): Record<string, unknown> | undefined => {
    const mapping: Record<string, unknown> = {};
    take(blanks);
    if (skip('}')) return mapping;
    for (;;) {
      const name = take(key)?.[1];
      if (name === undefined || name === '__proto__' || Object.hasOwn(mapping, name)) return undefined;
      const value = valueAt();
      if (value === undefined) return undefined;
      mapping[name] = value;
      take(blanks);
      if (skip('}')) return mapping;
      if (!skip(',')) return undefined;
      take(blanks);
    }
  };
  const listAt = (): unknown[] | undefined => {
    const items: unknown[] = [];
    take(blanks);
    if (skip(']')) return items;
    for (;;) {
      const value = valueAt();
      if (value === undefined) return undefined;
      items.push(value);
      take(blanks);
      if (skip(']')) return items;
      if (!skip(',')) return undefined;
      take(blanks);
    }
  };

  const value = valueAt();
  return value === undefined || at < text.length ? undefined : { value };
}
