import { isDeepStrictEqual } from 'node:util';
import { type Document, isAlias, isMap, isScalar, parseDocument, stringify, type YAMLMap } from 'yaml';
import { showPath } from '../../stack/diagnostic.ts';
import { isMapping } from '../../stack/values/mapping.ts';

type Path = readonly string[];

/** A text cannot be edited at a key without changing something else; the message is a sentence. */
export class NotEditableError extends Error {}

/** The text with one string changed, or added; all else stays as it is, comments included. Throws a NotEditableError. */
export function withString(text: string, path: Path, value: string): string {
  const before = parse(text);
  const edited = edit(text, before, path, stringify(value, { lineWidth: 0 }).trim());
  const after = parse(edited);
  if (after.errors.length > 0 || !isDeepStrictEqual(after.toJS(), set(before.toJS(), path, value))) {
    throw new NotEditableError(`${showPath(path)} shares its value with other keys`);
  }
  return edited;
}

/** A value with another one at a path; what it shares with other keys is copied. */
function set(within: unknown, [key, ...rest]: Path, value: string): unknown {
  if (key === undefined) return value;
  const section = isMapping(within) ? within : {};
  return { ...section, [key]: set(section[key], rest, value) };
}

/**
 * The text with a number at a key of its top level, in place of the value of before, or above the first key and the comment on it. All
 * else stays as it is.
 */
export function withTopNumber(text: string, key: string, value: number): string {
  const document = parse(text);
  const found = document.get(key, true);
  const edited =
    found === undefined && isMap(document.contents) && document.contents.flow !== true
      ? aboveFirstKey(text, document.contents, `${key}: ${value}\n`)
      : edit(text, document, [key], String(value));
  const after = parse(edited);
  const { [key]: set, ...others } = Object(after.toJS());
  const { [key]: _, ...before } = Object(document.toJS());
  if (after.errors.length > 0 || set !== value || !isDeepStrictEqual(others, before)) {
    throw new NotEditableError(`${key} cannot be written without a change of something else`);
  }
  return edited;
}

function aboveFirstKey(text: string, { items: [first] }: YAMLMap, line: string): string {
  const [at = 0] = (isScalar(first?.key) && first.key.range) || [];
  let start = text.lastIndexOf('\n', at - 1) + 1;
  const keyStart = start;
  // A comment directly above the key is about it; one that begins the file is about the file.
  while (start > 0) {
    const above = text.lastIndexOf('\n', start - 2) + 1;
    if (!text.slice(above, start).startsWith('#')) return text.slice(0, start) + line + text.slice(start);
    start = above;
  }
  return text.slice(0, keyStart) + line + text.slice(keyStart);
}

function parse(text: string): Document.Parsed {
  return parseDocument(text, { logLevel: 'silent', merge: true });
}

function edit(text: string, document: Document, path: Path, source: string): string {
  const found = document.getIn(path, true);
  const [from, to] = (isScalar(found) && found.range) || [];
  if (isScalar(found) && from !== undefined && to !== undefined) {
    // `image: &tag prom/x`: the range of a scalar begins after its anchor and its tag. An empty one is before the line's end.
    return text.slice(0, from) + (from === to && text[from - 1] === ':' ? ` ${source}` : source) + text.slice(to);
  }
  if (found !== undefined) throw new NotEditableError(`${showPath(path)} is not a plain string`);
  // The nearest section that exists gets the rest of the path.
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const section = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (section === undefined) continue;
    if (isAlias(section)) break;
    const rest = path.slice(depth);
    if (isMap(section) && section.items.length > 0 && section.flow !== true)
      return inBlock(text, section, rest, source);
    if (isMap(section) && section.flow === true) return inFlow(text, section, rest, source);
    if (depth === 0) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${lines(rest, source, '')}`;
    // `prometheus:` without a value.
    const [at] = (isScalar(section) && section.range) || [];
    if (at === undefined || !isScalar(section) || section.value !== null) break;
    const end = text.indexOf('\n', at);
    const [above, below] = end === -1 ? [`${text}\n`, ''] : [text.slice(0, end + 1), text.slice(end + 1)];
    return above + lines(rest, source, '  '.repeat(depth)) + below;
  }
  throw new NotEditableError(`${showPath(path)} cannot be added where its section is written`);
}

/** Before the first key of a section, whose indentation it gets. */
function inBlock(text: string, section: YAMLMap, rest: Path, source: string): string {
  const [first] = section.items;
  const [at] = (isScalar(first?.key) && first.key.range) || [];
  if (at === undefined) throw new NotEditableError('the section has no plain key');
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const indent = text.slice(lineStart, at);
  if (!/^ *$/.test(indent)) throw new NotEditableError('the section does not begin on a line of its own');
  return text.slice(0, lineStart) + lines(rest, source, indent) + text.slice(lineStart);
}

function inFlow(text: string, section: YAMLMap, rest: Path, source: string): string {
  const [from] = section.range ?? [];
  const brace = from === undefined ? -1 : text.indexOf('{', from);
  if (brace === -1) throw new NotEditableError('the section has no braces');
  const quoted = /^(?:["']|\d+$)/.test(source) ? source : JSON.stringify(source);
  const value = rest.slice(1).reduceRight((inner, key) => `{${key}: ${inner}}`, quoted);
  const comma = section.items.length > 0 ? ', ' : '';
  return `${text.slice(0, brace + 1)}${rest[0]}: ${value}${comma}${text.slice(brace + 1)}`;
}

function lines(path: Path, source: string, indent: string): string {
  return path
    .map((key, at) => `${indent}${'  '.repeat(at)}${key}:${at === path.length - 1 ? ` ${source}` : ''}\n`)
    .join('');
}
