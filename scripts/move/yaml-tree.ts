import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  Pair,
  parseDocument,
  Scalar,
  YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Diagnostic, SourceRange } from '../../stack/diagnostic.ts';
import { isResolvable } from '../../stack/values/plain-scalar.ts';
import { readYaml } from '../config/yaml-source.ts';
import { settleComments, withCommentsOf } from './comment-places.ts';

/** Options by which every scalar is a string and keeps its spelling and its quotes. */
export const verbatim = { schema: 'failsafe', stringKeys: true } as const;

/** A YAML or JSON file of somebody's: nodes with their comments, without anchors and merge keys. */
export interface Tree {
  /** The path as the user would type it. */
  readonly file: string;
  readonly root: Node | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

const places = new WeakMap<object, SourceRange>();

/** The place of a node in the file that it was read from. */
export const placeOf = (node: unknown): SourceRange | undefined =>
  typeof node === 'object' && node !== null ? places.get(node) : undefined;

/** Gives a new node the place and the comments of the one that it replaces; of a list or a mapping, only the place. */
export function placedAs<N extends Node>(node: N, original: unknown): N {
  return placedAt(isScalar(original) ? withCommentsOf(node, original) : node, placeOf(original));
}

export function placedAt<N extends Node>(node: N, place: SourceRange | undefined): N {
  if (place !== undefined) places.set(node, place);
  return node;
}

/** Reads a file; what is wrong with its YAML is in `diagnostics`, and then there is no root. */
export function readTree(text: string, file: string): Tree {
  const { diagnostics, isWhole } = readYaml(text, file);
  const errors = diagnostics.filter(({ code }) => code !== 'unknown-tag' && code !== 'second-document');
  if (errors.length > 0 || (!isWhole && diagnostics.length > 0)) {
    return { file, root: undefined, diagnostics: diagnostics.map((diagnostic) => withoutSecretLine(diagnostic, text)) };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { ...verbatim, lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  settleComments(document.contents, text);
  const root = document.contents === null ? undefined : expanded(document.contents as Node, document);
  const visit = (node: unknown): void => {
    if (isMap(node)) for (const pair of node.items) [pair.key, pair.value].forEach(visit);
    if (isSeq(node)) node.items.forEach(visit);
    if (isScalar(node) || isMap(node) || isSeq(node)) delete node.anchor;
    const [from, to] = (node as Node | null)?.range ?? [];
    if (from === undefined || to === undefined) return;
    const { line, col } = lines.linePos(from);
    const end = text.indexOf('\n', from);
    const length = Math.max(1, Math.min(to, end === -1 ? text.length : end) - from);
    places.set(node as object, { file, line, column: Math.max(1, col), offset: from, length });
  };
  visit(root);
  if (root !== undefined && document.commentBefore && isMap(root)) {
    const first = root.items[0]?.key;
    if (isScalar(first))
      first.commentBefore = [document.commentBefore, first.commentBefore].filter(Boolean).join('\n\n');
  }
  if (root !== undefined && document.comment)
    root.comment = [root.comment, document.comment].filter(Boolean).join('\n');
  return { file, root, diagnostics: [] };
}

/** A line that may have a secret is not printed: in a file with mistakes its secrets are not known. */
function withoutSecretLine(diagnostic: Diagnostic, text: string): Diagnostic {
  const { where } = diagnostic;
  const line = where === undefined ? '' : (text.split('\n')[where.line - 1] ?? '');
  const isHidden = /passw|secret|token|credential|dsn|key|:\/\//i.test(line);
  return where === undefined || !isHidden ? diagnostic : { ...diagnostic, where: { ...where, isHidden } };
}

/** Copies of what aliases stand for are in their place, and merged keys are in the mapping itself. */
function expanded(node: Node, document: Document): Node {
  if (isAlias(node)) {
    const target = node.resolve(document);
    return target === undefined ? new Scalar('') : expanded(target.clone() as Node, document);
  }
  if (isSeq(node)) node.items = node.items.map((item) => expanded(item as Node, document));
  if (!isMap(node)) return node;
  const merged: Pair[] = [];
  const own: Pair[] = [];
  for (const pair of node.items) {
    if (pair.value !== null) pair.value = expanded(pair.value as Node, document);
    if (keyOf(pair) !== '<<') own.push(pair);
    else
      for (const map of isSeq(pair.value) ? pair.value.items : [pair.value]) if (isMap(map)) merged.push(...map.items);
  }
  const names = new Set(own.map(keyOf));
  node.items = [...own];
  for (const pair of merged) {
    if (names.has(keyOf(pair))) continue;
    names.add(keyOf(pair));
    node.items.push(pair);
  }
  return node;
}

export const keyOf = ({ key }: Pair): string => (isScalar(key) ? String(key.value) : String(key));

/** The value of a key; undefined when the node is not a mapping with it. */
export function childOf(node: unknown, ...keys: readonly string[]): Node | undefined {
  return keys.reduce<unknown>((at, key) => pairOf(at, key)?.value, node) as Node | undefined;
}

export function pairOf(node: unknown, key: string): Pair | undefined {
  return isMap(node) ? node.items.findLast((pair) => keyOf(pair) === key) : undefined;
}

export const itemsOf = (node: unknown): readonly Node[] => (isSeq(node) ? (node.items as Node[]) : []);

export const pairsOf = (node: unknown): readonly Pair[] => (isMap(node) ? node.items : []);

/** Removes a key and returns its pair. */
export function takePair(node: unknown, key: string): Pair | undefined {
  const pair = pairOf(node, key);
  if (pair !== undefined && isMap(node)) node.items = node.items.filter((other) => other !== pair);
  return pair;
}

/** The text of a scalar; undefined for a key without a value and for anything else. */
export function textOf(node: unknown): string | undefined {
  if (!isScalar(node) || typeof node.value !== 'string') return undefined;
  return node.type === 'PLAIN' && /^(?:|~|null|Null|NULL)$/.test(node.value) ? undefined : node.value;
}

/** Whether a key has no value: nothing, null, an empty list or an empty mapping. */
export function isEmpty(node: unknown): boolean {
  if (isMap(node) || isSeq(node)) return node.items.length === 0;
  return textOf(node) === undefined;
}

/** A string, in quotes where another parser would read something else. */
export function stringNode(text: string): Scalar {
  const node = new Scalar(text);
  node.type = isResolvable(text) ? 'QUOTE_DOUBLE' : 'PLAIN';
  return node;
}

/** A string of one or more lines, as it is. */
export function blockNode(text: string): Scalar {
  const node = stringNode(text);
  if (text === '') node.type = 'QUOTE_DOUBLE';
  else if (text.includes('\n')) node.type = 'BLOCK_LITERAL';
  return node;
}

/** A number, a boolean or a duration: without quotes. */
export function plainNode(text: string): Scalar {
  const node = new Scalar(text);
  node.type = 'PLAIN';
  return node;
}

/** The node as a value whose scalars are strings. */
export function toValue(node: unknown): unknown {
  if (isMap(node)) return Object.fromEntries(node.items.map((pair) => [keyOf(pair), toValue(pair.value)]));
  if (isSeq(node)) return node.items.map(toValue);
  return textOf(node);
}

/** A mapping from pairs that stay as they are, with their comments. */
export function mapOf(pairs: readonly Pair[] = []): YAMLMap {
  const map = new YAMLMap();
  map.items.push(...pairs);
  return map;
}

/** Calls back for every scalar below a node, with the keys that lead to it and what holds it. */
export function eachScalar(
  node: unknown,
  visit: (scalar: Scalar, keys: readonly string[], holder: Pair | YAMLSeq) => void,
  keys: readonly string[] = [],
): void {
  const visitValue = (value: unknown, path: readonly string[], holder: Pair | YAMLSeq): void => {
    if (isScalar(value)) visit(value, path, holder);
    else eachScalar(value, visit, path);
  };
  if (isMap(node)) for (const pair of [...node.items]) visitValue(pair.value, [...keys, keyOf(pair)], pair);
  else if (isSeq(node)) for (const item of [...node.items]) visitValue(item, keys, node);
}

/** The first item of a list or mapping follows its key directly, also where items before it were left out. */
export function withoutLeadingBlanks(node: unknown): void {
  if (isSeq(node)) {
    const [first] = node.items;
    if (isMap(first) || isScalar(first)) first.spaceBefore = false;
    node.items.forEach(withoutLeadingBlanks);
  }
  if (isMap(node)) {
    const key = node.items[0]?.key;
    if (isScalar(key)) key.spaceBefore = false;
    for (const { value } of node.items) withoutLeadingBlanks(value);
  }
}

/** `!file PATH`, or its longer form that allows the secret in the config itself. */
export function secretTag(path: string, isInline: boolean): Node {
  if (!isInline) {
    const node = new Scalar(path);
    node.tag = '!file';
    return node;
  }
  const map = mapOf([
    new Pair(stringNode('path'), stringNode(path)),
    new Pair(stringNode('inline'), plainNode('true')),
  ]);
  map.tag = '!file';
  map.flow = true;
  return map;
}
