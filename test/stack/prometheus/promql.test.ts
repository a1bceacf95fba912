import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { promqlChecker, promqlProblem, shapeOf } from '../../../stack/prometheus/promql.ts';
import { generated } from '../../support/shares.ts';

const right = [
  'up',
  'up == 0',
  'sum by (job) (rate(http_requests_total{code=~"5..",job!="a"}[5m])) > 0.05',
  'sum(rate(x[5m])) without (instance) / on (job) group_left sum(y)',
  'histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))',
  'x offset 5m @ start()',
  'max_over_time(deriv(x[5m])[1h:1m])',
  'label_replace(up, "a", "$1", "b", "(.*)")',
  '{"metric.with.dots", "label.with.dots"="x"}',
  "count(up{job='a'}) # it's a comment",
  'x{a=`raw "text"`}',
  '1./6.',
  'absent(up{job="x"}) or vector(0)',
];

describe('PromQL', () => {
  test.each(right)('%s must be accepted', (expression) => {
    expect(promqlProblem(expression)).toBeUndefined();
  });

  test.each([
    ['sum(up', 'this "(" is not closed', 3],
    ['sum(up))', 'this ")" has no opening bracket', 7],
    ['sum(up[5m)', 'missing "]" before this ")"', 9],
    ['ratee(up[5m])', 'unknown function "ratee"', 0],
    ['up{job="a}', 'this quote is not closed', 7],
    ['up ==', 'the expression is incomplete', 4],
    ['up = 0', 'unexpected "="', 3],
    ['foo bar', 'unexpected "bar"', 4],
    ['  ', 'the expression is empty', 0],
  ])('%s must be refused where it is wrong', (expression, message, from) => {
    expect(promqlProblem(expression)).toMatchObject({ message, from });
  });

  test('must get the same result with and without cached shapes', () => {
    const parts = fc.constantFrom(
      ...right,
      '(',
      ')',
      '[5m]',
      '[',
      '"',
      "'",
      '`',
      '#',
      '\n',
      ' == ',
      ' and ',
      '5',
      '0.5',
      '5m',
      'x1',
      '{',
      '}',
      'a="b"',
      ',',
      ' ',
      '\\',
    );
    const check = promqlChecker();
    fc.assert(
      fc.property(fc.array(parts, { minLength: 1, maxLength: 6 }), (some) => {
        const expression = some.join('');
        expect(check(expression)).toEqual(promqlProblem(expression));
      }),
      generated('random PromQL with and without remembered shapes', 2_000),
    );
  });

  test('must have one shape for expressions that differ only in numbers and strings', () => {
    expect(shapeOf('rate(x{a="1", b="c"}[5m]) > 0.5 and log2(y1) == 10')).toBe(
      shapeOf('rate(x{a="22", b=""}[5m]) > 7 and log2(y1) == 0'),
    );
    expect(shapeOf('log2(x)')).not.toBe(shapeOf('log3(x)'));
  });
});
