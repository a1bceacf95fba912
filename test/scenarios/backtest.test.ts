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

/** Expressions over a metric of the generated series, one of each kind that real rules have. */
const exprsOf = (metric: string): readonly string[] => [
  `${metric} > 1`,
  `rate(${metric}[10m]) > 0`,
  `avg_over_time(${metric}[15m]) > 0.8`,
  `sum by (device) (changes(${metric}[30m])) > 2`,
  `absent(${metric}{device="d0"})`,
  `${metric} offset 5m < ${metric}`,
  `max_over_time((${metric} - 1)[20m:1m]) > 0 unless ${metric} > 2`,
];

describe('over the history of a running Prometheus', () => {
  const day = 86_400_000;
  const alone = { alertmanager: { enabled: false }, sink: { enabled: false }, pushgateway: { enabled: false } };

  it('50 alerts must fire when promtool says, and 200 over 7 days must take less than 60 s', async ({ skip }) => {
    if (!isFull) skip('only `npm run test:full` runs it');
    const fromMs = Math.floor(Date.now() / 60_000) * 60_000 - 7 * day;
    const alerts = generatedAlerts(50, (7 * day) / 60_000, exprsOf);
    const rules = ruleFileOf(alerts);
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

    const groups = [0, 1, 2, 3].map((at) =>
      ruleFileOf(alerts).replace('name: generated', `name: copy${at}`).slice('groups:\n'.length),
    );
    await stack.write('rules/many.yml', `groups:\n${groups.join('')}`.replaceAll('interval: 1m', 'interval: 15s'));
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
