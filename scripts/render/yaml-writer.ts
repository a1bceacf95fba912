import { Secret } from '../../stack/secret.ts';

/** How a value is laid out: on lines of its own below an indentation, or inside brackets on one line. */
export interface Layout {
  /** The spaces before each line but the first. */
  readonly indent: string;
  readonly flow: boolean;
}

/**
 * Writes a plain value as YAML that Go's and JavaScript's parsers read alike. Our own because the 10,000 jobs
 * of a big stack take the yaml package five times as long.
 * The first line is not indented; a secret is written by `ofSecret`, as a complete YAML scalar.
 */
export function writeValue(value: unknown, layout: Layout, ofSecret: (secret: Secret) => string): string {
  const pieces: string[] = [];
  write(value, layout.indent, { flow: layout.flow, ofSecret, pieces });
  return pieces.join('');
}

/** A text as a YAML scalar on one line, in whatever place. */
export function writeQuoted(text: string): string {
  return unprintable.test(text) ? doubleQuoted(text) : singleQuoted(text);
}

/** A text being written, piece by piece. */
interface Writing {
  readonly flow: boolean;
  readonly ofSecret: (secret: Secret) => string;
  readonly pieces: string[];
}

function write(value: unknown, indent: string, writing: Writing): void {
  const { pieces } = writing;
  if (typeof value === 'string') pieces.push(writeString(value, indent, writing.flow));
  else if (value instanceof Secret) pieces.push(writing.ofSecret(value));
  else if (Array.isArray(value)) writeList(value, indent, writing);
  else if (typeof value === 'object' && value !== null) writeMap(value, indent, writing);
  else pieces.push(writeNumberOrWord(value));
}

function writeList(list: readonly unknown[], indent: string, writing: Writing): void {
  const { pieces, flow } = writing;
  if (flow || list.length === 0) pieces.push('[');
  const between = flow ? ', ' : `\n${indent}`;
  list.forEach((item, at) => {
    if (at > 0) pieces.push(between);
    if (!flow) pieces.push('- ');
    write(item, `${indent}  `, writing);
  });
  if (flow || list.length === 0) pieces.push(']');
}

function writeMap(map: object, indent: string, writing: Writing): void {
  const { pieces, flow } = writing;
  const isEmpty = !hasEntries(map);
  if (flow || isEmpty) pieces.push('{');
  const between = flow ? ', ' : `\n${indent}`;
  const below = `\n${indent}  `;
  let isFirst = true;
  for (const [key, value] of Object.entries(map)) {
    if (value === undefined) continue;
    if (!isFirst) pieces.push(between);
    isFirst = false;
    pieces.push(writeKey(key), ':', !flow && hasEntries(value) ? below : ' ');
    write(value, `${indent}  `, writing);
  }
  if (flow || isEmpty) pieces.push('}');
}

/** Whether a value is a list or map with something in it, which takes lines of its own. */
function hasEntries(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return false;
  if (Array.isArray(value)) return value.length > 0;
  for (const inner of Object.values(value)) if (inner !== undefined) return true;
  return false;
}

function writeKey(key: string): string {
  return isPlain(key) ? key : writeQuoted(key);
}

function writeString(text: string, indent: string, flow: boolean): string {
  if (isPlain(text)) return text;
  if (!flow && block.test(text) && !unprintable.test(text.replaceAll('\n', ''))) return literal(text, indent);
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
