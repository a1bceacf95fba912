import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumVersion, withPage } from '../../scripts/dev/chromium.ts';
import { openDashboard } from '../../scripts/dev/dashboard-page.ts';
import { isOptional, shippedDashboards } from '../../scripts/dev/dashboards/index.ts';
import { packageRoot } from '../../scripts/util/package-root.ts';
import { faultsOf } from '../support/dashboard-faults.ts';
import { eventually } from '../support/eventually.ts';
import { imageToRun } from '../support/grafana-real-image.ts';
import { type GrafanaStack, grafanaStack } from '../support/grafana-stack.ts';
import { query } from '../support/servers.ts';

// The shipped dashboards in a browser, on a stack where something is wrong at every stage of the pipeline.

const broken = {
  anonymous: 'viewer',
  dashboards: ['demo.json', 'empty.json'],
};
const others = {
  prometheus: {
    scrape_interval: '1s',
    evaluation_interval: '1s',
    rules: ['rules.yml'],
    scrape_configs: [{ job_name: 'dead', static_configs: [{ targets: ['127.0.0.1:1'] }] }],
  },
  alertmanager: {
    receivers: [{ name: 'failing', webhook_configs: [{ url: 'http://127.0.0.1:1/' }] }],
    route: { receiver: 'failing', group_wait: '1s', group_interval: '2s' },
  },
  sink: { enabled: false },
  traffic: { enabled: true },
};
const rules = `
groups:
  - name: wrong
    rules:
      - {alert: AlwaysFiring, expr: vector(1), labels: {severity: warning}, annotations: {summary: Always}}
      - {record: failing, expr: up * on (nothing) up}
`;

/** The lights that must not be green, by dashboard; the others at the top must not be red. */
const expected: Readonly<Record<string, Readonly<Record<string, 'red' | 'orange'>>>> = {
  'pipeline-overview': {
    'Rejected pushes': 'red',
    'Targets down': 'red',
    'Failing rules': 'red',
    'Firing alerts': 'orange',
    Undelivered: 'red',
  },
  pushgateway: { 'Rejected pushes': 'red' },
  prometheus: { 'Targets up': 'red', 'Failing rules': 'red' },
  alertmanager: { Undelivered: 'red', Active: 'orange' },
  demo: {},
};

describe('in a browser', () => {
  let stack: GrafanaStack | undefined;
  let whyNot = '';

  beforeAll(async () => {
    const image = await imageToRun();
    if ('whyNot' in image) whyNot = image.whyNot;
    else if ((await chromiumVersion()) === undefined) whyNot = 'there is no chromium on this host';
    if ('whyNot' in image || whyNot !== '') return;
    stack = await grafanaStack(image.reference);
    const { folder } = stack;
    const demo = 'stack/demo/templates/grafana/dashboards/promstack/demo.json';
    const text = readFileSync(join(packageRoot(), demo), 'utf8');
    await folder.write('demo.json', text);
    const empty = text
      .replaceAll(/"expr": ".*"/g, '"expr": "nothing_has_this_name"')
      .replace('"title": "Demo"', '"title": "Empty"');
    await folder.write('empty.json', empty.replace('"uid": "promstack-demo"', '"uid": "empty"'));
    await folder.write('rules.yml', rules);
    await stack.configure(broken, others);
    await stack.fine('up');
    const rejected = await fetch(folder.url('pushgateway', '/metrics/job/bad'), {
      method: 'POST',
      body: 'not metrics',
    });
    expect(rejected.status).toBe(400);
    await eventually(async () => {
      for (const expr of ['alertmanager_notifications_failed_total > 0', 'pushgateway_http_requests_total{code="400"}'])
        expect(await query(folder.url('prometheus'), expr), expr).not.toEqual([]);
    }, 90_000);
  }, 600_000);

  afterAll(() => stack?.[Symbol.asyncDispose]());

  test.for(shippedDashboards().filter((shipped) => !isOptional(shipped)))(
    '$name must show what is wrong at 1366, 1600 and 400 pixels, and nothing cut',
    { timeout: 180_000 },
    async ({ name, dashboard }, context) => {
      if (stack === undefined) return context.skip(whyNot);
      const { folder } = stack;
      await withPage(async (page) => {
        for (const width of [1366, 1600, 400]) {
          const panels = await openDashboard(page, folder.url('grafana', `/d/${dashboard.uid}`), width);
          expect(panels.length, 'panels').toBe((dashboard.panels ?? []).filter(({ type }) => type !== 'row').length);
          expect(faultsOf(panels, width >= 1366), `${width} pixels`).toEqual([]);
          const lights = panels.filter(({ colour }) => colour === 'red' || colour === 'orange');
          const wrong = Object.fromEntries(lights.map(({ title, colour }) => [title, colour]));
          // The demo degrades an array, and its requests and script fail for a while.
          if (name !== 'demo') expect(wrong, `${width} pixels`).toEqual(expected[name]);
        }
      });
    },
  );

  test('lights without data must be grey', { timeout: 90_000 }, async (context) => {
    if (stack === undefined) return context.skip(whyNot);
    const url = stack.folder.url('grafana', '/d/empty');
    const panels = await withPage((page) => openDashboard(page, url, 1366));
    expect(panels.slice(0, 4).map(({ colour }) => colour)).toEqual(['grey', 'grey', 'grey', 'grey']);
  });
});
