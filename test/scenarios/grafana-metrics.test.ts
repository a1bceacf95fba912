import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedDashboards } from '../../scripts/dev/dashboards/index.ts';
import { fillMacros, queriesOf, startingValues } from '../support/dashboard-queries.ts';
import { eventually } from '../support/eventually.ts';
import { metricNames } from '../support/promql.ts';
import { getJson, query } from '../support/servers.ts';
import { type StackFolder, stackFolder } from '../support/stack-folder.ts';

/** An alert that fires at once and one that stays pending: without them Prometheus has no series of alerts. */
const rules = `
groups:
  - name: always
    rules:
      - {alert: AlwaysFiring, expr: vector(1), labels: {severity: info}}
      - {alert: AlwaysPending, expr: vector(1), for: 1d, labels: {severity: info}}
`;

describe('the shipped dashboards, on a running stack with traffic,', () => {
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
    const { data } = await getJson<{ data: readonly string[] }>(
      stack.url('prometheus', '/api/v1/label/__name__/values'),
    );
    const exported = new Set(data);
    const unknown = shippedDashboards().flatMap(({ name, dashboard }) =>
      queriesOf(dashboard).flatMap(({ where, expr }) =>
        metricNames(fillMacros(expr, startingValues(dashboard)))
          .filter((metric) => !exported.has(metric))
          .map((metric) => `${name}, ${where}: ${metric}`),
      ),
    );
    expect(unknown).toEqual([]);
  });

  test.each(shippedDashboards())('must have only queries that Prometheus accepts: $name', async ({ dashboard }) => {
    for (const { expr } of queriesOf(dashboard)) {
      await expect(
        query(stack.url('prometheus'), fillMacros(expr, startingValues(dashboard))),
        expr,
      ).resolves.toBeInstanceOf(Array);
    }
  });

  test.each(shippedDashboards())('must have a value for every stat panel at the top: $name', async ({ dashboard }) => {
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
    for (const { name, dashboard } of shippedDashboards()) {
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
});
