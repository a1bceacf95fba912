import { expect, test } from 'vitest';
import { parseRetention, readUsage } from '../../../scripts/inspect/data-usage.ts';

const gigabyte = 1e9;
const day = 86_400;

test.each([
  ['without a rate', 1, { bytes: 100, freeBytes: 50 }, undefined, '1.0 GB, the disk is 50 % full', 'right'],
  [
    'on a disk that is nearly full',
    1,
    { bytes: 100, freeBytes: 10 },
    undefined,
    '1.0 GB, the disk is 90 % full',
    'notice',
  ],
  [
    'that its retention ends before',
    1,
    { bytes: 100, freeBytes: 50 },
    [1, 15],
    '1.0 GB, the disk is 50 % full; at most 15.0 GB by its retention',
    'right',
  ],
  [
    'that fills the disk in weeks',
    1,
    { bytes: 100, freeBytes: 50 },
    [1, 90],
    '1.0 GB, the disk is 50 % full; full in about 50 days at the present rate',
    'right',
  ],
  [
    'that fills the disk in days',
    1,
    { bytes: 100, freeBytes: 50 },
    [10, 900],
    '1.0 GB, the disk is 50 % full; full in about 5 days at the present rate',
    'notice',
  ],
  [
    'that fills the disk in hours',
    1,
    { bytes: 100, freeBytes: 50 },
    [50, 900],
    '1.0 GB, the disk is 50 % full; full in about 24 hours at the present rate',
    'notice',
  ],
  ['that does not grow', 1, { bytes: 100, freeBytes: 50 }, [0, 0], '1.0 GB, the disk is 50 % full', 'right'],
] as const)('data %s must be shown so', (_, size, disk, growth, text, tone) => {
  const [perDay = 0, most = 0] = growth ?? [];
  const perSecond = (perDay * gigabyte) / day;
  const rate = { bytesPerSecond: perSecond, seconds: perSecond === 0 ? 0 : (most * gigabyte) / perSecond };
  const usage = {
    bytes: size * gigabyte,
    disk: { bytes: disk.bytes * gigabyte, freeBytes: disk.freeBytes * gigabyte },
    growth: growth === undefined ? undefined : rate,
  };
  expect(readUsage(usage)).toMatchObject({ label: 'data', text, tone });
});

test.each([
  ['its time', {}, 'full in about 40 days at the present rate'],
  ['its size', { bytes: 20 * gigabyte }, 'at most 20.0 GB by its retention'],
  ['a part of the disk', { share: 0.4 }, 'at most 40.0 GB by its retention'],
])('growth that ends by %s must be shown so', (_, limit, text) => {
  const disk = { bytes: 100 * gigabyte, freeBytes: 40 * gigabyte };
  const growth = { bytesPerSecond: gigabyte / day, seconds: 90 * day, ...limit };
  expect(readUsage({ bytes: 10 * gigabyte, disk, growth }).text).toContain(text);
});

test.each([
  ['15d', { seconds: 15 * day }],
  ['15d or 20GiB', { seconds: 15 * day, bytes: 20 * 2 ** 30 }],
  ['512MiB', { bytes: 512 * 2 ** 20 }],
  ['1w or 80%', { seconds: 7 * day, share: 0.8 }],
  ['', {}],
])('a retention of "%s" must be read', (text, expected) => {
  const { seconds, bytes, share } = parseRetention(text);
  expect({ seconds, bytes, share }).toEqual({ seconds: undefined, bytes: undefined, share: undefined, ...expected });
});
