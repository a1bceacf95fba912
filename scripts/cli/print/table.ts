import { clip, widthOf } from '../report/live-block.ts';

interface TableOptions {
  readonly indent?: string | undefined;
  /** The width of the terminal; absent for other outputs, where nothing is cut. */
  readonly columns?: number | undefined;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one.
const coloured = /^(\x1b\[\d+m)(.*)(\x1b\[\d+m)$/s;

/** No column is cut to less. */
const narrowest = 8;

/**
 * Rows in columns as wide as their widest cell, two blanks between them. Where they do not fit the terminal, the widest columns are
 * cut, but for the first, which holds names and ids to copy.
 */
export function table(rows: readonly (readonly string[])[], { indent = '', columns }: TableOptions = {}): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, widthOf(cell));
    });
  }
  const fitting = columns === undefined ? widths : narrowed(widths, columns - indent.length);
  const pad = (cell: string, at: number): string => {
    const width = fitting[at] ?? 0;
    const [, start = '', inner = cell, end = ''] = coloured.exec(cell) ?? [];
    const text = widthOf(cell) > width ? `${start}${clip(inner, width)}${end}` : cell;
    return text + ' '.repeat(Math.max(0, width - widthOf(text)));
  };
  return rows.map((row) => `${indent}${row.map(pad).join('  ').trimEnd()}\n`).join('');
}

/** Widths that add up to the columns of a terminal, as far as that is possible. */
function narrowed(widths: readonly number[], columns: number): readonly number[] {
  const result = [...widths];
  for (;;) {
    const excess = result.reduce((sum, width) => sum + width + 2, -2) - columns;
    const widest = Math.max(...result.slice(1));
    if (excess <= 0 || !(widest > narrowest)) return result;
    // The other columns are cut only when this one is as narrow as they are.
    const next = Math.max(narrowest, ...result.slice(1).filter((width) => width < widest));
    result[result.lastIndexOf(widest)] = Math.max(Math.min(next, widest - 1), widest - excess);
  }
}
