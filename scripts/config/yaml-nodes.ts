import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type Node, type Pair, type Scalar, visit } from 'yaml';
import type { KeyPath } from '../../stack/diagnostic.ts';

/** The value and key at a path, or at the longest part of it that exists. */
export function findNode(
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

/** The tags for merging below a list, where they have no effect. */
export function mergeTagsInLists(document: Document): readonly (OffsetRange & { readonly tag: string })[] {
  const found: (OffsetRange & { readonly tag: string })[] = [];
  visit(document, {
    Node: (_key, { tag, range }, path) => {
      if (!/^!(?:append|override|reset)$/.test(tag ?? '') || !path.some(isSeq)) return;
      const [from = 0, to = 0] = range ?? [];
      found.push({ tag: tag ?? '', from, to });
    },
  });
  return found;
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
export function rangeWithin(
  text: string,
  scalar: Scalar,
  part: { from: number; length: number },
): OffsetRange | undefined {
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
