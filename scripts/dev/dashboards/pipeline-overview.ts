import { CustomVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { DashboardPlan, Row } from './dashboard.ts';
import { bars, failures, graph, stat, timeline } from './panels.ts';
import { table } from './table.ts';
import { colour, orangeFrom, orangeThenRed, redFrom, severities, textFor, zeroOrOne } from './thresholds.ts';

/** Age in seconds from which a source counts as silent, as the variable of the page. */
const silentAfter = '$silent_after';

/** Eight numbers in the order of the data's way; each red one says at which stage to look. */
const lights: Row = {
  heading: 'Is it well? Read from left to right: the first red light is where to look',
  height: 4,
  panels: [
    stat(
      'Silent sources',
      'Pushed groups whose last push is older than the time chosen above. Red: a job that should push does not; the bars below name it.',
      { silent: `count(time() - push_time_seconds > ${silentAfter}) or 0 * count(push_time_seconds)` },
      { thresholds: redFrom(1), noValue: 'nothing pushed' },
    ),
    stat(
      'Rejected pushes',
      'Pushes the Pushgateway answered with an error in the last 15 minutes. Red: a source sends what cannot be read; its data is lost.',
      {
        rejected:
          'sum(increase(pushgateway_http_requests_total{handler="push", code=~"[45].."}[15m])) or 0 * sum(pushgateway_build_info)',
      },
      { decimals: 0, thresholds: redFrom(0.5) },
    ),
    stat(
      'Targets down',
      'Targets Prometheus cannot scrape. Red: what they measure is not known, and alerts on it cannot fire.',
      { down: 'count(up == 0) or 0 * count(up)' },
      { thresholds: redFrom(1) },
    ),
    stat(
      'Failed rules',
      'Rule evaluations that failed in the last 15 minutes. Red: an alert that should fire may stay silent; the log of Prometheus has the reason.',
      { failed: 'sum(increase(prometheus_rule_evaluation_failures_total[15m]))' },
      { decimals: 0, thresholds: redFrom(0.5) },
    ),
    stat(
      'Alerts firing',
      'Alerts that fire now, whatever their severity. Orange asks to look: the table at the foot of the page names them.',
      { firing: 'count(ALERTS{alertstate="firing"}) or vector(0)' },
      { thresholds: orangeFrom(1) },
    ),
    stat(
      'Undelivered',
      'Notifications no receiver took in the last 15 minutes, and alerts Prometheus could not hand to Alertmanager. Red: somebody was not told.',
      {
        lost: '(sum(increase(alertmanager_notifications_failed_total[15m])) or vector(0)) + sum(increase(prometheus_notifications_dropped_total[15m]))',
      },
      { decimals: 0, thresholds: redFrom(0.5) },
    ),
    stat(
      'Refused reloads',
      'Servers whose last reload was refused. Red: they run an older config than the files say; run promstack reload to see why.',
      {
        refused:
          'count(prometheus_config_last_reload_successful == 0 or alertmanager_config_last_reload_successful == 0) or 0 * count(prometheus_config_last_reload_successful)',
      },
      { thresholds: redFrom(1), mappings: [textFor(0, 'none', colour.ok)] },
    ),
    stat(
      'Revision',
      'The revision of the stack that Prometheus runs. Compare with promstack history; changes are marked in blue in every graph.',
      { '{{revision}}': 'promstack_revision_info' },
      { shows: 'name', quiet: true, thresholds: [{ value: null, color: colour.info }] },
    ),
  ],
};

/** The whole way of the data on one screen: eight lights, then each stage in the order the data takes. */
export const pipelineOverview: DashboardPlan = {
  uid: 'promstack-overview',
  title: 'Pipeline overview',
  description:
    'The way of the data on one screen: what sources push, what Prometheus scrapes and evaluates, what Alertmanager sends.',
  variables: [
    new CustomVariableBuilder('silent_after')
      .label('Silent after')
      .description('A source that has not pushed for so long counts as silent')
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
    lights,
    {
      heading: '1 · Sources push',
      height: 8,
      panels: [
        graph(
          'Pushes by answer',
          'Requests to push per second, by the status the Pushgateway answered. 200 is a push that was taken; 400 is one that could not be read.',
          { '{{code}}': 'sum by (code) (rate(pushgateway_http_requests_total{handler="push"}[$__rate_interval]))' },
          {
            unit: 'reqps',
            stacked: true,
            colours: { '/^2/': colour.ok, '/^4/': colour.critical, '/^5/': colour.critical },
          },
        ),
        bars(
          'Longest silence',
          'Time since the last push of the ten groups that have been silent longest. Orange from 5 minutes, red from an hour; a nightly job may well be red until night.',
          { '{{job}} {{instance}}': 'topk(10, time() - push_time_seconds)' },
          { unit: 's', min: 0, decimals: 0, thresholds: orangeThenRed(300, 3600), noValue: 'nothing pushed' },
        ),
        graph(
          'Groups held',
          'Pushed groups by job. The Pushgateway forgets nothing by itself: a line that only rises is a source that pushes under ever new names.',
          { '{{job}}': 'count by (job) (push_time_seconds)' },
          { stacked: true, decimals: 0 },
        ),
      ],
    },
    {
      heading: '2 · Prometheus scrapes',
      height: 8,
      panels: [
        timeline(
          'Targets up',
          'When each target could be scraped (green) and when not (red).',
          { '{{job}} {{instance}}': 'min by (job, instance) (up)' },
          { width: 12, ...zeroOrOne('down', 'up') },
        ),
        graph(
          'Scrape duration',
          'The slowest target of each job. A scrape that takes as long as the timeout (10 s unless set otherwise) fails.',
          { '{{job}}': 'max by (job) (scrape_duration_seconds)' },
          { width: 6, unit: 's' },
        ),
        graph(
          'Samples per scrape',
          'What each job brings in. A sudden rise is a label with too many values; a fall is a source that went silent.',
          { '{{job}}': 'sum by (job) (scrape_samples_scraped)' },
          { width: 6 },
        ),
      ],
    },
    {
      heading: '3 · Prometheus evaluates',
      height: 8,
      panels: [
        graph(
          'Rule groups: share of their interval used',
          'Time the last evaluation took, as a part of the interval. At 100% evaluations are skipped, and alerts come late.',
          {
            '{{rule_group}}':
              'topk(10, prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds)',
          },
          { unit: 'percentunit', thresholds: orangeThenRed(0.5, 1), thresholdLines: true },
        ),
        graph(
          'Failed and missed evaluations',
          'Should be empty. Failed: a rule is wrong for the data. Missed: a group takes longer than its interval.',
          {
            failed: 'sum(increase(prometheus_rule_evaluation_failures_total[$__rate_interval]))',
            missed: 'sum(increase(prometheus_rule_group_iterations_missed_total[$__rate_interval]))',
          },
          { bars: true, colours: { failed: colour.critical, missed: colour.warning } },
        ),
        graph(
          'Alerts by state',
          'Alerts whose condition holds: pending until their "for" is over, then firing.',
          { '{{alertstate}}': 'count by (alertstate) (ALERTS)' },
          {
            stacked: true,
            decimals: 0,
            colours: { firing: colour.critical, pending: colour.warning },
            noValue: 'no alert is pending or firing',
          },
        ),
      ],
    },
    {
      heading: '4 · Alertmanager tells the receivers',
      height: 8,
      panels: [
        graph(
          'Alerts held',
          'Alerts in Alertmanager, by state. Suppressed ones are silenced or inhibited: they send no notifications.',
          { '{{state}}': 'sum by (state) (alertmanager_alerts)' },
          {
            stacked: true,
            decimals: 0,
            colours: { active: colour.critical, suppressed: 'purple', unprocessed: colour.warning },
          },
        ),
        graph(
          'Notifications by kind of receiver',
          'Notifications per second that Alertmanager set out to send; kinds that never sent any are left out.',
          {
            '{{integration}}':
              'sum by (integration) (rate(alertmanager_notifications_total[$__rate_interval])) and on (integration) sum by (integration) (alertmanager_notifications_total) > 0',
          },
          { unit: 'ops', noValue: 'none sent yet' },
        ),
        failures(
          'Failed notifications',
          'Should be empty. Notifications given up after all retries, by kind of receiver and reason; the log of Alertmanager names the receiver.',
          {
            '{{integration}}: {{reason}}':
              'sum by (integration, reason) (increase(alertmanager_notifications_failed_total[$__rate_interval])) > 0',
          },
          { noValue: 'none failed' },
        ),
      ],
    },
    {
      heading: 'What fires, and what changed',
      height: 8,
      panels: [
        table(
          'Firing alerts',
          'Every alert that fires now, the longest first.',
          ['time() - ALERTS_FOR_STATE * ignoring (alertstate) ALERTS{alertstate="firing"}'],
          [
            { from: 'alertname', title: 'Alert' },
            { from: 'severity', title: 'Severity', width: 110, mappings: severities },
            { from: 'job', title: 'Job' },
            { from: 'instance', title: 'Instance' },
            { from: 'Value', title: 'For', unit: 's', width: 130 },
          ],
          { width: 15, noValue: 'no alert fires', sortBy: { column: 'For', descending: true } },
        ),
        stat(
          'Time since the last start or reload',
          'How long each server has run with the config it has. The smallest number is the last change: compare it with when the trouble began.',
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
