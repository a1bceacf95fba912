import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isOptional, shippedDashboards } from '../../../scripts/dev/dashboards/index.ts';
import { fillMacros, panelsOf, startingValues } from '../../support/dashboard-queries.ts';
import { eventCounters, exporterRuleFiles, shippedAlerts } from '../../support/shipped.ts';
import { openTools, type Tools } from '../../support/tools.ts';

// A counter may be scraped for the first time with its first event, as the Pushgateway's counter of a status code.
// increase() and rate() see no event in it, and nothing would ever show the first one.

/** Values at steps of 15 s, by series; the event is at 20m15s. */
type Series = Readonly<Record<string, string>>;

const born = '_x81 1x40';
const rises = '0x80 1x40';
const falls = '1x80 0x40';
const steady = '1x121';

/** The first event of what each light is about. */
const firstEvents: Readonly<Record<string, Series>> = {
  'pipeline-overview: Stale groups': { 'push_time_seconds{job="a"}': '310x121' },
  'pipeline-overview: Rejected pushes': {
    'pushgateway_http_requests_total{job="j", instance="i", handler="push", method="post", code="400"}': born,
  },
  'pipeline-overview: Targets down': { 'up{job="a"}': falls, 'up{job="b"}': steady },
  'pipeline-overview: Failing rules': {
    'prometheus_rule_evaluation_failures_total{job="j", instance="i", rule_group="/a.yml;a"}': born,
  },
  'pipeline-overview: Firing alerts': { 'ALERTS{alertname="A", alertstate="firing"}': born },
  'pipeline-overview: Undelivered': {
    'alertmanager_notifications_failed_total{job="j", instance="i", integration="webhook"}': born,
  },
  'pipeline-overview: Failed reloads': { 'prometheus_config_last_reload_successful{job="j"}': falls },
  'prometheus: Targets up': { 'up{job="a"}': falls, 'up{job="b"}': steady },
  'prometheus: Config': { 'prometheus_config_last_reload_successful{job="j"}': falls },
  'prometheus: Failing rules': {
    'prometheus_rule_evaluation_failures_total{job="j", instance="i", rule_group="/a.yml;a"}': born,
  },
  'alertmanager: Undelivered': {
    'alertmanager_notifications_failed_total{job="j", instance="i", integration="webhook"}': born,
  },
  'alertmanager: Config': { 'alertmanager_config_last_reload_successful{job="j"}': falls },
  'alertmanager: Active': { 'alertmanager_alerts{job="j", state="active"}': rises },
  'pushgateway: Failed last push': {
    'push_time_seconds{job="a"}': '60x121',
    'push_failure_time_seconds{job="a"}': '0x80 1215x40',
  },
  'pushgateway: Rejected pushes': {
    'pushgateway_http_requests_total{job="j", instance="i", handler="push", method="post", code="400"}': born,
  },
  'demo: Degraded arrays': { 'raid_status{array="a"}': falls },
  'demo: Error ratio': {
    'http_request_total{path="/pay", code="200"}': '0+1x121',
    'http_request_total{path="/pay", code="500"}': born,
  },
  'demo: Script errors': { 'request_error_number{job="a"}': '0x80 50x40' },
  'demo: Last push': { 'push_time_seconds{job="a"}': '0+15x76 1140x80' },
};

/** What every scraped process has: one that has been scraped since it started, at 0. */
const process: Series = { 'process_start_time_seconds{job="j", instance="i"}': '0x121', ...builds(steady) };
/** The same of a process that started with the event, and of one that is old but was not scraped before. */
const young: Series = { 'process_start_time_seconds{job="j", instance="i"}': '_x81 1210x40', ...builds(born) };
const unknown: Series = { 'process_start_time_seconds{job="j", instance="i"}': '_x81 -90000x40', ...builds(born) };

function builds(values: string): Series {
  const servers = ['prometheus', 'alertmanager', 'pushgateway'];
  return Object.fromEntries(servers.map((server) => [`${server}_build_info{job="j", instance="i"}`, values]));
}

const ownAlerts = shippedAlerts.filter(({ file }) => !exporterRuleFiles.includes(file));
const dashboards = shippedDashboards().filter((shipped) => !isOptional(shipped));

/** Panels whose colour means that something is wrong. */
const lights = dashboards.flatMap(({ name, dashboard }) =>
  panelsOf(dashboard)
    .filter(({ type, fieldConfig }) => type === 'stat' && (fieldConfig?.defaults.thresholds?.steps.length ?? 0) > 1)
    .map((panel) => ({
      light: `${name}: ${panel.title}`,
      isWrong: isWrong(panel, startingValues(dashboard)),
    })),
);

/** An expression that is 1 while a panel is not green. */
function isWrong({ targets = [], fieldConfig }: Panel, variables: Readonly<Record<string, string>>): string {
  const [first, second] = fieldConfig?.defaults.thresholds?.steps ?? [];
  const comparison = first?.color === 'green' ? '>=' : '<';
  const { expr = '' } = targets[0] as { expr?: string };
  return `((${fillMacros(expr, variables)}) ${comparison} bool ${second?.value}) or vector(0)`;
}

let tools: Tools;
beforeAll(async () => {
  tools = await openTools({ service: 'prometheus' });
});
afterAll(() => tools?.[Symbol.asyncDispose]());

/** Expects values of an expression, by time. */
async function expectValues(expr: string, series: Series, values: Readonly<Record<string, number>>): Promise<void> {
  const test = {
    evaluation_interval: '15s',
    tests: [
      {
        interval: '15s',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: Object.entries(values).map(([time, value]) => ({
          expr,
          eval_time: time,
          exp_samples: [{ labels: '{}', value }],
        })),
      },
    ],
  };
  const script = 'printf %s "$1" > /files/test.yml && promtool test rules /files/test.yml';
  const { exitCode, stdout, stderr } = await tools.run('/bin/busybox', 'sh', '-c', script, 'sh', JSON.stringify(test));
  expect(exitCode, `${expr}\n${stdout}${stderr}`).toBe(0);
}

describe('a light', () => {
  it('must each have its first event in this test', () => {
    expect(lights.map(({ light }) => light).sort()).toEqual(Object.keys(firstEvents).sort());
  });

  it.each(lights)('must turn at the first event: $light', async ({ light, isWrong }) => {
    await expectValues(isWrong, { ...process, ...firstEvents[light] }, { '19m': 0, '21m': 1 });
  });

  const counting = lights.filter(({ light }) => Object.values(firstEvents[light] ?? {}).includes(born));
  const ofProcesses = counting.filter(({ isWrong }) => isWrong.includes('process_start_time_seconds'));

  it.each(ofProcesses)('must turn at an event in the first seconds of a server: $light', async ({ light, isWrong }) => {
    await expectValues(isWrong, { ...young, ...firstEvents[light] }, { '19m': 0, '21m': 1 });
  });

  it.each(ofProcesses)(
    'must not turn for events from before a downtime of Prometheus: $light',
    async ({ light, isWrong }) => {
      await expectValues(isWrong, { ...unknown, ...firstEvents[light] }, { '19m': 0, '21m': 0 });
    },
  );
});

/** Alerts that a single event in a window makes fire: the condition holds for longer than `for`. */
const alertsOfEvents = ownAlerts.flatMap((rule) => {
  const counters = eventCounters(rule);
  if (counters.length === 0) return [];
  // The parts of a ratio only make sense together.
  const together = /\)\s*\/\s*\(/.test(rule.expr) ? [counters] : counters.map((counter) => [counter]);
  return together.map((some) => ({
    name: `${rule.alert} (${some.map(({ metric }) => metric).join(' / ')})`,
    alert: rule.alert,
    firing: `(count(${rule.expr}) > bool 0) or vector(0)`,
    series: Object.fromEntries(some.map(({ metric, labels }) => [`${metric}{${sampleOf(labels)}}`, born])),
    start: `process_start_time_seconds{job="${labelOf(some, 'job')}", instance="i"}`,
  }));
});

/** The same of exporters, which export their counters before the first event: exporters.test.ts holds that. */
const alertsOfExporters = shippedAlerts
  .filter(({ file }) => exporterRuleFiles.includes(file))
  .flatMap((rule) => {
    const counters = eventCounters(rule);
    if (counters.length === 0) return [];
    const series = counters.map(({ metric, labels }) => [`${metric}{${sampleOf(labels)}}`, rises]);
    const firing = `(count(${rule.expr}) > bool 0) or vector(0)`;
    return [{ name: rule.alert, firing, series: Object.fromEntries(series) as Series }];
  });

/** Exported as 0 when their process starts, before anything can happen to them, so old processes cannot have a new one. */
const bornWithTheirProcess = new Set(['PrometheusWalCorrupted']);

/** A value for each matcher of a counter. */
function sampleOf(
  labels: readonly { readonly label: string; readonly operator: string; readonly value: string }[],
): string {
  const samples = labels.map(({ label, operator, value }) => {
    if (operator === '=') return `${label}="${value}"`;
    return `${label}="${operator === '=~' ? (value.split('|')[0] ?? '').replaceAll('.', '0') : 'something'}"`;
  });
  return [...samples, 'instance="i"'].join(', ');
}

function labelOf(counters: ReturnType<typeof eventCounters>, label: string): string {
  return counters[0]?.labels.find((matcher) => matcher.label === label)?.value ?? '';
}

describe('an alert', () => {
  it.each(alertsOfExporters)(
    'must fire at the first event that an exporter counts: $name',
    async ({ firing, series }) => {
      await expectValues(firing, series, { '19m': 0, '21m': 1 });
    },
  );

  it('must be found for every kind of event', () => {
    expect(new Set(alertsOfEvents.map(({ alert }) => alert)).size).toBeGreaterThanOrEqual(8);
  });

  it.each(alertsOfEvents.filter(({ alert }) => !bornWithTheirProcess.has(alert)))(
    'must fire at the first event: $name',
    async ({ firing, series, start }) => {
      await expectValues(firing, { [start]: '0x121', ...series }, { '19m': 0, '21m': 1 });
    },
  );

  it.each(alertsOfEvents)(
    'must fire at an event in the first seconds of a server: $name',
    async ({ firing, series, start }) => {
      await expectValues(firing, { [start]: '_x81 1210x40', ...series }, { '19m': 0, '21m': 1 });
    },
  );

  it.each(alertsOfEvents)(
    'must not fire for events from before a downtime of Prometheus: $name',
    async ({ firing, series, start }) => {
      await expectValues(firing, { [start]: '_x81 -90000x40', ...series }, { '19m': 0, '21m': 0 });
    },
  );
});
