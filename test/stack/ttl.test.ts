import { expect, test } from 'vitest';
import { ageLimitOf, expires, ttlFile } from '../../stack/pushgateway/ttl.ts';

test("a ttl must be the job's own, or else the default, with a little grace", () => {
  const limitOf = ageLimitOf({ default: '1h', jobs: { short: '10m', kept: '0' } });
  expect(['any', 'short', 'kept', 'constructor'].map(limitOf)).toEqual([3_780, 630, undefined, 3_780]);
  expect(ageLimitOf('2m')('any')).toBeCloseTo(126);
  expect(ageLimitOf({ jobs: { one: '1m' } })('other')).toBeUndefined();
});

test.each([
  [undefined, false],
  ['0', false],
  [{ default: '0', jobs: { a: '0s' } }, false],
  [{ jobs: {} }, false],
  ['1s', true],
  [{ default: '0', jobs: { a: '1d' } }, true],
])('groups must expire exactly when a job has a ttl: %j', (ttl, expected) => {
  expect(expires(ttl)).toBe(expected);
});

test('the ttl must be enforced often enough for the shortest one', () => {
  const pauses = ['1h', { default: '0', jobs: { a: '2m' } }, '3s'].map(
    (ttl) => /^every (.+)$/m.exec(ttlFile(ttl, { hasUtf8Names: false }))?.[1],
  );
  expect(pauses).toEqual(['60', '13', '1']);
});

test('names of jobs must be written as metrics pages escape them', () => {
  const jobs = { 'a b': '1m', 'x"y\\z\n': '0', ' é ': '2m' };
  expect(ttlFile({ default: '1d', jobs }, { hasUtf8Names: true })).toBe(
    'names utf8\nevery 6\ndefault 90720\njob 63 a b\njob 0 x\\"y\\\\z\\n\njob 126  é \n',
  );
});
