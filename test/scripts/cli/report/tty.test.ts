import pc from 'picocolors';
import { expect, test } from 'vitest';
import { ttyReporter } from '../../../../scripts/cli/report/tty.ts';
import { Screen } from '../../../support/screen.ts';
import { SteeredTime } from '../../../support/steered-time.ts';

function terminal({ columns = 60, rows = 24 } = {}) {
  const time = new SteeredTime();
  const screen = new Screen(columns);
  let writes = 0;
  const reporter = ttyReporter({
    write: (text) => {
      writes += 1;
      screen.write(text);
    },
    columns: () => screen.columns,
    rows: () => rows,
    colours: pc.createColors(true),
    clock: time,
    every: time.every,
    printDiagnostic: (diagnostic) => `${diagnostic.severity}: ${diagnostic.message}\n`,
  });
  return { ...reporter, time, screen, writes: () => writes };
}

test('running work must be shown below finished work', () => {
  const { report, time, screen } = terminal();
  report({ kind: 'started', id: '1', what: 'start prometheus' });
  report({ kind: 'started', id: '2', what: 'start alertmanager' });
  time.pass(800);
  expect(screen.text()).toBe('⠋ start prometheus  800 ms\n⠋ start alertmanager  800 ms');
  report({ kind: 'done', id: '1', what: 'start prometheus', tookMs: 830 });
  expect(screen.text()).toBe('✔ start prometheus  830 ms\n⠋ start alertmanager  800 ms');
  report({ kind: 'failed', id: '2', what: 'start alertmanager', why: 'it exited with code 1' });
  expect(screen.text()).toBe('✔ start prometheus  830 ms\n✖ start alertmanager: it exited with code 1');
});

test('work that ends before the first frame must print only its last line', () => {
  const { report, time, screen, writes } = terminal();
  report({ kind: 'started', id: '1', what: 'create the network demo' });
  time.pass(70);
  expect(writes()).toBe(0);
  report({ kind: 'done', id: '1', what: 'create the network demo', tookMs: 70 });
  expect(writes()).toBe(1);
  expect(screen.text()).toBe('✔ create the network demo  70 ms');
});

test('a line must never be wider than the terminal, and must keep the progress', () => {
  const { report, time, screen } = terminal({ columns: 46 });
  report({ kind: 'started', id: '1', what: 'image registry.example.com/prom/prometheus:v3.5.3' });
  report({ kind: 'progress', id: '1', what: '', detail: '42 of 98 MB', fraction: 0.43 });
  time.pass(1_200);
  expect(screen.text()).toBe('⠴ image registry.ex…: 42 of 98 MB 43 %  1.2 s');
  screen.columns = 20;
  report({ kind: 'done', id: '1', what: 'image', tookMs: 1_300 });
  expect(screen.text()).toBe('✔ image  1.3 s');
});

test('work that exceeds the lines of the terminal must be counted', () => {
  const { report, time, screen } = terminal({ rows: 5 });
  for (let id = 1; id <= 6; id += 1) report({ kind: 'started', id: String(id), what: `image ${id}` });
  time.pass(160);
  expect(screen.text()).toBe('⠹ image 1  100 ms\n⠹ image 2  100 ms\n⠹ image 3  100 ms\n  and 3 more');
});

test('other output must be printed above the live lines and keep them intact', () => {
  const { report, time, screen, suspend } = terminal();
  report({ kind: 'started', id: '1', what: 'start prometheus' });
  time.pass(160);
  const resume = suspend();
  expect(screen.isCursorShown).toBe(true);
  screen.write('revision 3f2a\n');
  report({ kind: 'warning', text: 'said meanwhile' });
  time.pass(800);
  expect(screen.text()).toBe('revision 3f2a');
  resume();
  expect(screen.text()).toBe('revision 3f2a\nwarning: said meanwhile\n⠹ start prometheus  900 ms');
});

test('the cursor must be hidden exactly while there are live lines', () => {
  const { report, time, screen, close } = terminal();
  report({ kind: 'started', id: '1', what: 'start prometheus' });
  expect(screen.isCursorShown).toBe(true);
  time.pass(160);
  expect(screen.isCursorShown).toBe(false);
  close();
  expect(screen.isCursorShown).toBe(true);
  expect(screen.text()).toBe('');
  expect(time.waiting).toBe(0);
  report({ kind: 'note', text: 'too late' });
  close();
  expect(screen.text()).toBe('');
});

test('each change of the screen must be one write, to avoid flicker', () => {
  const { report, time, writes } = terminal();
  report({ kind: 'started', id: '1', what: 'one' });
  report({ kind: 'started', id: '2', what: 'two' });
  time.pass(80);
  expect(writes()).toBe(1);
  report({ kind: 'done', id: '1', what: 'one', tookMs: 80 });
  expect(writes()).toBe(2);
});
