import { expect, it } from 'vitest';
import { parseRetention } from '../../../stack/victoriametrics/config.ts';

const day = 86_400_000;

/** As VictoriaMetrics 1.145 decides at its start. */
it.each([
  ['1d', day],
  ['24h', day],
  ['86400s', day],
  ['86400000ms', day],
  ['0.04', 0.04 * 31 * day],
  ['1', 31 * day],
  ['1.5M', 46.5 * day],
  ['2y', 730 * day],
  ['1.5y', 547.5 * day],
  ['2W', 14 * day],
  ['1y6d', 371 * day],
  ['1d12h', 1.5 * day],
  ['101y', 101 * 365 * day],
  ['1200', 1_200 * 31 * day],
])('%s is a retention', (text, ms) => {
  expect(parseRetention(text)).toBe(ms);
});

it.each([
  '',
  '0',
  '0d',
  '23h',
  '86399s',
  '0.03',
  '1m',
  '90m',
  '1y6M',
  '1d1M',
  '1201',
  '200y',
  '-1d',
  '1 y',
  '+1y',
  '2mo',
  'abc',
  'NaN',
  '1.5.5',
  '1_0d',
])('%j is no retention', (text) => {
  expect(parseRetention(text)).toBeUndefined();
});
