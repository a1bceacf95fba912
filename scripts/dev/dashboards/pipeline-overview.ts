import { CustomVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { DashboardPlan, Row } from './dashboard.ts';
import { bars, failures, graph, stat, timeline } from './panels.ts';
import { table } from './table.ts';
import { colour, orangeFrom, orangeThenRed, redFrom, severities, textFor, zeroOrOne } from './thresholds.ts';

/** Seconds after which a group counts as stale: the dashboard variable. */
const staleAfter = '$stale_after';

/** Eight indicators in the order of the data flow; a red one shows the stage to check. */
const health: Row = {
  heading: 'Health (start with the first red panel from the left)',
  height: 4,
  panels: [
    stat(
      'Stale groups',
      'Pushed groups whose last push is older than "Stale after" above. Red: a source has stopped pushing; see "Time since last push" below.',
      { stale: `count(time() - push_time_seconds > ${staleAfter}) or 0 * count(push_time_seconds)` },
      { thresholds: redFrom(1), noValue: 'No pushes' },
    ),
    stat(
      'Rejected pushes',
      'Pushes that the Pushgateway rejected in the last 15 minutes. Red: a source sends invalid metrics; its data is lost.',
      {
        rejected:
          'sum(increase(pushgateway_http_requests_total{handler="push", code=~"[45].."}[15m])) or 0 * sum(pushgateway_build_info)',
      },
      { decimals: 0, thresholds: redFrom(0.5) },
    ),
    stat(
      'Targets down',
      'Targets that Prometheus cannot scrape. Red: their metrics are missing, and alerts on them cannot fire.',
      { down: 'count(up == 0) or 0 * count(up)' },
      { thresholds: redFrom(1) },
    ),
    stat(
      'Rule failures',
      'Rule evaluations that failed in the last 15 minutes. Red: their alerts cannot fire; the Prometheus log has the reason.',
      { failed: 'sum(increase(prometheus_rule_evaluation_failures_total[15m]))' },
      { decimals: 0, thresholds: redFrom(0.5) },
    ),
    stat(
      'Firing alerts',
      'Alerts that are firing now, of any severity. Orange from 1: see the table at the bottom.',
      { firing: 'count(ALERTS{alertstate="firing"}) or vector(0)' },
      { thresholds: orangeFrom(1) },
    ),
    stat(
      'Failed notifications',
      'Notifications that failed and alerts that Prometheus could not send to Alertmanager in the last 15 minutes. Red: somebody was not notified.',
      {
        failed:
          '(sum(increase(alertmanager_notifications_failed_total[15m])) or vector(0)) + sum(increase(prometheus_notifications_dropped_total[15m]))',
      },
      { decimals: 0, thresholds: redFrom(0.5) },
    ),
    stat(
      'Failed reloads',
      'Servers whose last config reload failed. Red: they run an older config; run promstack reload to see why.',
      {
        failed:
          'count(prometheus_config_last_reload_successful == 0 or alertmanager_config_last_reload_successful == 0) or 0 * count(prometheus_config_last_reload_successful)',
      },
      { thresholds: redFrom(1), mappings: [textFor(0, 'None', colour.ok)] },
    ),
    stat(
      'Revision',
      'The stack revision that Prometheus runs. Compare with promstack history. Blue lines in graphs mark changes.',
      { '{{revision}}': 'promstack_revision_info' },
      { shows: 'name', quiet: true, thresholds: [{ value: null, color: colour.info }] },
    ),
  ],
};

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
    health,
    {
      heading: '1 · Pushes',
      height: 8,
      panels: [
        graph(
          'Pushes by status code',
          'Push requests per second by HTTP status code. 200: accepted. 400: invalid metrics.',
          { '{{code}}': 'sum by (code) (rate(pushgateway_http_requests_total{handler="push"}[$__rate_interval]))' },
          {
            unit: 'reqps',
            stacked: true,
            colours: { '/^2/': colour.ok, '/^4/': colour.critical, '/^5/': colour.critical },
          },
        ),
        bars(
          'Time since last push',
          'Time since the last push, the ten oldest groups. Orange from 5 minutes, red from 1 hour; a daily job may be red.',
          { '{{job}} {{instance}}': 'topk(10, time() - push_time_seconds)' },
          { unit: 's', min: 0, decimals: 0, thresholds: orangeThenRed(300, 3600), noValue: 'No pushes' },
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
      height: 8,
      panels: [
        timeline(
          'Target state',
          'Whether each target could be scraped: up (green) or down (red).',
          { '{{job}} {{instance}}': 'min by (job, instance) (up)' },
          { width: 12, ...zeroOrOne('Down', 'Up') },
        ),
        graph(
          'Scrape duration',
          'The slowest target of each job. Scrapes that take longer than the timeout (default 10 s) fail.',
          { '{{job}}': 'max by (job) (scrape_duration_seconds)' },
          { width: 6, unit: 's' },
        ),
        graph(
          'Samples per scrape',
          'Scraped samples by job. A sudden rise means a label with too many values; a drop means missing sources.',
          { '{{job}}': 'sum by (job) (scrape_samples_scraped)' },
          { width: 6 },
        ),
      ],
    },
    {
      heading: '3 · Rules',
      height: 8,
      panels: [
        graph(
          'Rule group duration / interval',
          'Duration of the last evaluation as a ratio of the interval. At 100% evaluations are skipped and alerts are late.',
          {
            '{{rule_group}}':
              'topk(10, prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds)',
          },
          { unit: 'percentunit', thresholds: orangeThenRed(0.5, 1), thresholdLines: true },
        ),
        graph(
          'Failed and skipped evaluations',
          'Should be empty. Failed: an error in a rule. Skipped: a group takes longer than its interval.',
          {
            failed: 'sum(increase(prometheus_rule_evaluation_failures_total[$__rate_interval]))',
            skipped: 'sum(increase(prometheus_rule_group_iterations_missed_total[$__rate_interval]))',
          },
          { bars: true, colours: { failed: colour.critical, skipped: colour.warning } },
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
      height: 8,
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
          'Notifications per second. Integrations that never sent any are not shown.',
          {
            '{{integration}}':
              'sum by (integration) (rate(alertmanager_notifications_total[$__rate_interval])) and on (integration) sum by (integration) (alertmanager_notifications_total) > 0',
          },
          { unit: 'ops', noValue: 'No notifications' },
        ),
        failures(
          'Failed notifications',
          'Should be empty. Notifications that failed after all retries; the Alertmanager log has the receiver.',
          {
            '{{integration}}: {{reason}}':
              'sum by (integration, reason) (increase(alertmanager_notifications_failed_total[$__rate_interval])) > 0',
          },
          { noValue: 'No failures' },
        ),
      ],
    },
    {
      heading: 'Firing alerts and recent changes',
      height: 8,
      panels: [
        table(
          'Firing alerts',
          'All firing alerts, oldest first.',
          ['time() - ALERTS_FOR_STATE * ignoring (alertstate) ALERTS{alertstate="firing"}'],
          [
            { from: 'alertname', title: 'Alert' },
            { from: 'severity', title: 'Severity', width: 110, mappings: severities },
            { from: 'job', title: 'Job' },
            { from: 'instance', title: 'Instance' },
            { from: 'Value', title: 'Duration', unit: 's', width: 130 },
          ],
          { width: 15, noValue: 'No alerts', sortBy: { column: 'Duration', descending: true } },
        ),
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
          { width: 9, unit: 's', decimals: 0, quiet: true },
        ),
      ],
    },
  ],
};
