import pc from 'picocolors';
import { expect, test } from 'vitest';
import { linePrinter, parseSince } from '../../../../scripts/cli/commands/logs.ts';

const line = { service: 'sink', stream: 'stdout', time: '2026-01-31T12:00:01.5Z', text: 'hello' } as const;

test('a line must have its service, and its time unless disabled', () => {
  const plain = pc.createColors(false);
  const date = new Date(line.time);
  const hour = String(date.getHours()).padStart(2, '0');
  const minute = String(date.getMinutes()).padStart(2, '0');
  expect(linePrinter(['prometheus', 'sink'], { colours: plain, withTime: true })(line)).toBe(
    `sink       | ${hour}:${minute}:01.500 hello\n`,
  );
  expect(linePrinter(['sink'], { colours: plain, withTime: false })(line)).toBe('sink | hello\n');
});

test('two services must have different colours', () => {
  const print = linePrinter(['prometheus', 'sink'], { colours: pc.createColors(true), withTime: false });
  expect(print({ ...line, service: 'prometheus' })).toBe('\u001b[36mprometheus |\u001b[39m hello\n');
  expect(print(line)).toBe('\u001b[32msink       |\u001b[39m hello\n');
});

const now = Date.parse('2026-01-31T12:00:00Z');

test.each([
  ['10m', '2026-01-31T11:50:00.000Z'],
  ['1h30m', '2026-01-31T10:30:00.000Z'],
  ['0', '2026-01-31T12:00:00.000Z'],
  ['2026-01-30', '2026-01-30T00:00:00.000Z'],
  ['2026-01-30T08:00:00+02:00', '2026-01-30T06:00:00.000Z'],
  ['yesterday', undefined],
  ['10', undefined],
  ['2026-13-01', undefined],
])('--since %s must mean %s', (text, time) => {
  expect(parseSince(text, now)?.toISOString()).toBe(time);
});
