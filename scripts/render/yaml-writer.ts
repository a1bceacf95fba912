import { Secret } from '../../stack/secret.ts';

/** How a value is laid out: on lines of its own below an indentation, or inside brackets on one line. */
export interface Layout {
  /** The spaces before each line but the first. */
  readonly indent: string;
  readonly flow: boolean;
}

/**
 * Writes a plain value as YAML that Go's and JavaScript's parsers read alike. Our own because the 10,000 jobs
 * of a big stack take the yaml package two thirds of a second and this some 30 ms.
 * The first line is not indented; a secret is written by `ofSecret`, as a complete YAML scalar.
 */
export function writeValue(value: unknown, layout: Layout, ofSecret: (secret: Secret) => string): string {
  if (value instanceof Secret) return ofSecret(value);
  if (Array.isArray(value)) return writeList(value, layout, ofSecret);
  if (typeof value === 'object' && value !== null) return writeMap(value, layout, ofSecret);
  if (typeof value === 'string') return writeString(value, layout);
  return writeNumberOrWord(value);
}

/** A text as a YAML scalar on one line, in whatever place. */
export function writeQuoted(text: string): string {
  return unprintable.test(text) ? doubleQuoted(text) : singleQuoted(text);
}

function writeList(list: readonly unknown[], layout: Layout, ofSecret: (secret: Secret) => string): string {
  if (list.length === 0) return '[]';
  if (layout.flow) return `[${list.map((item) => writeValue(item, layout, ofSecret)).join(', ')}]`;
  const inner = { ...layout, indent: `${layout.indent}  ` };
  return list.map((item) => `- ${writeValue(item, inner, ofSecret)}`).join(`\n${layout.indent}`);
}

function writeMap(map: object, layout: Layout, ofSecret: (secret: Secret) => string): string {
  const pairs = Object.entries(map).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return '{}';
  if (layout.flow) {
    return `{${pairs.map(([key, value]) => `${writeKey(key)}: ${writeValue(value, layout, ofSecret)}`).join(', ')}}`;
  }
  const inner = { ...layout, indent: `${layout.indent}  ` };
  return pairs
    .map(([key, value]) => {
      const separator = isFilledCollection(value) ? `\n${inner.indent}` : ' ';
      return `${writeKey(key)}:${separator}${writeValue(value, inner, ofSecret)}`;
    })
    .join(`\n${layout.indent}`);
}

function isFilledCollection(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return false;
  return Array.isArray(value) ? value.length > 0 : Object.values(value).some((inner) => inner !== undefined);
}

function writeKey(key: string): string {
  return isPlain(key) ? key : writeQuoted(key);
}

function writeString(text: string, layout: Layout): string {
  if (isPlain(text)) return text;
  if (!layout.flow && block.test(text) && !unprintable.test(text.replaceAll('\n', '')))
    return literal(text, layout.indent);
  return writeQuoted(text);
}

/** Several lines as they are, below a `|`. */
function literal(text: string, indent: string): string {
  const body = text.replace(/\n$/, '');
  const indented = body.replace(/\n(?!\n|$)/g, `\n${indent}`);
  return `|${text.endsWith('\n') ? '' : '-'}\n${indent}${indented}`;
}

function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function doubleQuoted(text: string): string {
  // JSON leaves these as they are, but a YAML reader refuses some and takes others for line breaks.
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function writeNumberOrWord(value: unknown): string {
  if (typeof value !== 'number' || Number.isFinite(value)) return String(value ?? null);
  if (Number.isNaN(value)) return '.nan';
  return value > 0 ? '.inf' : '-.inf';
}

/**
 * Words that need no quotes: letters to begin with, nothing that YAML reads as something else. `yes`, `no`, `on` and
 * `off` stay plain on purpose: Go reads them as booleans where one is wanted and as texts elsewhere, as its users expect.
 */
const plainWord = /^[A-Za-z_/$(][\w$()/.@%+=~^;?<>*-]*(?:[ :]+[\w$()/.@%+=~^;?<>*-]+)*$/;
const durations = /^(?:\d+(?:ms|[smhdwy]))+$/;
const addresses = /^\d+(?:\.\d+){3}(?::\d+)?$/;
const reserved = /^(?:true|false|null)$/i;

function isPlain(text: string): boolean {
  if (durations.test(text) || addresses.test(text)) return true;
  return plainWord.test(text) && !reserved.test(text) && !/: |:$/.test(text);
}

/** Two or more lines that begin and end with something visible, so that neither indentation nor chomping is in doubt. */
const block = /^[^\s#%&*!|>@`'"-][^\n]*\S\n(?:[^\n]*\S\n|\n)*[^\n]*\S\n?$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a YAML reader refuses or takes for a line break.
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/;
