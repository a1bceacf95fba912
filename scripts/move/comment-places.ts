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
    settleComments(value, text);
    const own = [...takeOwnLines(value, text), ...takeOutdented(value, text)];
    if (own.length > 0) giveTo(node, index + 1, own);
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

/** Takes the lines at the end of a list or a mapping that begin left of it: they are about what follows. */
function takeOutdented(value: unknown, text: string): readonly string[] {
  if ((!isMap(value) && !isSeq(value)) || value.flow === true || !value.comment || !value.range) return [];
  const [from] = value.range;
  const depth = from - (text.lastIndexOf('\n', from - 1) + 1);
  const below = text
    .slice(lastOf(value).range?.[1] ?? from)
    .split('\n')
    .slice(1);
  const lines = value.comment.split('\n');
  let at = 0;
  const isOutdented = (line: string): boolean => {
    const found = below.findIndex(
      (other, index) => index >= at && other.trimStart().trimEnd() === `#${line}`.trimEnd(),
    );
    if (line.trim() === '' || found === -1) return false;
    at = found + 1;
    return (below[found] ?? '').search(/\S/) < depth;
  };
  const cut = lines.findIndex(isOutdented);
  if (cut === -1) return [];
  value.comment = lines.slice(0, cut).join('\n').trimEnd() || null;
  return lines.slice(lines[cut - 1] === '' ? cut - 1 : cut);
}

/** The last node of a list or a mapping, of which comments may follow. */
function lastOf(node: Node): Node {
  const last = isMap(node)
    ? (node.items.at(-1)?.value ?? node.items.at(-1)?.key)
    : isSeq(node)
      ? node.items.at(-1)
      : undefined;
  const isFlow = (isMap(node) || isSeq(node)) && node.flow === true;
  return isFlow || last === undefined || last === null ? node : lastOf(last as Node);
}

/** Puts lines before an item of a collection, or at its end. */
function giveTo(collection: YAMLMap | YAMLSeq, index: number, lines: readonly string[]): void {
  const item = collection.items[index] as { key?: unknown } | undefined;
  const next = (isMap(collection) ? item?.key : item) as Scalar | undefined;
  const join = (own: readonly string[], after: string | null | undefined): string =>
    [...own, ...(after ? [after] : [])].join('\n');
  if (next === undefined || next === null) {
    collection.comment = join(lines, collection.comment);
    return;
  }
  const isApart = lines[0] === '';
  next.commentBefore = join(isApart ? lines.slice(1) : lines, next.commentBefore);
  if (isApart) next.spaceBefore = true;
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
