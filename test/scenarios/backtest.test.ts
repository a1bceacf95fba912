import { describe, expect, it } from 'vitest';
import { alertHistories } from '../../scripts/inspect/backtest/alert-history.ts';
import type { RangeQuery } from '../../scripts/servers/prometheus.ts';
import { mapLimit } from '../../scripts/util/map-limit.ts';
import {
  type GeneratedAlert,
  generatedAlerts,
  pastSeriesOf,
  promtoolTestOf,
  ruleFileOf,
} from '../support/generated-alerts.ts';
import { historyClient, importHistory } from '../support/prometheus-history.ts';
import { expectFine } from '../support/revisions.ts';
import { isFull } from '../support/shares.ts';
import { stackFolder } from '../support/stack-folder.ts';
import { openTools } from '../support/tools.ts';

const minutes = 240;

/** `metric > 0` over generated series, as Prometheus evaluates it: a gap is bridged for less than five minutes. */
function historyOf({ series }: GeneratedAlert) {
  return {
    range: async ({ fromMs, toMs, stepMs }: RangeQuery) =>
      series.map(({ name, device, values }) => {
        const points: (readonly [number, string])[] = [];
        for (let at = fromMs; at <= toMs; at += stepMs) {
          const last = values
            .slice(Math.max(0, at / 60_000 - 4), at / 60_000 + 1)
            .findLast((value) => value !== undefined);
          if (last !== undefined && last > 0) points.push([at / 1000, String(last)]);
        }
        return { metric: { __name__: name, device }, values: points, histograms: [] };
      }),
  };
}

it('an alert must fire in a backtest exactly when it does in promtool', async () => {
  const alerts = generatedAlerts(50, minutes, (metric) => [`${metric} > 0`], 20_260_101);
  const timing = { intervalMs: 60_000, offsetMs: 0, limit: 0 };
  const window = { fromMs: 0, toMs: (minutes - 1) * 60_000 };
  const results = await Promise.all(
    alerts.map(async (generated) => {
      const { alert } = generated;
      const [history] = await alertHistories(
        historyOf(generated),
        { expr: alert.expr, ...timing },
        [{ alert, timing }],
        window,
        AbortSignal.timeout(30_000),
      );
      return { ...generated, firings: history?.firings ?? [] };
    }),
  );
  expect(results.reduce((sum, { firings }) => sum + firings.length, 0)).toBeGreaterThan(100);
  await using tools = await openTools({
    service: 'prometheus',
    files: { 'rules.yml': ruleFileOf(alerts), 'test.yml': promtoolTestOf(results, 0) },
  });
  const { exitCode, stdout, stderr } = await tools.run('/bin/promtool', 'test', 'rules', '/files/test.yml');
  expect(stdout + stderr).toContain('SUCCESS');
  expect(exitCode).toBe(0);
});

/** Expressions over a metric of the generated series, one of each kind that real rules have; `at` makes each a little different. */
const exprsOf = (metric: string, at: number): readonly string[] => {
  const minutes = 10 + (at % 41);
  const range = `${metric}[${minutes}m]`;
  const limit = 0.5 + (at % 7) / 2;
  return [
    `${metric} > ${limit}`,
    `rate(${range}) > 0`,
    `increase(${range}) >= ${limit}`,
    `resets(${range}) > ${at % 3}`,
    `changes(${range}) > ${2 + (at % 4)}`,
    `delta(${range}) < -${limit}`,
    `deriv(${range}) > 0.001`,
    `predict_linear(${range}, 600) > ${limit}`,
    `avg_over_time(${range}) > ${limit}`,
    `min_over_time(${range}) >= 1`,
    `max_over_time(${range}) <= 1`,
    `sum_over_time(${range}) > ${5 * limit}`,
    `count_over_time(${range}) < ${minutes}`,
    `stddev_over_time(${range}) > ${limit / 2}`,
    `quantile_over_time(0.9, ${range}) > ${limit}`,
    `last_over_time(${range}) == ${at % 4}`,
    `present_over_time(${range}) unless ${metric}`,
    `absent_over_time(${metric}{device="d0"}[${minutes}m])`,
    `absent(${metric}{device="d${Math.floor(at / 30) % 3}"})`,
    `${metric} offset ${minutes}m < ${metric}`,
    `max_over_time((${metric} - 1)[${minutes}m:1m]) > 0 unless ${metric} > 2`,
    `sum by (device) (changes(${range})) > 2 and on (device) ${metric} > 0`,
    `count(${metric} == 0) >= ${1 + (at % 2)}`,
    `count_values("value", ${metric}) > ${at % 4}`,
    `avg without (device) (${metric}) > ${limit} or sum(rate(${range})) > 0.01`,
    `label_replace(${metric} > 1, "level", "level $1", "device", "d(.)")`,
    `time() - timestamp(${metric}) > ${60 * (1 + (at % 4))}`,
    `${metric} / ignoring (device) group_left () max without (device) (${metric}) < ${limit}`,
    `clamp_max(${metric}, 2) * 2 > bool ${limit} == 1`,
    `abs(idelta(${range})) > ${at % 3}`,
  ];
};

describe('over the history of a running Prometheus', () => {
  const day = 86_400_000;
  const alone = { alertmanager: { enabled: false }, sink: { enabled: false }, pushgateway: { enabled: false } };

  it('50 alerts must fire when promtool says, and 200 others over 7 days must take less than 60 s', async ({
    skip,
  }) => {
    if (!isFull) skip('only `npm run test:full` runs it');
    const fromMs = Math.floor(Date.now() / 60_000) * 60_000 - 7 * day;
    const alerts = generatedAlerts(50, (7 * day) / 60_000, exprsOf);
    const rules = ruleFileOf(alerts);
    expect(new Set(alerts.map(({ alert }) => alert.expr.replaceAll(/generated_\d+/g, 'x'))).size).toBe(50);
    await using stack = await stackFolder(alone);
    expectFine(await stack.run('up'));
    await importHistory(stack, pastSeriesOf(alerts, fromMs));
    using history = await historyClient(stack);
    const { client } = history;
    const timing = { intervalMs: 60_000, offsetMs: 0, limit: 0 };
    const window = { fromMs, toMs: fromMs + day - 60_000 };
    const results = await mapLimit(alerts, 4, async (generated) => {
      const { alert } = generated;
      const query = { expr: alert.expr, ...timing };
      const signal = AbortSignal.timeout(120_000);
      const [history] = await alertHistories(client, query, [{ alert, timing }], window, signal);
      const series = generated.series.map((each) => ({ ...each, values: each.values.slice(0, day / 60_000) }));
      return { alert, series, firings: history?.firings ?? [] };
    });
    expect(results.reduce((sum, { firings }) => sum + firings.length, 0)).toBeGreaterThan(200);
    await using tools = await openTools({
      service: 'prometheus',
      files: { 'rules.yml': rules, 'test.yml': promtoolTestOf(results, fromMs) },
    });
    const { exitCode, stdout, stderr } = await tools.run('/bin/promtool', 'test', 'rules', '/files/test.yml');
    expect((stdout + stderr).slice(0, 2_000)).toContain('SUCCESS');
    expect(exitCode).toBe(0);

    const many = Array.from({ length: 200 }, (_, at) => {
      const { alert, series } = alerts[Math.floor(at / 4)] as GeneratedAlert;
      const exprs = exprsOf(series[0]?.name ?? '', at);
      return { alert: { ...alert, name: `Many${at}`, expr: exprs[at % exprs.length] ?? '' } };
    });
    expect(new Set(many.map(({ alert }) => alert.expr)).size).toBe(200);
    await stack.write('rules/many.yml', ruleFileOf(many).replaceAll('interval: 1m', 'interval: 15s'));
    await stack.configure({ ...alone, prometheus: { rules: ['rules/*.yml'] } });
    const startedAt = performance.now();
    const backtest = await stack.run('backtest', '--since', '7d', '--json');
    const tookMs = performance.now() - startedAt;
    const { ok, error, alerts: tested } = JSON.parse(backtest.stdout);
    const failed = tested?.filter((alert: { error?: string }) => alert.error !== undefined);
    expect({ ok, error, failed }, backtest.stderr).toEqual({ ok: true, error: undefined, failed: [] });
    expect(tested).toHaveLength(200);
    process.stdout.write(`200 alerts over 7 days: ${Math.round(tookMs / 1000)} s\n`);
    expect(tookMs).toBeLessThan(60_000);
  }, 900_000);
});
