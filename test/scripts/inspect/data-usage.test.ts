import { expect, test } from 'vitest';
import { readUsage } from '../../../scripts/inspect/data-usage.ts';

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
  const rate = { bytesPerSecond: (perDay * gigabyte) / day, mostBytes: most * gigabyte };
  const usage = {
    bytes: size * gigabyte,
    disk: { bytes: disk.bytes * gigabyte, freeBytes: disk.freeBytes * gigabyte },
    growth: growth === undefined ? undefined : rate,
  };
  expect(readUsage(usage)).toMatchObject({ label: 'data', text, tone });
});
