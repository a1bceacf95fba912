import { isAlias, isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';

/**
 * Puts comments where they are written again as they stood: one at the end of a line stays there, one on a line of its own
 * stays on that line. The parser gives the first to what follows, and the second to what is before it.
 */
export function settleComments(node: unknown, text: string): void {
  if ((!isMap(node) && !isSeq(node)) || node.flow === true) return;
  if (isMap(node)) for (const { key, value } of node.items) settleKey(key, value, text);
  node.items.forEach((item, index) => {
    const value = isMap(node) ? (item as { value: unknown }).value : item;
    const own = takeOwnLines(value, text);
    if (own.length > 0) giveTo(node, index + 1, own);
    settleComments(value, text);
  });
}

/** `key: # like this`, with a list or a mapping below. */
function settleKey(key: unknown, value: unknown, text: string): void {
  if (!isScalar(key) || !(isMap(value) || isSeq(value)) || !value.commentBefore) return;
  const line = text.slice(key.range?.[1]).split('\n', 1)[0] ?? '';
  const [, comment] = /^["']?[ \t]*:(?:[ \t]+[&!]\S*)*[ \t]+#(.*?)\r?$/.exec(line) ?? [];
  const [first, ...rest] = value.commentBefore.split('\n');
  if (comment !== undefined && first === comment) {
    key.comment = comment;
    value.commentBefore = rest.join('\n') || null;
  }
  settleAbove(value);
}

/** A comment above a list or a mapping is about its first item. */
function settleAbove(value: unknown): void {
  if ((!isMap(value) && !isSeq(value)) || value.flow === true || !value.commentBefore || value.items.length === 0)
    return;
  giveTo(value, 0, [value.commentBefore]);
  value.commentBefore = null;
}

/** Takes the lines of a value's comment that are below the value. */
function takeOwnLines(value: unknown, text: string): readonly string[] {
  const isOneLine = isAlias(value) || (isScalar(value) && !value.type?.startsWith('BLOCK'));
  if (!isOneLine && !((isMap(value) || isSeq(value)) && value.flow === true)) return [];
  const { comment, range } = value as Node;
  if (!comment || !range) return [];
  const lines = comment.split('\n');
  const isBeside = /^[ \t]*#/.test(text.slice(range[1]));
  (value as Node).comment = isBeside ? (lines[0] ?? '') : null;
  return isBeside ? lines.slice(1) : lines;
}

/** Puts lines before an item of a collection, or at its end. */
function giveTo(collection: YAMLMap | YAMLSeq, index: number, lines: readonly string[]): void {
  const item = collection.items[index] as { key?: unknown } | undefined;
  const next = (isMap(collection) ? item?.key : item) as Scalar | undefined;
  const join = (after: string | null | undefined): string => [...lines, ...(after ? [after] : [])].join('\n');
  if (next === undefined || next === null) collection.comment = join(collection.comment);
  else next.commentBefore = join(next.commentBefore);
}

/** Puts a comment above a scalar that is a value above its key. */
export function liftComments(node: unknown): void {
  if (isSeq(node)) node.items.forEach(liftComments);
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    liftComments(value);
    if (!isScalar(key) || !isScalar(value) || !value.commentBefore) continue;
    key.commentBefore = [key.commentBefore, value.commentBefore].filter(Boolean).join('\n');
    value.commentBefore = null;
  }
}

/** Gives a node the comments of the one that it replaces. */
export function withCommentsOf<N extends Node>(node: N, original: unknown): N {
  if (!isScalar(original) && !isMap(original) && !isSeq(original)) return node;
  node.comment ??= original.comment ?? null;
  node.commentBefore ??= original.commentBefore ?? null;
  if (original.spaceBefore === true) node.spaceBefore = true;
  return node;
}
