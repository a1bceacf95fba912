import { CustomVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { DashboardPlan, Row } from './dashboard.ts';
import { aMinute, events, perMinute, ruleGroupLoad } from './events.ts';
import { ruleOfCell } from './link.ts';
import { bars, failures, graph, type PanelPlan, stat, timeline } from './panels.ts';
import { table } from './table.ts';
import { colour, orangeFrom, orangeThenRed, redFrom, severities, zeroOrOne } from './thresholds.ts';

/** Seconds after which a group counts as stale: the dashboard variable. */
const staleAfter = '$stale_after';

/** Eight indicators in the order of the data flow; a red one shows the stage to check. */
const lights: readonly PanelPlan[] = [
  stat(
    'Stale groups',
    'Pushed groups whose last push is older than "Stale after" above. Red: a source has stopped pushing; see "Time since last push" below.',
    { stale: `count(time() - (push_time_seconds > 0) > ${staleAfter}) or 0 * count(push_time_seconds)` },
    { thresholds: redFrom(1), noValue: 'No pushes', links: [{ dashboard: 'promstack-pushgateway' }] },
  ),
  stat(
    'Rejected pushes',
    'Pushes that the Pushgateway rejected in the last 15 minutes. Red: a source sends invalid metrics; its data is lost.',
    {
      rejected: `sum${events('pushgateway_http_requests_total{handler="push", code=~"[45].."}', '15m')} or 0 * sum(pushgateway_build_info)`,
    },
    {
      decimals: 0,
      thresholds: redFrom(0.5),
      noValue: 'No Pushgateway',
      links: [{ dashboard: 'promstack-pushgateway' }],
    },
  ),
  stat(
    'Targets down',
    'Targets that Prometheus cannot scrape. Red: their metrics are missing, and alerts on them cannot fire.',
    { down: 'count(up == 0) or 0 * count(up)' },
    { thresholds: redFrom(1), links: [{ dashboard: 'promstack-prometheus' }] },
  ),
  stat(
    'Failing rules',
    'Rule groups with a rule that failed in the last 15 minutes. Red: its alerts cannot fire; the Prometheus dashboard names the groups.',
    {
      groups: `count(sum by (rule_group) ${events('prometheus_rule_evaluation_failures_total', '15m')} > 0) or 0 * sum(prometheus_build_info)`,
    },
    { thresholds: redFrom(1), links: [{ dashboard: 'promstack-prometheus' }] },
  ),
  stat(
    'Firing alerts',
    'Alerts that are firing now, of any severity. Orange from 1: they are listed below.',
    { firing: 'count(ALERTS{alertstate="firing"}) or vector(0)' },
    { thresholds: orangeFrom(1), links: [{ panel: 'Firing alerts, oldest first' }] },
  ),
  stat(
    'Undelivered',
    'Notifications that failed and alerts that Prometheus could not send to Alertmanager in the last 15 minutes. Red: somebody was not notified.',
    {
      failed: `(sum${events('alertmanager_notifications_failed_total', '15m')} or vector(0)) + (sum${events('prometheus_notifications_dropped_total', '15m')} or vector(0)) and on () (alertmanager_build_info or prometheus_notifications_alertmanagers_discovered > 0)`,
    },
    {
      decimals: 0,
      thresholds: redFrom(0.5),
      noValue: 'No Alertmanager',
      links: [{ dashboard: 'promstack-alertmanager' }, { dashboard: 'promstack-prometheus' }],
    },
  ),
  stat(
    'Failed reloads',
    'Servers whose last config reload failed. Red: they run an older config; run promstack reload to see why.',
    {
      failed:
        'count(prometheus_config_last_reload_successful == 0 or alertmanager_config_last_reload_successful == 0) or 0 * count(prometheus_config_last_reload_successful)',
    },
    { thresholds: redFrom(1), links: [{ dashboard: 'promstack-prometheus' }, { dashboard: 'promstack-alertmanager' }] },
  ),
  stat(
    'Revision',
    'The stack revision that Prometheus runs. Compare with promstack history. Blue lines in graphs mark changes.',
    { '{{revision}}': 'promstack_revision_info' },
    {
      shows: 'name',
      quiet: true,
      thresholds: [{ value: null, color: colour.info }],
      links: [{ panel: 'Time since last start or reload' }],
    },
  ),
];

/** Two rows, so that no title is cut beside Grafana's open menu. */
const health: readonly Row[] = [
  { heading: 'Health: start at the first red light', height: 3, panels: lights.slice(0, 4) },
  { height: 3, panels: lights.slice(4) },
  {
    height: 7,
    panels: [
      table(
        'Firing alerts, oldest first',
        'A click on a name opens the rule with its runbook.',
        ['time() - ALERTS_FOR_STATE * ignoring (alertstate) ALERTS{alertstate="firing"}'],
        [
          { from: 'alertname', title: 'Alert', width: 300, link: ruleOfCell },
          { from: 'severity', title: 'Severity', width: 100, mappings: severities },
          { from: 'job', title: 'Job' },
          { from: 'instance', title: 'Instance' },
          { from: 'Value', title: 'For', unit: 's', width: 110 },
        ],
        { noValue: 'No alerts', sortBy: { column: 'For', descending: true } },
      ),
    ],
  },
];

/** The whole pipeline on one screen: eight health indicators, then each stage in the order of the data flow. */
export const pipelineOverview: DashboardPlan = {
  uid: 'promstack-overview',
  title: 'Pipeline overview',
  description: 'The whole pipeline on one screen: pushes, scrapes, rule evaluations, alerts and notifications.',
  variables: [
    new CustomVariableBuilder('stale_after')
      .label('Stale after')
      .description('Groups that were not pushed for this long count as stale')
      .values('5 min : 300, 15 min : 900, 1 h : 3600, 6 h : 21600, 1 day : 86400')
      .current({ selected: true, text: '15 min', value: '900' })
      .options([
        { selected: false, text: '5 min', value: '300' },
        { selected: true, text: '15 min', value: '900' },
        { selected: false, text: '1 h', value: '3600' },
        { selected: false, text: '6 h', value: '21600' },
        { selected: false, text: '1 day', value: '86400' },
      ]),
  ],
  rows: [
    ...health,
    {
      heading: '1 · Pushes',
      height: 9,
      panels: [
        graph(
          'Pushes by status code',
          'Push requests per minute by HTTP status code. 200: accepted. 400: invalid metrics.',
          { '{{code}}': perMinute('pushgateway_http_requests_total{handler="push"}', 'code') },
          {
            unit: aMinute,
            stacked: true,
            colours: { '/^2/': colour.ok, '/^4/': colour.critical, '/^5/': colour.critical },
          },
        ),
        bars(
          'Time since last push',
          'Time since the last accepted push, the five oldest groups. Orange from 5 minutes, red and full from 1 hour; a daily job may be red.',
          { '{{job}} {{instance}}': 'topk(5, time() - (push_time_seconds > 0))' },
          { unit: 's', min: 0, max: 3600, decimals: 0, thresholds: orangeThenRed(300, 3600), noValue: 'No pushes' },
        ),
        graph(
          'Groups by job',
          'Pushed groups by job. The Pushgateway keeps groups until they are deleted: steady growth is a grouping label with too many values.',
          { '{{job}}': 'count by (job) (push_time_seconds)' },
          { stacked: true, decimals: 0 },
        ),
      ],
    },
    {
      heading: '2 · Scrapes',
      height: 9,
      panels: [
        timeline(
          'Target state',
          'Whether each target could be scraped: up (green) or down (red).',
          { '{{job}} {{instance}}': 'min by (job, instance) (up)' },
          zeroOrOne('Down', 'Up'),
        ),
        graph(
          'Scrape duration',
          'The slowest target of each job. Scrapes that take longer than the timeout (default 10 s) fail.',
          { '{{job}}': 'max by (job) (scrape_duration_seconds)' },
          { unit: 's' },
        ),
      ],
    },
    {
      heading: '3 · Rules',
      height: 9,
      panels: [
        graph(
          'Rule group duration / interval',
          'Duration of evaluations as a ratio of the interval, of the three slowest groups. At 100% evaluations are skipped and alerts are late.',
          { '{{group}}': ruleGroupLoad },
          { unit: 'percentunit', thresholds: orangeThenRed(0.5, 1) },
        ),
        failures(
          'Failed and skipped evaluations',
          'Should be empty. Failed: an error in a rule. Skipped: a group takes longer than its interval.',
          {
            failed: 'prometheus_rule_evaluation_failures_total',
            skipped: 'prometheus_rule_group_iterations_missed_total',
          },
          { colours: { failed: colour.critical, skipped: colour.warning } },
        ),
        graph(
          'Alerts by state',
          'Alerts are pending for the duration of "for" in the rule, then firing.',
          { '{{alertstate}}': 'count by (alertstate) (ALERTS)' },
          {
            stacked: true,
            decimals: 0,
            colours: { firing: colour.critical, pending: colour.warning },
            noValue: 'No alerts',
          },
        ),
      ],
    },
    {
      heading: '4 · Notifications',
      height: 9,
      panels: [
        graph(
          'Alerts in Alertmanager by state',
          'Suppressed alerts are silenced or inhibited: no notifications are sent.',
          { '{{state}}': 'sum by (state) (alertmanager_alerts)' },
          {
            stacked: true,
            decimals: 0,
            colours: { active: colour.critical, suppressed: 'purple', unprocessed: colour.warning },
          },
        ),
        graph(
          'Notifications by integration',
          'Notifications per minute. Integrations that never sent any are not shown.',
          {
            '{{integration}}': `${perMinute('alertmanager_notifications_total', 'integration')} and on (integration) sum by (integration) (alertmanager_notifications_total) > 0`,
          },
          { unit: aMinute, noValue: 'No notifications' },
        ),
        failures(
          'Failed notifications',
          'Should be empty. Notifications that failed after all retries; the Alertmanager log has the receiver.',
          { '{{integration}}: {{reason}}': 'alertmanager_notifications_failed_total' },
        ),
      ],
    },
    {
      heading: 'Recent changes',
      height: 4,
      panels: [
        stat(
          'Time since last start or reload',
          'Time since each server started or loaded its config. Compare the smallest value with the start of an incident.',
          {
            'Prometheus config': 'time() - max(prometheus_config_last_reload_success_timestamp_seconds)',
            'Alertmanager config': 'time() - max(alertmanager_config_last_reload_success_timestamp_seconds)',
            'Pushgateway start':
              'time() - max(process_start_time_seconds and on (job, instance) pushgateway_build_info)',
            'Prometheus start': 'time() - max(process_start_time_seconds and on (job, instance) prometheus_build_info)',
          },
          { unit: 's', decimals: 0, quiet: true },
        ),
      ],
    },
  ],
};
