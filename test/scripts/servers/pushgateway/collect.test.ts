import { describe, expect, test } from 'vitest';
import { ageLimitOf, sweepEveryMs } from '../../../../scripts/servers/pushgateway/collect.ts';

describe('ttl', () => {
  test("must be the job's own, or else the default, with a little grace", () => {
    const limitOf = ageLimitOf({ default: '1h', jobs: { short: '10m', kept: '0' } });
    expect(['any', 'short', 'kept', 'constructor'].map(limitOf)).toEqual([3_780, 630, undefined, 3_780]);
    expect(ageLimitOf('2m')('any')).toBeCloseTo(126);
    expect(ageLimitOf({ jobs: { one: '1m' } })('other')).toBeUndefined();
  });

  test('must be enforced often enough for the shortest one', () => {
    expect([sweepEveryMs('1h'), sweepEveryMs({ default: '0', jobs: { a: '2m' } }), sweepEveryMs('3s')]).toEqual([
      60_000, 12_000, 1_000,
    ]);
  });
});
