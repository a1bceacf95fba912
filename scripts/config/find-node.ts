import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type Node, type Pair } from 'yaml';
import type { KeyPath } from '../../stack/diagnostic.ts';

/** As far down a path as the document goes: the last value and its key. */
export function findNode(document: Document, path: KeyPath): { node?: Node; key?: Node; isFound: boolean } {
  let node = resolved(document, document.contents);
  let key: Node | undefined;
  for (const step of path) {
    if (isSeq(node)) {
      const item = node.items[Number(step)] as Node | undefined;
      if (item === undefined) return { node, ...(key && { key }), isFound: false };
      // An item has no key of its own: its first key, or itself, stands for it.
      node = resolved(document, item);
      key = isMap(node) ? (node.items[0]?.key as Node | undefined) : node;
    } else {
      const pair = isMap(node) ? findPair(document, node.items, String(step)) : undefined;
      if (pair === undefined) return { ...(node && { node }), ...(key && { key }), isFound: false };
      key = pair.key as Node;
      node = resolved(document, pair.value as Node | null);
    }
  }
  return { ...(node && { node }), ...(key && { key }), isFound: true };
}

function findPair(document: Document, pairs: readonly Pair[], name: string): Pair | undefined {
  // Of a key that is written twice the last one counts.
  const own = pairs.findLast(({ key }) => isScalar(key) && String(key.value) === name);
  if (own !== undefined) return own;
  for (const { key, value } of pairs) {
    if (!isScalar(key) || String(key.source) !== '<<') continue;
    const merged = resolved(document, value as Node | null);
    for (const one of isSeq(merged) ? merged.items : [merged]) {
      const map = resolved(document, one as Node | null);
      const pair = isMap(map) ? findPair(document, map.items, name) : undefined;
      if (pair !== undefined && isPair(pair)) return pair;
    }
  }
  return undefined;
}

function resolved(document: Document, node: Node | null | undefined): Node | undefined {
  return (isAlias(node) ? node.resolve(document) : node) ?? undefined;
}
