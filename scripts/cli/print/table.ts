import { widthOf } from '../report/live-block.ts';

/** Rows in columns as wide as their widest cell, two blanks between them; the last column is left as it is. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, widthOf(cell));
    });
  }
  const pad = (cell: string, at: number) => cell + ' '.repeat((widths[at] ?? 0) - widthOf(cell));
  return rows.map((row) => `${indent}${row.map(pad).join('  ').trimEnd()}\n`).join('');
}
