import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isOptional, shippedDashboards } from '../../scripts/dev/dashboards/index.ts';
import { fillMacros, queriesOf, startingValues } from '../support/dashboard-queries.ts';
import { eventually } from '../support/eventually.ts';
import { labelUses, matchesIn, metricNames, neverFiltering } from '../support/promql.ts';
import { getJson, query } from '../support/servers.ts';
import { shippedAlerts } from '../support/shipped.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

/** Those of exporters are tried in exporters.test.ts. */
const dashboards = shippedDashboards().filter((shipped) => !isOptional(shipped));

/** An alert that fires at once and one that stays pending: without them Prometheus has no series of alerts. */
const rules = `
groups:
  - name: always
    rules:
      - {alert: AlwaysFiring, expr: vector(1), labels: {severity: info}}
      - {alert: AlwaysPending, expr: vector(1), for: 1d, labels: {severity: info}}
`;

describe('the shipped dashboards and rules, on a running stack with traffic,', () => {
  let stack: StackFolder;

  beforeAll(async () => {
    stack = await stackFolder({
      prometheus: { scrape_interval: '1s', evaluation_interval: '1s', rules: ['rules.yml'] },
      traffic: { enabled: true },
    });
    await stack.write('rules.yml', rules);
    const up = await stack.run('up');
    expect(up.exitCode, up.stderr).toBe(0);
    // The slowest to come: pushed, scraped and evaluated.
    await eventually(async () => {
      for (const expr of [
        'request_error_number',
        'raid_status',
        'http_request_total',
        'ALERTS_FOR_STATE',
        'alertmanager_alerts',
      ]) {
        expect(await query(stack.url('prometheus'), expr), expr).not.toEqual([]);
      }
    });
  });

  afterAll(() => stack[Symbol.asyncDispose]());

  test('must use only metrics that the servers export or the demo pushes', async () => {
    // Each server is scraped at a time of its own.
    await eventually(async () => {
      const { data } = await getJson<{ data: readonly string[] }>(
        stack.url('prometheus', '/api/v1/label/__name__/values'),
      );
      const exported = new Set(data);
      const unknown = dashboards.flatMap(({ name, dashboard }) =>
        queriesOf(dashboard).flatMap(({ where, expr }) =>
          metricNames(fillMacros(expr, startingValues(dashboard)))
            .filter((metric) => !exported.has(metric))
            .map((metric) => `${name}, ${where}: ${metric}`),
        ),
      );
      expect(unknown).toEqual([]);
    });
  });

  test.each(dashboards)('must have only queries that Prometheus accepts: $name', async ({ dashboard }) => {
    for (const { expr } of queriesOf(dashboard)) {
      await expect(
        query(stack.url('prometheus'), fillMacros(expr, startingValues(dashboard))),
        expr,
      ).resolves.toBeInstanceOf(Array);
    }
  });

  test.each(dashboards)('must have a value for every stat panel at the top: $name', async ({ dashboard }) => {
    // Where there is nothing to report a number says 0, not "no data": except where nothing is known.
    await eventually(async () => {
      for (const panel of dashboard.panels ?? []) {
        if (panel.type !== 'stat' || !('targets' in panel)) continue;
        for (const target of panel.targets ?? []) {
          const { expr = '' } = target as { expr?: string };
          const answer = await query(stack.url('prometheus'), fillMacros(expr, startingValues(dashboard)));
          expect(answer, `${panel.title}: ${expr}`).not.toEqual([]);
        }
      }
    });
  });

  test('must find a label for every variable and every legend', async () => {
    const missing: string[] = [];
    for (const { name, dashboard } of dashboards) {
      for (const panel of dashboard.panels ?? []) {
        if (!('targets' in panel)) continue;
        for (const target of panel.targets ?? []) {
          const { expr = '', legendFormat = '' } = target as { expr?: string; legendFormat?: string };
          const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? '');
          if (labels.length === 0) continue;
          const answer = await query(stack.url('prometheus'), fillMacros(expr, startingValues(dashboard)));
          if (answer.length === 0) continue;
          for (const label of labels) {
            if (!answer.some((series) => series.includes(`${label}="`)))
              missing.push(`${name}, ${panel.title}: ${label}`);
          }
        }
      }
    }
    expect(missing).toEqual([]);
  });

  /** Every expression of rules and dashboards, by its place. */
  const expressions = (): readonly (readonly [string, string])[] => [
    ...shippedAlerts.map(({ alert, expr }) => [alert, expr] as const),
    ...dashboards.flatMap(({ name, dashboard }) =>
      queriesOf(dashboard).map(
        ({ where, expr }) => [`${name}, ${where}`, fillMacros(expr, startingValues(dashboard))] as const,
      ),
    ),
  ];
  /** Nothing for a number, which every vector matches. */
  const answer = async (expr: string): Promise<readonly string[]> => {
    const path = `/api/v1/query?query=${encodeURIComponent(expr)}`;
    const { data } = await getJson<{ data: { resultType: string } }>(stack.url('prometheus', path));
    return data.resultType === 'vector' ? query(stack.url('prometheus'), expr) : [];
  };
  const hasLabel = (series: readonly string[], label: string): boolean =>
    series.some((one) => one.includes(`{${label}="`) || one.includes(`,${label}="`));

  /** Metrics that only the pipeline check and sources of the user push. */
  const pushed = new Set(['promstack_verify_canary', 'push_interval_seconds']);

  test('must use in rules and dashboards only labels that the servers export', async () => {
    const missing: string[] = [];
    const answers = new Map<string, readonly string[]>();
    for (const [where, expr] of expressions()) {
      for (const { label, of } of labelUses(expr)) {
        const series = answers.get(of) ?? (await answer(of));
        answers.set(of, series);
        if (series.length > 0 && !pushed.has(of) && !hasLabel(series, label))
          missing.push(`${where}: ${label} of ${of}`);
      }
    }
    for (const { alert, expr, annotations } of shippedAlerts) {
      const used = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
      const series = used.length === 0 ? [] : await answer(neverFiltering(expr));
      missing.push(
        ...used.filter((label) => series.length > 0 && !hasLabel(series, label)).map((label) => `${alert}: ${label}`),
      );
    }
    expect(missing).toEqual([]);
  }, 180_000);

  /** It leaves out sources that push both metrics, and the demo has none. */
  const mayBeDisjoint =
    'TargetRestarting: changes(process_start_time_seconds[15m]) > bool 2 and on (job, instance) push_time_seconds';

  test('must match in rules and dashboards only vectors that have the same labels', async () => {
    let matched = 0;
    const unmatched: string[] = [];
    for (const [where, expr] of expressions()) {
      for (const { left, right, both } of matchesIn(expr)) {
        const sides = await Promise.all([left, right].map((side) => answer(side)));
        if (sides.some((series) => series.length === 0)) continue;
        matched += 1;
        if ((await answer(both)).length === 0) unmatched.push(`${where}: ${both}`);
      }
    }
    expect(unmatched.filter((match) => match !== mayBeDisjoint)).toEqual([]);
    expect(matched).toBeGreaterThan(30);
  });
});
