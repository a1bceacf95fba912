import { expect, it, test } from 'vitest';
import { printAlertLog, printFollowed } from '../../../../scripts/cli/print/alert-log.ts';
import { coloursFor } from '../../../../scripts/cli/terminal-output.ts';
import { AlertLog } from '../../../../scripts/inspect/alert-log/events.ts';
import { recordedAlertLog } from '../../../support/recorded-alert-log.ts';

const colours = coloursFor({ isTerminal: false, env: {}, noColourFlag: true });
const { records, lines, config } = recordedAlertLog('0.34.0');
const now = Date.parse('2026-11-29T04:10:00Z');
const events = new AlertLog(config).add(records, lines, now);
/** Times are local. */
const shown = (columns: number | undefined) =>
  printAlertLog(events, { colours, columns, now })
    .replaceAll(/\d\d-\d\d (?=\d\d:)/g, 'MM-DD ')
    .replaceAll(/\d\d:\d\d:\d\d/g, 'HH:MM:SS');

it.each([[80], [120], [160], [undefined]])('the alert log must have a line per event: %s columns', (columns) => {
  const text = shown(columns);
  expect(text.trimEnd().split('\n')).toHaveLength(events.length + 1);
  for (const line of text.trimEnd().split('\n')) expect(line.length).toBeLessThanOrEqual(columns ?? 250);
  expect(text).toMatchSnapshot();
});

test('an event that is followed must have the columns of the others', () => {
  const [event] = events.filter(({ event: name }) => name === 'notified');
  if (event === undefined) throw new Error('there is no notification');
  for (const columns of [80, 120, undefined]) {
    const line = printFollowed(event, { colours, columns, now });
    expect(line).toMatch(/^\S+(?: \S+)? +notified +DiskFull ×2 .*2 firing, first not/);
    expect(line.length).toBeLessThanOrEqual((columns ?? 200) + 1);
  }
});

test('labels and comments must not change the terminal', () => {
  const [first] = events.filter(({ event }) => event === 'created');
  if (first === undefined) throw new Error('there is no alert');
  const alerts = first.alerts.map((alert) => ({ ...alert, labels: { alertname: 'A\u001b[2J', instance: 'b\nc' } }));
  const text = printAlertLog([{ ...first, alerts }], { colours, columns: undefined, now });
  expect(text).toContain('A<U+001B>[2J{instance="b c"}');
});

test.each([
  ['is unreachable: dial tcp 127.0.0.1:9: connect: connection refused', 'dead: connection refused, retries'],
  [
    'is unreachable: the name x.invalid cannot be resolved: lookup x.invalid: no such host',
    'the name x.invalid cannot be resolved',
  ],
  ['rejects the credentials: it answers 401', 'dead: answers 401, retries'],
  ['does not answer in time', 'dead: does not answer in time, retries'],
])('a terminal of 80 columns must show why a notification failed: %s', (why, shownText) => {
  const [first] = events.filter(({ event }) => event === 'failed');
  if (first === undefined) throw new Error('there is no failure');
  const failed = { ...first, receiver: 'dead', until: undefined, failure: { why, isFinal: false } };
  expect(printAlertLog([failed], { colours, columns: 80, now })).toContain(shownText);
  expect(printAlertLog([failed], { colours, columns: undefined, now })).toContain(`${why}; Alertmanager retries`);
});
