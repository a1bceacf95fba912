import { describe, expect, test } from 'vitest';
import { parseMatchers } from '../../../stack/alertmanager/matcher.ts';

const single = (name: string, value: string, operator = '=') => [{ name, operator, value }];

// The results are those of amtool 0.33.1, and the values those in its routes.
describe('a matcher', () => {
  test.each([
    ['a=b', single('a', 'b')],
    ['a="b"', single('a', 'b')],
    [' a = b ', single('a', 'b')],
    ['{a="b",c!~"d.*"}', [...single('a', 'b'), ...single('c', 'd.*', '!~')]],
    ['{a=~"x|y", b!="z",}', [...single('a', 'x|y', '=~'), ...single('b', 'z', '!=')]],
    ['a="x",', single('a', 'x')],
    ['a=foo bar', single('a', 'foo bar')],
    ['a=', single('a', '')],
    ['a=""', single('a', '')],
    ['a=,b=c', [...single('a', ''), ...single('b', 'c')]],
    ['a==b', single('a', '=b')],
    ['a={b}', single('a', '{b')],
    ['{a=b c', single('a', 'b c')],
    ['"a.b"="c"', single('a.b', 'c')],
    ['"a b"!~"\\"q\\""', single('a b', '"q"', '!~')],
    ['""="b"', single('', 'b')],
    ['a-b="c"', single('a-b', 'c')],
    ['job=~"a,b"', single('job', 'a,b', '=~')],
    ['', []],
    ['{}', []],
  ])('must be read from %s', (text, matchers) => {
    expect(parseMatchers(text)).toEqual(matchers);
  });

  test.each([
    ['a=~"\\d+\\.x"', single('a', '\\d+\\.x', '=~')],
    ['a="\\t"', single('a', '\\t')],
    ['a="x\\n\\\\"', single('a', 'x\n\\')],
    ['a="x\ny"', single('a', 'x\ny')],
    ['a=\\', single('a', '\\')],
    ['a=x\\"y', single('a', 'x"y')],
    ['a.b="\\t\\x41\\101\\u00e9\\U0001F600"', single('a.b', '\tAAé😀')],
  ])('must read literal and escaping backslashes: %s', (text, matchers) => {
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

  test('with very many blanks must be parsed without backtracking', () => {
    expect(parseMatchers(`a=b${' '.repeat(50_000)}"`)).toBeUndefined();
  });
});
