import type { Scalar } from 'yaml';

/** A stretch of the file, from and up to an offset. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Where a part of a scalar's text stands in the file; undefined when folding or the like has moved the characters about. */
export function rangeWithin(text: string, scalar: Scalar, part: { from: number; length: number }): Stretch | undefined {
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

/** How many characters of the file one character inside quotes takes. */
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
  const flat = (one: string) => one.replaceAll('\n', ' ').trimEnd();
  const seen = offsets.map((at) => text[at] ?? '').join('');
  return flat(seen) === flat(value) ? offsets : undefined;
}
