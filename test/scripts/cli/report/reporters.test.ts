import pc from 'picocolors';
import { afterEach, expect, test, vi } from 'vitest';
import { sizeText } from '../../../../scripts/cli/commands/images.ts';
import { table } from '../../../../scripts/cli/print/table.ts';
import { jsonReporter, openReporter, resolveMode } from '../../../../scripts/cli/report/open-reporter.ts';
import type { TerminalOutput } from '../../../../scripts/cli/terminal-output.ts';
import { durationText } from '../../../../scripts/util/duration-text.ts';
import { SteeredTime } from '../../../support/steered-time.ts';

afterEach(() => void vi.useRealTimers());

test('the JSON reporter must write one event per line with its time, without what is part of the result', () => {
  const time = new SteeredTime();
  let written = '';
  const { report } = jsonReporter({
    writeJson: (value) => {
      written += `${JSON.stringify(value)}\n`;
    },
    clock: time,
  });
  report({ kind: 'started', id: '1', what: 'start prometheus' });
  time.pass(1_500);
  report({ kind: 'done', id: '1', what: 'start\nprometheus', tookMs: 1_500 });
  report({ kind: 'note', text: 'started prometheus', isResult: true });
  report({ kind: 'diagnostic', diagnostic: { severity: 'warning', code: 'a', message: 'odd' } });
  expect(written).toBe(
    '{"time":"2026-01-31T12:00:00.000Z","kind":"started","id":"1","what":"start prometheus"}\n' +
      '{"time":"2026-01-31T12:00:01.500Z","kind":"done","id":"1","what":"start\\nprometheus","durationSeconds":1.5}\n',
  );
});

test('a terminal of unknown size must be treated as one of 80 columns', () => {
  let written = '';
  const output: TerminalOutput = {
    write: (text) => {
      written += text;
    },
    writeJson: () => undefined,
    isTerminal: true,
    columns: () => 0,
    rows: () => 0,
    colours: pc.createColors(false),
  };
  vi.useFakeTimers();
  const reporter = openReporter('tty', { output, clock: Date, printDiagnostic: () => '' });
  reporter.report({ kind: 'started', id: '1', what: 'start prometheus' });
  vi.advanceTimersByTime(5_000);
  reporter.close();
  expect(written).toContain('start prometheus');
  expect(written).not.toMatch(/NaN|Infinity/);
});

test.each([
  ['json', { json: true, quiet: true, isTerminal: true, env: {} }],
  ['quiet', { json: false, quiet: true, isTerminal: true, env: {} }],
  ['tty', { json: false, quiet: false, isTerminal: true, env: { TERM: 'xterm' } }],
  ['plain', { json: false, quiet: false, isTerminal: true, env: { TERM: 'dumb' } }],
  ['plain', { json: false, quiet: false, isTerminal: true, env: { CI: 'true' } }],
  ['plain', { json: false, quiet: false, isTerminal: false, env: { TERM: 'xterm' } }],
] as const)('the mode must be %s for %o', (mode, options) => {
  expect(resolveMode(options)).toBe(mode);
});

test.each([
  [0, '0 ms'],
  [42, '40 ms'],
  [994, '990 ms'],
  [995, '1.0 s'],
  [59_949, '59.9 s'],
  [59_960, '1 min 0 s'],
  [125_000, '2 min 5 s'],
  [3_840_000, '1 h 4 min'],
])('%i milliseconds must read %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [98_230_000, '98.2 MB'],
  [999_600, '1.0 MB'],
  [206_390_387, '206 MB'],
])('%i bytes must read %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

test('columns must have the width of their visible content', () => {
  expect(
    table([
      ['A', 'LONG HEAD'],
      ['\x1b[32mgreen\x1b[39m', 'x'],
      ['b', ''],
    ]),
  ).toBe('A      LONG HEAD\n\x1b[32mgreen\x1b[39m  x\nb\n');
});
