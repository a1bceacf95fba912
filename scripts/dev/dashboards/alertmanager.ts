import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { cpu, failures, graph, memory, stat } from './panels.ts';
import { colour, orangeFrom, redFrom, zeroOrOne } from './thresholds.ts';

const selected = 'integration=~"$integration"';
/** Filters out integrations that never sent a notification. */
const usedOnly = `and on (integration) sum by (integration) (alertmanager_notifications_total{${selected}}) > 0`;

/** Alerts, notifications, failures and silences. */
export const alertmanager: DashboardPlan = {
  uid: 'promstack-alertmanager',
  title: 'Alertmanager',
  description: 'Alerts, notifications, failures and silences.',
  variables: [
    labelVariable({
      name: 'integration',
      label: 'Integration',
      description: 'Integrations to show, such as slack or webhook',
      metric: 'alertmanager_notifications_total',
      from: 'integration',
    }),
  ],
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        stat(
          'Failed notifications (15 min)',
          'Notifications that failed after all retries. Red: somebody was not notified; the log has the receiver and the reason.',
          { failed: `sum(increase(alertmanager_notifications_failed_total{${selected}}[15m]))` },
          { width: 5, decimals: 0, thresholds: redFrom(0.5) },
        ),
        stat(
          'Config',
          'Red: the last reload failed and the previous config is still running. Run promstack reload.',
          { config: 'min(alertmanager_config_last_reload_successful)' },
          { width: 5, ...zeroOrOne('Failed', 'OK') },
        ),
        stat(
          'Active alerts',
          'Alerts that are neither silenced nor inhibited.',
          { active: 'sum(alertmanager_alerts{state="active"})' },
          { width: 5, sparkline: true, thresholds: orangeFrom(1) },
        ),
        stat(
          'Suppressed alerts',
          'Alerts that are silenced or inhibited: no notifications are sent.',
          { suppressed: 'sum(alertmanager_alerts{state="suppressed"})' },
          { width: 5, quiet: true, sparkline: true },
        ),
        stat(
          'Active silences',
          'Silences in effect. A forgotten silence hides the next outage.',
          { silences: 'sum(alertmanager_silences{state="active"})' },
          { width: 4, quiet: true },
        ),
      ],
    },
    {
      heading: 'Alerts',
      height: 8,
      panels: [
        graph(
          'Alerts by state',
          'Active: receivers are notified. Suppressed: silenced or inhibited. Unprocessed: not routed yet, should be 0.',
          { '{{state}}': 'sum by (state) (alertmanager_alerts)' },
          {
            stacked: true,
            decimals: 0,
            colours: { active: colour.critical, suppressed: 'purple', unprocessed: colour.warning },
          },
        ),
        graph(
          'Alerts received',
          'Alerts from Prometheus per second. Firing alerts are sent again about every minute.',
          {
            '{{status}}': 'sum by (status) (rate(alertmanager_alerts_received_total[$__rate_interval]))',
            invalid: 'sum(rate(alertmanager_alerts_invalid_total[$__rate_interval]))',
          },
          { unit: 'ops', colours: { firing: colour.critical, resolved: colour.ok, invalid: 'purple' } },
        ),
        graph(
          'Alert groups',
          'Groups by group_by of the routes; each gets its own notifications. Thousands mean a group_by label with too many values.',
          { groups: 'sum(alertmanager_dispatcher_aggregation_groups)' },
          { decimals: 0 },
        ),
      ],
    },
    {
      heading: 'Notifications',
      height: 8,
      panels: [
        graph(
          'Notifications by integration',
          'Notifications per second. Integrations that never sent any are not shown.',
          {
            '{{integration}}': `sum by (integration) (rate(alertmanager_notifications_total{${selected}}[$__rate_interval])) ${usedOnly}`,
          },
          { unit: 'ops', noValue: 'No notifications' },
        ),
        failures(
          'Failed notifications by reason',
          'Should be empty. clientError: rejected, such as for a wrong URL or key. serverError: the receiver failed. contextDeadlineExceeded: timeout.',
          {
            '{{integration}}: {{reason}}': `sum by (integration, reason) (increase(alertmanager_notifications_failed_total{${selected}}[$__rate_interval])) > 0`,
          },
          { noValue: 'No failures' },
        ),
        graph(
          'Failed request ratio',
          'Ratio of failed requests, which are retried. High values mean an unreliable receiver.',
          {
            '{{integration}}': `sum by (integration) (rate(alertmanager_notification_requests_failed_total{${selected}}[$__rate_interval])) / sum by (integration) (rate(alertmanager_notification_requests_total{${selected}}[$__rate_interval])) ${usedOnly}`,
          },
          {
            unit: 'percentunit',
            softMax: 1,
            thresholds: redFrom(0.5),
            thresholdLines: true,
            noValue: 'No notifications',
          },
        ),
      ],
    },
    {
      height: 8,
      panels: [
        graph(
          'Notification latency (p95)',
          '95th percentile of the duration of notification requests.',
          {
            '{{integration}}': `histogram_quantile(0.95, sum by (integration, le) (rate(alertmanager_notification_latency_seconds_bucket{${selected}}[$__rate_interval]))) ${usedOnly}`,
          },
          { unit: 's', noValue: 'No notifications' },
        ),
        graph(
          'Silences by state',
          'Pending silences start later; expired ones are deleted after the retention.',
          { '{{state}}': 'sum by (state) (alertmanager_silences)' },
          { decimals: 0 },
        ),
      ],
    },
    {
      heading: 'Alertmanager process',
      height: 7,
      panels: [
        failures(
          'Internal failures',
          'Should be empty. Reading or saving silences or the notification log failed: check for a full disk.',
          {
            'notification log': 'sum(increase(alertmanager_nflog_maintenance_errors_total[$__rate_interval]))',
            silences: 'sum(increase(alertmanager_silences_maintenance_errors_total[$__rate_interval]))',
            'silence queries': 'sum(increase(alertmanager_silences_query_errors_total[$__rate_interval]))',
          },
        ),
        memory('alertmanager', 'Alerts, silences and the notification log are kept in memory.'),
        cpu('alertmanager'),
      ],
    },
  ],
};
