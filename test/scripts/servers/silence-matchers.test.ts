import { expect, test } from 'vitest';
import { readMatchers, readSilenceMatchers } from '../../../scripts/servers/silence-matchers.ts';
import { emptyFolder, noEngine } from '../../support/promstack.ts';
import { runInProcess } from '../../support/test-process.ts';

test('matchers must be parsed like in amtool', () => {
  expect(readMatchers(['DiskFull', 'host=~"a.*"'])).toEqual([
    { name: 'alertname', operator: '=', value: 'DiskFull' },
    { name: 'host', operator: '=~', value: 'a.*' },
  ]);
});

test.each([
  ['', 'an empty string is not a matcher'],
  ['{}', '{} is not a matcher'],
  ['severity: page', 'severity: page is not a matcher'],
  ['a=~(', 'a=~(: ( is not a valid regular expression'],
  ['a!~"[b"', 'a!~"[b": [b is not a valid regular expression'],
])('%j must be refused', (word, message) => {
  expect(() => readMatchers([word])).toThrow(message);
});

test.each(['a=~(?i)b', 'a=~(?i:b)', 'a=~\\\\pL', 'a=~^*b'])('%s must be accepted, and left to Alertmanager', (word) => {
  expect(readMatchers([word])).toHaveLength(1);
});

test.each([[['a=']], [['a!=b', 'c=~.*']]])(
  '%j must not be taken for a silence, since it asks for no label',
  (words) => {
    expect(() => readSilenceMatchers(words)).toThrow('would silence alerts that have none of these labels');
    expect(readSilenceMatchers([...words, 'd=e'])).toHaveLength(words.length + 1);
  },
);

test.each([
  ["''", ['']],
  ['an empty comment', ['a=b', '-c', ' ']],
  ['too long a time', ['a=b', '-d', '300000y']],
])('silence add with %s must be rejected before anything is sent', async (_, words) => {
  await using folder = await emptyFolder();
  const { exitCode, stderr } = await runInProcess(folder.path, ['silence', 'add', '-c', 'x', ...words], {
    env: noEngine,
  });
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(
    /^✖ (an empty string is not a matcher|--comment is empty|--duration 300000y is not a duration)\n/,
  );
});
