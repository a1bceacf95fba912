import type { ParseOptions, SchemaOptions } from 'yaml';

/**
 * An unquoted scalar that YAML resolves to a number, a boolean or a date, and whose spelling a JavaScript value would lose: `1.10`,
 * `0012`, `0x1F`, `True`, a number of 20 digits. It is passed to the servers unchanged: they read it as a string where they expect
 * one, and resolve it by their own rules elsewhere.
 */
export class PlainScalar {
  /** The source text. */
  readonly text: string;
  /** The value in YAML 1.2 (the core schema). */
  readonly value: string | number | boolean;

  constructor(text: string, value: string | number | boolean) {
    this.text = text;
    this.value = value;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }
}

/**
 * Unquoted text that one of the YAML parsers involved (the core schema, Go's yaml.v2 and yaml.v3) does not resolve to a string:
 * null, booleans of YAML 1.1 and 1.2, numbers, dates.
 */
const resolvable =
  /^(?:|~|null|true|false|yes|no|on|off|[yn]|[-+]?\.inf|\.nan|[-+]?0(?:b[01_]+|o[0-7_]+|x[\da-f_]+)|[-+]?(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:e[-+]?\d+)?|\d{4}-\d\d?-\d\d?(?:[t \t].*)?)$/i;

/** Whether a string must be quoted in YAML, so that all parsers read it as a string. */
export function isResolvable(text: string): boolean {
  return resolvable.test(text);
}

/** The value of an unquoted scalar: a string, null, a boolean or number that is printed as in the source, or a PlainScalar. */
export function readPlainScalar(text: string): unknown {
  if (!resolvable.test(text)) return text;
  const value = coreValue(text);
  return value === null || (typeof value !== 'string' && String(value) === text) ? value : new PlainScalar(text, value);
}

/** The value of an unquoted scalar in YAML 1.2 (the core schema). */
export function coreValue(text: string): string | number | boolean | null {
  if (/^(?:|~|null|Null|NULL)$/.test(text)) return null;
  if (/^(?:true|True|TRUE|false|False|FALSE)$/.test(text)) return text.toLowerCase() === 'true';
  if (/^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$|^0(?:o[0-7]+|x[\da-fA-F]+)$/.test(text)) return Number(text);
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^\.(?:nan|NaN|NAN)$/.test(text) ? Number.NaN : text;
}

/** Options of the yaml package to read unquoted scalars with `readPlainScalar`, and keys as strings. */
export const plainScalars = {
  stringKeys: true,
  customTags: (core) => [
    { tag: 'tag:promstack,plain', default: true, test: resolvable, resolve: readPlainScalar },
    ...core,
  ],
} as const satisfies ParseOptions & SchemaOptions;
