/** A line of a comparison: in both texts, in the first alone, or in the second alone. */
interface Edit {
  readonly mark: ' ' | '-' | '+';
  readonly line: string;
}

/** How many lines stand around a change. */
const context = 3;
/** Texts that differ by more lines than this are shown as replaced: finding the least difference takes its square. */
const mostEdits = 1_500;

/** What to do to one text to have the other, in the unified form without file names; empty when they are the same. */
export function unifiedDiff(before: string, after: string): string {
  const edits = compare(linesOf(before), linesOf(after));
  const changed = edits.flatMap(({ mark }, at) => (mark === ' ' ? [] : [at]));
  const hunks: { from: number; to: number }[] = [];
  for (const at of changed) {
    const last = hunks.at(-1);
    if (last !== undefined && at - context <= last.to) last.to = at + context + 1;
    else hunks.push({ from: Math.max(0, at - context), to: at + context + 1 });
  }
  return hunks.map(({ from, to }) => hunkText(edits, from, Math.min(to, edits.length))).join('');
}

function hunkText(edits: readonly Edit[], from: number, to: number): string {
  const before = edits.slice(0, from);
  const inside = edits.slice(from, to);
  const range = (other: Edit['mark']): string => {
    const length = inside.filter(({ mark }) => mark !== other).length;
    const start = before.filter(({ mark }) => mark !== other).length + (length === 0 ? 0 : 1);
    return length === 1 ? `${start}` : `${start},${length}`;
  };
  const lines = inside.map(({ mark, line }) =>
    line.endsWith('\n') ? `${mark}${line}` : `${mark}${line}\n\\ No newline at end of file\n`,
  );
  return `@@ -${range('+')} +${range('-')} @@\n${lines.join('')}`;
}

/** Lines with their ends: so a last line without one differs from one that has it. */
function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function compare(before: readonly string[], after: readonly string[]): readonly Edit[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const same = (lines: readonly string[]): Edit[] => lines.map((line) => ({ mark: ' ', line }));
  return [
    ...same(before.slice(0, head)),
    ...shortest(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...same(before.slice(before.length - tail)),
  ];
}

/**
 * The shortest script of edits (E. Myers, "An O(ND) Difference Algorithm", 1986): with d edits, the furthest that can be
 * got on each diagonal k = x - y follows from those with d - 1; `trace` keeps them all, to find the way back.
 */
function shortest(before: readonly string[], after: readonly string[]): readonly Edit[] {
  const removed = (): Edit[] => before.map((line) => ({ mark: '-', line }));
  const added = (): Edit[] => after.map((line) => ({ mark: '+', line }));
  if (before.length === 0 || after.length === 0) return [...removed(), ...added()];
  const trace: Map<number, number>[] = [];
  let furthest = new Map([[1, 0]]);
  for (let edits = 0; edits <= Math.min(mostEdits, before.length + after.length); edits++) {
    const next = new Map<number, number>();
    trace.push(furthest);
    for (let k = -edits; k <= edits; k += 2) {
      let x = comesFromAbove(furthest, k, edits) ? at(furthest, k + 1) : at(furthest, k - 1) + 1;
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x += 1;
      next.set(k, x);
      if (x >= before.length && x - k >= after.length) return wayBack(before, after, trace);
    }
    furthest = next;
  }
  return [...removed(), ...added()];
}

const at = (furthest: ReadonlyMap<number, number>, k: number): number => furthest.get(k) ?? -1;

function comesFromAbove(furthest: ReadonlyMap<number, number>, k: number, edits: number): boolean {
  return k === -edits || (k !== edits && at(furthest, k - 1) < at(furthest, k + 1));
}

function wayBack(
  before: readonly string[],
  after: readonly string[],
  trace: readonly ReadonlyMap<number, number>[],
): readonly Edit[] {
  const script: Edit[] = [];
  let [x, y] = [before.length, after.length];
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const furthest = trace[edits] ?? new Map<number, number>();
    const k = x - y;
    const fromK = comesFromAbove(furthest, k, edits) ? k + 1 : k - 1;
    const fromX = at(furthest, fromK);
    const fromY = fromX - fromK;
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      x -= 1;
      y -= 1;
      script.push({ mark: ' ', line: before[x] ?? '' });
    }
    if (edits === 0) break;
    if (x > fromX) script.push({ mark: '-', line: before[fromX] ?? '' });
    else script.push({ mark: '+', line: after[fromY] ?? '' });
    [x, y] = [fromX, fromY];
  }
  return script.reverse();
}
