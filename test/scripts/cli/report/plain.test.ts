import { expect, test } from 'vitest';
import { plainReporter } from '../../../../scripts/cli/report/plain.ts';
import { SteeredTime } from '../../../support/steered-time.ts';

function plain() {
  const time = new SteeredTime();
  let written = '';
  const reporter = plainReporter({
    write: (text) => {
      written += text;
    },
    clock: time,
    every: time.every,
    printDiagnostic: (diagnostic) => `${diagnostic.severity}: ${diagnostic.message}\n`,
  });
  return { ...reporter, time, written: () => written };
}

test('work shorter than a second must be printed once, at its end', () => {
  const { report, time, written, close } = plain();
  report({ kind: 'started', id: '1', what: 'create the network demo' });
  time.pass(900);
  report({ kind: 'done', id: '1', what: 'create the network demo', tookMs: 900 });
  time.pass(60_000);
  close();
  expect(written()).toBe('✔ create the network demo (900 ms)\n');
});

test('longer work must be printed while it runs, at readable intervals', () => {
  const { report, time, written, close } = plain();
  report({ kind: 'started', id: '1', what: 'image prom/prometheus:v3.5.3' });
  for (let megabytes = 1; megabytes <= 98; megabytes += 1) {
    report({ kind: 'progress', id: '1', what: 'image prom/prometheus:v3.5.3', detail: `${megabytes} of 98 MB` });
    time.pass(100);
  }
  time.pass(40_000);
  report({ kind: 'done', id: '1', what: 'image prom/prometheus:v3.5.3', tookMs: 49_800, detail: 'pulled' });
  close();
  expect(written()).toBe(
    [
      '… image prom/prometheus:v3.5.3: 10 of 98 MB (1.0 s)',
      '… image prom/prometheus:v3.5.3: 60 of 98 MB (6.0 s)',
      '… image prom/prometheus:v3.5.3: 98 of 98 MB (11.0 s)',
      '… image prom/prometheus:v3.5.3: 98 of 98 MB (41.0 s)',
      '✔ image prom/prometheus:v3.5.3: pulled (49.8 s)',
      '',
    ].join('\n'),
  );
});

test('failures, skipped work, notes, warnings and diagnostics must each be a line with their kind', () => {
  const { report, written, close } = plain();
  report({ kind: 'started', id: '1', what: 'start prometheus' });
  report({ kind: 'failed', id: '1', what: 'start prometheus', why: 'port 9090 is taken by web' });
  report({ kind: 'skipped', id: '2', what: 'wait until prometheus is ready', because: 'start prometheus failed' });
  report({ kind: 'note', text: 'everything was put back' });
  report({ kind: 'warning', text: 'the clock of the engine is 3 s off' });
  report({ kind: 'diagnostic', diagnostic: { severity: 'warning', code: 'x', message: 'no route reaches chat' } });
  close();
  expect(written()).toBe(
    [
      '✖ start prometheus: port 9090 is taken by web',
      '- wait until prometheus is ready: skipped, start prometheus failed',
      'everything was put back',
      'warning: the clock of the engine is 3 s off',
      'warning: no route reaches chat',
      '',
    ].join('\n'),
  );
});

test('no timer must be left running, whether work ended or not', () => {
  const { report, time, close } = plain();
  report({ kind: 'started', id: '1', what: 'one' });
  report({ kind: 'done', id: '1', what: 'one', tookMs: 1 });
  expect(time.waiting).toBe(0);
  report({ kind: 'started', id: '2', what: 'two' });
  expect(time.waiting).toBe(1);
  close();
  expect(time.waiting).toBe(0);
});
