import { describe, expect, test } from 'vitest';
import { parseMatchers } from '../../../stack/alertmanager/matcher.ts';

const one = (name: string, value: string, operator = '=') => [{ name, operator, value }];

// Each verdict is amtool 0.33.1's, and each value the one that its routes have.
describe('a matcher', () => {
  test.each([
    ['a=b', one('a', 'b')],
    ['a="b"', one('a', 'b')],
    [' a = b ', one('a', 'b')],
    ['{a="b",c!~"d.*"}', [...one('a', 'b'), ...one('c', 'd.*', '!~')]],
    ['{a=~"x|y", b!="z",}', [...one('a', 'x|y', '=~'), ...one('b', 'z', '!=')]],
    ['a="x",', one('a', 'x')],
    ['a=foo bar', one('a', 'foo bar')],
    ['a=', one('a', '')],
    ['a=""', one('a', '')],
    ['a=,b=c', [...one('a', ''), ...one('b', 'c')]],
    ['a==b', one('a', '=b')],
    ['a={b}', one('a', '{b')],
    ['{a=b c', one('a', 'b c')],
    ['"a.b"="c"', one('a.b', 'c')],
    ['"a b"!~"\\"q\\""', one('a b', '"q"', '!~')],
    ['""="b"', one('', 'b')],
    ['a-b="c"', one('a-b', 'c')],
    ['job=~"a,b"', one('job', 'a,b', '=~')],
    ['', []],
    ['{}', []],
  ])('must be read from %s', (text, matchers) => {
    expect(parseMatchers(text)).toEqual(matchers);
  });

  test.each([
    ['a=~"\\d+\\.x"', one('a', '\\d+\\.x', '=~')],
    ['a="\\t"', one('a', '\\t')],
    ['a="x\\n\\\\"', one('a', 'x\n\\')],
    ['a="x\ny"', one('a', 'x\ny')],
    ['a=\\', one('a', '\\')],
    ['a=x\\"y', one('a', 'x"y')],
    ['a.b="\\t\\x41\\101\\u00e9\\U0001F600"', one('a.b', '\tAAé😀')],
  ])('must keep a backslash that stands for itself, and read one that does not: %s', (text, matchers) => {
    expect(parseMatchers(text)).toEqual(matchers);
  });

  test.each([
    'a',
    '="b"',
    'severity: critical',
    'a="b',
    'a=b"c',
    'a="b" c="d"',
    ',',
    ', }',
    '{,}',
    'a=b,,',
    ' {a=b c}',
    'a-b=c d',
    'a.b="\\d"',
    'a.b="\\xff"',
    'a.b="\\ud800"',
    'a.b="x\ny"',
  ])('must not be read from %s', (text) => {
    expect(parseMatchers(text)).toBeUndefined();
  });

  test('with endless blanks in it must be judged, not tried in every way they could be shared out', () => {
    expect(parseMatchers(`a=b${' '.repeat(50_000)}"`)).toBeUndefined();
  });
});
