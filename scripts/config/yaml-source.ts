import {
  type Document,
  type DocumentOptions,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  type ParseOptions,
  parseDocument,
  type Scalar,
  type SchemaOptions,
} from 'yaml';
import type { Diagnostic, KeyPath, Problem, SourceRange } from '../../stack/diagnostic.ts';
import { plainScalars } from '../../stack/values/plain-scalar.ts';
import { invisibleIn } from '../../stack/values/words.ts';
import { type SecretSource, secretTags } from './secret-tags.ts';
import { badReference, explainYaml } from './yaml-errors.ts';

/** A parsed YAML file: its value, and the positions of its parts. */
export interface YamlSource {
  readonly value: unknown;
  /** YAML errors, in the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
  /** False when the YAML is invalid, so that there is no value. */
  readonly isWhole: boolean;
  /** The position of a value, or of its key; for a key that is not in the file, that of its nearest parent. */
  locate(path: KeyPath, atKey?: boolean): SourceRange;
  /** Adds the position to a problem. */
  toDiagnostic(problem: Problem): Diagnostic;
}

/** Reads YAML without secrets: `!env` and `!file` are unknown tags. `file` is the path as the user would type it. */
export function readYaml(text: string, file: string): YamlSource {
  return toSource(parseYaml(text, file, plainScalars), false);
}

/** A secret that could not be read; without an origin its tag is wrong. */
export interface MissingSecret {
  readonly origin: string | undefined;
  readonly diagnostic: Diagnostic;
}

/**
 * Reads YAML with the tags `!env` and `!file`. A secret that cannot be read is empty and reported in `missingSecrets`; without
 * a source all secrets are empty.
 */
export async function readYamlWithSecrets(
  text: string,
  file: string,
  secrets: SecretSource | undefined,
): Promise<YamlSource & { readonly missingSecrets: readonly MissingSecret[] }> {
  const { tags, fill } = secretTags();
  const parsed = parseYaml(text, file, {
    ...plainScalars,
    customTags: (core) => [...tags, ...plainScalars.customTags(core)],
  });
  const problems = secrets === undefined ? [] : await fill(secrets);
  const missingSecrets = problems.map(
    ({ from, to, origin, ...problem }): MissingSecret => ({
      origin,
      diagnostic: { severity: 'error', ...problem, where: parsed.rangeAt(from, to) },
    }),
  );
  return { ...toSource(parsed, true), missingSecrets };
}

interface ParsedYaml {
  readonly document: Document;
  readonly text: string;
  rangeAt(from: number, to: number): SourceRange;
}

function parseYaml(text: string, file: string, options: ParseOptions & DocumentOptions & SchemaOptions): ParsedYaml {
  const lines = new LineCounter();
  const document = parseDocument(tooDeep.test(text) ? '' : text, {
    ...options,
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    logLevel: 'error',
  });
  const rangeAt = (from: number, to: number): SourceRange => {
    const { line, col } = lines.linePos(from);
    const lineEnd = text.indexOf('\n', from);
    const end = Math.min(to, lineEnd === -1 ? text.length : lineEnd);
    return { file, line, column: col, offset: from, length: Math.max(1, text.slice(from, end).trimEnd().length) };
  };
  return { document, text, rangeAt };
}

/** Far more than any config has; with some thousand levels the parser runs out of memory. */
const tooDeep = /^ {1000}/m;

function toSource(parsed: ParsedYaml, hasSecrets: boolean): YamlSource {
  const { document, text, rangeAt } = parsed;

  const locate = (path: KeyPath, atKey = false): SourceRange => {
    const { node, key, isFound } = findNode(document, path);
    const place = key !== undefined && (atKey || !isFound || node === undefined) ? key : (node ?? document.contents);
    const [from, to] = place?.range ?? [0, 0];
    return rangeAt(from, to);
  };
  const locateWithin = (path: KeyPath, part: { from: number; length: number }): SourceRange | undefined => {
    const { node, isFound } = findNode(document, path);
    const place = isFound && isScalar(node) ? rangeWithin(text, node, part) : undefined;
    return place && rangeAt(place.from, place.to);
  };
  const isWritten = ({ path }: { readonly path: KeyPath }): boolean => findNode(document, path).isFound;

  const toDiagnostic = (problem: Problem): Diagnostic => {
    const { severity = 'error', code, message, hint, path, within, atKey, related = [] } = problem;
    const written = related.filter(isWritten);
    // One of two conflicting keys may be a default that is not in the file.
    const main = isWritten(problem) ? path : (written[0]?.path ?? path);
    const others = main === path ? written : [];
    const where = (within && locateWithin(path, within)) ?? locate(main, atKey);
    const node = findNode(document, main).node;
    const isNull = message.endsWith('got nothing') && isScalar(node) && /^(?:null|~)$/i.test(node.source ?? '');
    return {
      severity,
      code,
      message,
      hint: invisibleHint(text, where) ?? (isNull ? `put it in quotes: "${node.source}"` : hint),
      where,
      related:
        others.length === 0
          ? undefined
          : others.map((place) => ({ where: locate(place.path), message: place.message })),
    };
  };

  const deep = tooDeep.exec(text);
  if (deep !== null) {
    const message = 'this line is indented by more than a thousand spaces';
    const line = text.slice(0, deep.index).split('\n').length;
    const where = { ...rangeAt(0, 1), line, column: 1, offset: deep.index };
    const diagnostics = [{ severity: 'error', code: 'yaml', message, where } as const];
    return { value: undefined, diagnostics, isWhole: false, locate, toDiagnostic };
  }
  const { diagnostics, isWhole } = explainYaml(document, rangeAt, text);
  const tagged = diagnostics.map((diagnostic) =>
    diagnostic.code === 'unknown-tag'
      ? { ...diagnostic, ...aboutTag(diagnostic, hasSecrets) }
      : { ...diagnostic, hint: (diagnostic.where && invisibleHint(text, diagnostic.where)) ?? diagnostic.hint },
  );
  if (!isWhole) return { value: undefined, diagnostics: tagged, isWhole, locate, toDiagnostic };
  const result = toValue(parsed);
  return {
    value: 'value' in result ? result.value : undefined,
    diagnostics: 'value' in result ? tagged : [...tagged, result],
    isWhole: 'value' in result,
    locate,
    toDiagnostic,
  };
}

/** What to do about an invisible character in a range, or between the start of the line and the range. */
function invisibleHint(text: string, { offset, column, length }: SourceRange): string | undefined {
  const start = offset - column + 1;
  // A range ends before blanks of all kinds.
  const [after = ''] = /^[^\S \t\r\n]*/.exec(text.slice(offset + length)) ?? [];
  const character = invisibleIn(text.slice(start, offset + length) + after);
  if (character === undefined) return undefined;
  return `column ${character.index + 1} has the invisible character ${character.name}: remove it, or type a space instead`;
}

function toValue({ document, text, rangeAt }: ParsedYaml): { readonly value: unknown } | Diagnostic {
  const reference = /[*&]|<</.test(text) ? badReference(document) : undefined;
  if (reference !== undefined) {
    const { message, hint, from, to } = reference;
    return { severity: 'error', code: 'yaml', message, hint, where: rangeAt(from, to) };
  }
  try {
    return { value: document.toJS() };
  } catch (error) {
    // Aliases that expand beyond the package's limit.
    const message = `the aliases (*name) cannot be resolved: ${error instanceof Error ? error.message : String(error)}`;
    return { severity: 'error', code: 'yaml', message, where: rangeAt(0, 1) };
  }
}

function aboutTag({ message }: Diagnostic, hasSecrets: boolean): Pick<Diagnostic, 'message' | 'hint'> {
  if (!hasSecrets) return { message, hint: 'remove it: YAML tags are not allowed in this file' };
  const tag = /!(?:env|file)\b/.exec(message)?.[0];
  return {
    message: tag === undefined ? message : `${tag} takes a single string`,
    hint: 'the tags are !env NAME and !file PATH',
  };
}

/** The value and key at a path, or at the longest part of it that exists. */
function findNode(
  document: Document,
  path: KeyPath,
): { readonly node: Node | undefined; readonly key: Node | undefined; readonly isFound: boolean } {
  let node = resolved(document, document.contents);
  let key: Node | undefined;
  for (const step of path) {
    if (isSeq(node)) {
      const item = node.items[Number(step)] as Node | undefined;
      if (item === undefined) return { node, key, isFound: false };
      // An item has no key: its first key, or the item itself, is used instead.
      node = resolved(document, item);
      key = isMap(node) ? (node.items[0]?.key as Node | undefined) : node;
    } else {
      const pair = isMap(node) ? findPair(document, node.items, String(step)) : undefined;
      if (pair === undefined) return { node, key, isFound: false };
      key = pair.key as Node;
      node = resolved(document, pair.value as Node | null);
    }
  }
  return { node, key, isFound: true };
}

function findPair(document: Document, pairs: readonly Pair[], name: string): Pair | undefined {
  // The last of duplicate keys counts.
  const own = pairs.findLast(({ key }) => isScalar(key) && String(key.value) === name);
  if (own !== undefined) return own;
  for (const { key, value } of pairs) {
    if (!isScalar(key) || key.source !== '<<') continue;
    const merged = resolved(document, value as Node | null);
    for (const item of isSeq(merged) ? merged.items : [merged]) {
      const map = resolved(document, item as Node | null);
      const pair = isMap(map) ? findPair(document, map.items, name) : undefined;
      if (pair !== undefined && isPair(pair)) return pair;
    }
  }
  return undefined;
}

function resolved(document: Document, node: Node | null | undefined): Node | undefined {
  return (isAlias(node) ? node.resolve(document) : node) ?? undefined;
}

/** A range of offsets in the file; `to` is exclusive. */
interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

/** The range in the file of a part of a scalar; undefined when folding or escapes have moved its characters. */
function rangeWithin(text: string, scalar: Scalar, part: { from: number; length: number }): OffsetRange | undefined {
  if (typeof scalar.value !== 'string' || !scalar.range) return undefined;
  const offsets = offsetsOf(text, scalar, scalar.range);
  if (offsets === undefined) return undefined;
  const from = offsets[Math.min(part.from, offsets.length - 1)];
  if (from === undefined) return undefined;
  const last = offsets[Math.min(part.from + Math.max(1, part.length), offsets.length) - 1] ?? from;
  return { from, to: last + 1 };
}

/** The offset in the file of each character of a scalar's value. */
function offsetsOf(
  text: string,
  scalar: Scalar,
  [start, end]: readonly [number, number, number],
): number[] | undefined {
  const value = String(scalar.value);
  if (scalar.type === 'BLOCK_LITERAL' || scalar.type === 'BLOCK_FOLDED') return blockOffsets(text, value, start, end);
  const isQuoted = scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE';
  const inner: OffsetRange = isQuoted ? { from: start + 1, to: end - 1 } : { from: start, to: end };
  const offsets: number[] = [];
  for (let at = inner.from; at < inner.to; ) {
    if (text[at] === '\n') return undefined;
    offsets.push(at);
    at += scalar.type === 'PLAIN' ? 1 : widthOf(text, at, scalar.type === 'QUOTE_DOUBLE');
  }
  return offsets.length === value.length ? offsets : undefined;
}

/** The width in the file of a character of a quoted scalar. */
function widthOf(text: string, at: number, isDouble: boolean): number {
  if (!isDouble) return text.startsWith("''", at) ? 2 : 1;
  if (text[at] !== '\\') return 1;
  return { x: 4, u: 6, U: 10 }[text[at + 1] ?? ''] ?? 2;
}

/** For a literal block, and for a folded one if each line break became one space. */
function blockOffsets(text: string, value: string, start: number, end: number): number[] | undefined {
  const first = text.indexOf('\n', start) + 1;
  const indent = /^ */.exec(text.slice(first, end))?.[0].length ?? 0;
  const offsets: number[] = [];
  for (let at = first; at < end; ) {
    const stop = text.indexOf('\n', at);
    const lineEnd = stop === -1 || stop > end ? end : stop;
    for (let i = at + indent; i < lineEnd; i++) offsets.push(i);
    offsets.push(lineEnd);
    at = lineEnd + 1;
  }
  const flat = (lines: string) => lines.replaceAll('\n', ' ').trimEnd();
  const written = offsets.map((at) => text[at] ?? '').join('');
  return flat(written) === flat(value) ? offsets : undefined;
}
