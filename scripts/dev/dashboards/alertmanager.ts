import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { aMinute, events, perMinute } from './events.ts';
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
      height: 3,
      panels: [
        stat(
          'Undelivered',
          'Notifications that failed after all retries in the last 15 minutes. Red: somebody was not notified; the log has the receiver and the reason.',
          {
            failed: `sum${events(`alertmanager_notifications_failed_total{${selected}}`, '15m')} or 0 * sum(alertmanager_build_info)`,
          },
          { decimals: 0, thresholds: redFrom(0.5), links: [{ panel: 'Failed notifications by reason' }] },
        ),
        stat(
          'Config',
          'Red: the last reload failed and the previous config is still running. Run promstack reload.',
          { config: 'min(alertmanager_config_last_reload_successful)' },
          { ...zeroOrOne('Failed', 'OK'), links: [{ alert: 'AlertmanagerConfigReloadFailed' }] },
        ),
        stat(
          'Active',
          'Alerts that are neither silenced nor inhibited.',
          { active: 'sum(alertmanager_alerts{state="active"})' },
          { thresholds: orangeFrom(1), links: [{ dashboard: 'promstack-overview' }] },
        ),
      ],
    },
    {
      height: 3,
      panels: [
        stat(
          'Suppressed',
          'Alerts that are silenced or inhibited: no notifications are sent.',
          { suppressed: 'sum(alertmanager_alerts{state="suppressed"})' },
          { quiet: true, links: [{ panel: 'Alerts by state' }] },
        ),
        stat(
          'Silences',
          'Active silences. A forgotten silence hides the next outage.',
          { silences: 'sum(alertmanager_silences{state="active"})' },
          { quiet: true, links: [{ panel: 'Silences by state' }] },
        ),
      ],
    },
    {
      heading: 'Alerts',
      height: 9,
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
          'Alerts from Prometheus per minute. Firing alerts are sent again about every minute.',
          {
            '{{status}}': perMinute('alertmanager_alerts_received_total', 'status'),
            invalid: perMinute('alertmanager_alerts_invalid_total'),
          },
          { unit: aMinute, colours: { firing: colour.critical, resolved: colour.ok, invalid: 'purple' } },
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
      height: 9,
      panels: [
        graph(
          'Notifications by integration',
          'Notifications per minute. Integrations that never sent any are not shown.',
          {
            '{{integration}}': `${perMinute(`alertmanager_notifications_total{${selected}}`, 'integration')} ${usedOnly}`,
          },
          { unit: aMinute, noValue: 'No notifications' },
        ),
        failures(
          'Failed notifications by reason',
          'Should be empty. clientError: rejected, such as for a wrong URL or key. serverError: the receiver failed. contextDeadlineExceeded: timeout.',
          { '{{integration}}: {{reason}}': `alertmanager_notifications_failed_total{${selected}}` },
        ),
        graph(
          'Failed request ratio',
          'Ratio of failed requests, which are retried. High values mean an unreliable receiver.',
          {
            '{{integration}}': `sum by (integration) ${events(`alertmanager_notification_requests_failed_total{${selected}}`)} / sum by (integration) ${events(`alertmanager_notification_requests_total{${selected}}`)} ${usedOnly}`,
          },
          {
            unit: 'percentunit',
            softMax: 1,
            isBad: true,
            thresholds: redFrom(0.5),
            thresholdLines: true,
            noValue: 'No notifications',
          },
        ),
      ],
    },
    {
      height: 9,
      panels: [
        graph(
          'Notification latency (p95)',
          '95th percentile of the duration of notification requests.',
          {
            '{{integration}}': `histogram_quantile(0.95, sum by (integration, le) ${events(`alertmanager_notification_latency_seconds_bucket{${selected}}`)}) ${usedOnly}`,
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
      height: 9,
      panels: [
        failures(
          'Internal failures',
          'Should be empty. Reading or saving silences or the notification log failed: check for a full disk.',
          {
            'notification log': 'alertmanager_nflog_maintenance_errors_total',
            silences: 'alertmanager_silences_maintenance_errors_total',
            'silence queries': 'alertmanager_silences_query_errors_total',
          },
        ),
        memory('alertmanager', 'Alerts, silences and the notification log are kept in memory.'),
        cpu('alertmanager'),
      ],
    },
  ],
};
