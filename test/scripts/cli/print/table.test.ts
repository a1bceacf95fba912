import { createColors } from 'picocolors';
import { expect, it } from 'vitest';
import { table } from '../../../../scripts/cli/print/table.ts';
import { widthOf } from '../../../../scripts/cli/report/live-block.ts';

const { dim, red } = createColors(true);
const rows = [
  [dim('ID'), dim('MATCHERS'), dim('COMMENT')],
  ['0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f', 'alertname="DiskFull"', red('a comment that goes on and on for ever')],
];
const linesOf = (columns?: number) => table(rows, { columns }).trimEnd().split('\n');

it('a table must not be cut where it is not for a terminal', () => {
  expect(linesOf()[1]).toContain('for ever');
});

it.each([60, 70, 80, 100])('a table must fit a terminal of %i columns, with ids and colours whole', (columns) => {
  const lines = linesOf(columns);
  expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns);
  expect(lines[1]).toContain('0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f');
  expect(lines[1]?.split('\x1b[').length).toBe(3);
});

it('a column must not be cut to nothing on a terminal that is too narrow', () => {
  expect(linesOf(10)[1]).toContain('alertna…');
});
