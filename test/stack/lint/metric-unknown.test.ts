import { expect, it } from 'vitest';
import { lint, ruleFileOf } from '../../support/lint.ts';

const live = (metrics: readonly string[], isComplete = true) => ({
  metrics: new Set(metrics),
  labels: new Set(['job', 'instance']),
  isComplete,
});

const folder = {
  stack: 'name: a\n',
  rules: {
    'rules/a.yml': ruleFileOf(`- record: a:b
  expr: sum(rate(http_request_totl[5m])) + http_request_total
- alert: A
  expr: a:b > 1 and ALERTS{x="y"} or absent(backup_done) or {"odd.name", c="d"} > 0
`),
  },
};

const misspelt =
  'warning metric-unknown rules/a.yml:5:24+17 a:b uses the metric "http_request_totl", which the running Prometheus does not have (did you mean "http_request_total"?)';

it('must warn about metrics that the running Prometheus does not have', async () => {
  expect(await lint(folder, live(['http_request_total', 'up']))).toEqual([
    misspelt,
    'warning metric-unknown rules/a.yml:7:68+10 A uses the metric "odd.name", which the running Prometheus does not have (no target exposes it yet, or it has another name)',
  ]);
});

it('must warn only about misspelt metrics while the stack is young or a target is down', async () => {
  expect(await lint(folder, live(['http_request_total', 'up'], false))).toEqual([misspelt]);
});

it('must not warn when no Prometheus runs', async () => {
  expect(await lint(folder)).toEqual([]);
});

const recordsOf = (count: number, prefix: string): string =>
  ruleFileOf(
    Array.from(
      { length: count },
      (_, at) => `- record: r:${prefix}${at}\n  expr: ${prefix}_${at}_seconds + ${prefix}_0_seconds\n`,
    ).join(''),
  );

it('must warn once about all unknown metrics of a file', async () => {
  const rules = { 'rules/a.yml': recordsOf(9, 'redis') };
  expect(await lint({ stack: 'name: a\n', rules }, live(['up']))).toEqual([
    'warning metric-unknown rules/a.yml:5:15+15 9 metrics of this file are not in the running Prometheus: redis_0_seconds, redis_1_seconds, redis_2_seconds, redis_3_seconds, redis_4_seconds and 4 more (no target exposes them yet, or they have other names)',
  ]);
});

it('must not count what a comment silences', async () => {
  const silenced = recordsOf(2, 'redis').replace(
    'redis_1_seconds',
    'redis_1_seconds # promstack: ignore metric-unknown\n        #',
  );
  expect(await lint({ stack: 'name: a\n', rules: { 'rules/a.yml': silenced } }, live(['up']))).toEqual([
    expect.stringContaining('r:redis0 uses the metric "redis_0_seconds"'),
  ]);
});

it('must warn once about all further files', async () => {
  const rules = Object.fromEntries(
    Array.from('abcdefgh', (name) => [`rules/${name}.yml`, recordsOf(3, name.repeat(5))]),
  );
  const warnings = await lint({ stack: 'prometheus:\n  rules: [rules/*.yml]\n', rules }, live(['up']));
  expect(warnings).toHaveLength(6);
  expect(warnings.at(-1)).toBe(
    'warning metric-unknown stack.yml:2:10+13 9 metrics of 3 more rule files are not in the running Prometheus: rules/f.yml, rules/g.yml, rules/h.yml (no target exposes them yet, or they have other names)',
  );
});
