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
import { type SecretSource, secretTags } from './secret-tags.ts';
import { badReference, explainYaml } from './yaml-errors.ts';

/** A YAML file as read: its value, and where each part of it is written. */
export interface YamlSource {
  readonly value: unknown;
  /** What is wrong with the file as YAML, in the file's order. */
  readonly diagnostics: readonly Diagnostic[];
  /** False when the YAML is broken, so that there is no value. */
  readonly isWhole: boolean;
  /** The place of a value, or of its key; that of the nearest parent's key when it is not written there. */
  locate(path: KeyPath, atKey?: boolean): SourceRange;
  /** A problem with its place. */
  toDiagnostic(problem: Problem): Diagnostic;
}

/** Reads YAML without secrets: `!env` and `!file` are unknown tags. `file` is the path as the user would type it. */
export function readYaml(text: string, file: string): YamlSource {
  return toSource(parseYaml(text, file, plainScalars), false);
}

/**
 * Reads YAML with the tags `!env` and `!file`. A secret that cannot be read is empty, and is reported in `missingSecrets`; without
 * a source all are empty.
 */
export async function readYamlWithSecrets(
  text: string,
  file: string,
  secrets: SecretSource | undefined,
): Promise<YamlSource & { readonly missingSecrets: readonly Diagnostic[] }> {
  const { tags, fill } = secretTags();
  const parsed = parseYaml(text, file, {
    ...plainScalars,
    customTags: (core) => [...tags, ...plainScalars.customTags(core)],
  });
  const problems = secrets === undefined ? [] : await fill(secrets);
  const missingSecrets = problems.map(
    ({ from, to, ...problem }): Diagnostic => ({ severity: 'error', ...problem, where: parsed.rangeAt(from, to) }),
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
  const document = parseDocument(text, {
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
    // Of two keys that clash one may be a default, which is not in the file.
    const main = isWritten(problem) ? path : (written[0]?.path ?? path);
    const others = main === path ? written : [];
    return {
      severity,
      code,
      message,
      hint,
      where: (within && locateWithin(path, within)) ?? locate(main, atKey),
      related:
        others.length === 0 ? undefined : others.map((one) => ({ where: locate(one.path), message: one.message })),
    };
  };

  const { diagnostics, isWhole } = explainYaml(document, rangeAt, text);
  const tagged = diagnostics.map((one) =>
    one.code === 'unknown-tag' ? { ...one, ...aboutTag(one, hasSecrets) } : one,
  );
  if (!isWhole) return { value: undefined, diagnostics: tagged, isWhole, locate, toDiagnostic };
  const read = toValue(parsed);
  return {
    value: 'value' in read ? read.value : undefined,
    diagnostics: 'value' in read ? tagged : [...tagged, read],
    isWhole: 'value' in read,
    locate,
    toDiagnostic,
  };
}

function toValue({ document, text, rangeAt }: ParsedYaml): { readonly value: unknown } | Diagnostic {
  const bad = /[*&]|<</.test(text) ? badReference(document) : undefined;
  if (bad !== undefined) {
    const { message, hint, from, to } = bad;
    return { severity: 'error', code: 'yaml', message, hint, where: rangeAt(from, to) };
  }
  try {
    return { value: document.toJS() };
  } catch (error) {
    // Aliases that multiply beyond the package's limit.
    const message = `the aliases (*name) cannot be followed: ${error instanceof Error ? error.message : String(error)}`;
    return { severity: 'error', code: 'yaml', message, where: rangeAt(0, 1) };
  }
}

function aboutTag({ message }: Diagnostic, hasSecrets: boolean): Pick<Diagnostic, 'message' | 'hint'> {
  if (!hasSecrets) return { message, hint: 'remove it: this file takes no YAML tags' };
  const tag = /!(?:env|file)\b/.exec(message)?.[0];
  return {
    message: tag === undefined ? message : `${tag} takes a single string`,
    hint: 'the tags are !env NAME and !file PATH',
  };
}

/** As far down a path as the document goes: the last value and its key. */
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
      // An item has no key of its own: its first key, or itself, takes that place.
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
  // Of a key that is written twice the last one counts.
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

/** Offsets in the file: from the first, up to but not including the second. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Where a part of a scalar's text is in the file; undefined when folding or escapes have moved the characters. */
function rangeWithin(text: string, scalar: Scalar, part: { from: number; length: number }): Stretch | undefined {
  if (typeof scalar.value !== 'string' || !scalar.range) return undefined;
  const offsets = offsetsOf(text, scalar, scalar.range);
  if (offsets === undefined) return undefined;
  const from = offsets[Math.min(part.from, offsets.length - 1)];
  if (from === undefined) return undefined;
  const last = offsets[Math.min(part.from + Math.max(1, part.length), offsets.length) - 1] ?? from;
  return { from, to: last + 1 };
}

/** The file's offset of each character of the scalar's value. */
function offsetsOf(
  text: string,
  scalar: Scalar,
  [start, end]: readonly [number, number, number],
): number[] | undefined {
  const value = String(scalar.value);
  if (scalar.type === 'BLOCK_LITERAL' || scalar.type === 'BLOCK_FOLDED') return blockOffsets(text, value, start, end);
  const isQuoted = scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE';
  const inner: Stretch = isQuoted ? { from: start + 1, to: end - 1 } : { from: start, to: end };
  const offsets: number[] = [];
  for (let at = inner.from; at < inner.to; ) {
    if (text[at] === '\n') return undefined;
    offsets.push(at);
    at += scalar.type === 'PLAIN' ? 1 : widthOf(text, at, scalar.type === 'QUOTE_DOUBLE');
  }
  return offsets.length === value.length ? offsets : undefined;
}

/** How many characters of the file a character of a quoted scalar takes. */
function widthOf(text: string, at: number, isDouble: boolean): number {
  if (!isDouble) return text.startsWith("''", at) ? 2 : 1;
  if (text[at] !== '\\') return 1;
  return { x: 4, u: 6, U: 10 }[text[at + 1] ?? ''] ?? 2;
}

/** A literal block keeps its characters; a folded one too, as long as each line break became one blank. */
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
