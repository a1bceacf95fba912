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
  'min_of(1, 2)',
  'clamp(x, 0, max_of(scalar(y), 5.)) and MIN_OF(1, 2) > bool 0',
  'rate(up[min_of(5m, 1h)]) * max_of(1, 2)',
  'rate(up[5m] anchored) + info(up) + on () group_left fill(0) start_timestamp(up)',
  'absent(up{job="x"}) or vector(0)',
];

describe('PromQL', () => {
  test.each(right)('%s must be accepted', (expression) => {
    expect(promqlProblem(expression)).toBeUndefined();
  });

  test.each([
    ['rate(up[5 m])', '5 m', '5m'],
    ['max_over_time(deriv(x[5 ms])[1 h:1m])', '5 ms', '5ms'],
    ['sum(rate(up[ 10 s:])) / 2.', '10 s', '10s'],
  ])('%s must be warned of, since newer versions refuse it', (expression, written, without) => {
    expect(promqlProblem(expression)).toEqual({
      severity: 'warning',
      message: `Prometheus 3.13 and later do not accept the space in "${written}"`,
      hint: `write "${without}"`,
      from: expression.indexOf(written),
      length: written.length,
    });
  });

  test.each([
    ['min_off(1, 2)', 'unknown function "min_off"', 0],
    ['max_of(1, 2', 'this "(" is not closed', 6],
    ['sum(up', 'this "(" is not closed', 3],
    ['sum(up))', 'this ")" has no opening bracket', 7],
    ['sum(up[5m)', 'missing "]" before this ")"', 9],
    ['ratee(up[5m])', 'unknown function "ratee"', 0],
    ['up{job="a}', 'this quote is not closed', 7],
    ['up ==', 'the expression is incomplete', 4],
    ['up = 0', 'unexpected "="', 3],
    ['foo bar', 'unexpected "bar"', 4],
    ['  ', 'the expression is empty', 0],
  ])('%s must be rejected at the position of the error', (expression, message, from) => {
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
