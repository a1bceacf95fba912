import { describe, expect, test } from 'vitest';
import { isMatcher } from '../../stack/alertmanager/matchers.ts';

// Each verdict was compared with amtool 0.33.1's.
describe('a matcher', () => {
  test.each([
    'a=b',
    'a="b"',
    ' a = b ',
    '{a="b",c!~"d.*"}',
    'a=~"x|y"',
    'a="x",',
    'a=foo bar',
    'a=',
    '"a.b"="c"',
    'a-b="c"',
    'job=~"a,b"',
  ])('%s must be taken', (text) => {
    expect(isMatcher(text)).toBe(true);
  });

  test.each(['a', '="b"', 'severity: critical', 'a="b', 'a=b"c', 'a="b" c="d"'])('%s must be refused', (text) => {
    expect(isMatcher(text)).toBe(false);
  });

  test('with endless blanks in it must be judged, not tried in every way they could be shared out', () => {
    expect(isMatcher(`a=b${' '.repeat(50_000)}"`)).toBe(false);
  });
});
