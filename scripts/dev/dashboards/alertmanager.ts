import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { cpu, failures, graph, memory, stat } from './panels.ts';
import { colour, orangeFrom, redFrom, zeroOrOne } from './thresholds.ts';

const chosen = 'integration=~"$integration"';
/** Leaves out the kinds of receivers that exist in the program but never sent anything here. */
const used = `and on (integration) sum by (integration) (alertmanager_notifications_total{${chosen}}) > 0`;

/** Who is told, who is not, and why. */
export const alertmanager: DashboardPlan = {
  uid: 'promstack-alertmanager',
  title: 'Alertmanager',
  description: 'Alerts, the notifications sent for them, failures and silences.',
  variables: [
    labelVariable({
      name: 'integration',
      label: 'Kind of receiver',
      description: 'The kinds of receivers whose notifications are shown',
      metric: 'alertmanager_notifications_total',
      from: 'integration',
    }),
  ],
  rows: [
    {
      heading: 'Now',
      height: 4,
      panels: [
        stat(
          'Lost notifications in 15 min',
          'Notifications given up after all retries. Red: somebody was not told; the log names the receiver and the reason.',
          { lost: `sum(increase(alertmanager_notifications_failed_total{${chosen}}[15m]))` },
          { width: 5, decimals: 0, thresholds: redFrom(0.5) },
        ),
        stat(
          'Config',
          'Red: the last reload was refused, the older config goes on. Run promstack reload.',
          { config: 'min(alertmanager_config_last_reload_successful)' },
          { width: 5, ...zeroOrOne('refused', 'accepted') },
        ),
        stat(
          'Active alerts',
          'Alerts that receivers are notified of.',
          { active: 'sum(alertmanager_alerts{state="active"})' },
          { width: 5, sparkline: true, thresholds: orangeFrom(1) },
        ),
        stat(
          'Suppressed alerts',
          'Alerts without notifications, because they are silenced or inhibited by another alert.',
          { suppressed: 'sum(alertmanager_alerts{state="suppressed"})' },
          { width: 5, quiet: true, sparkline: true },
        ),
        stat(
          'Active silences',
          'Silences in force. One that was forgotten hides the next outage.',
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
          'Alerts held by state',
          'Active: told. Suppressed: silenced or inhibited. Unprocessed: not looked at yet, should be none.',
          { '{{state}}': 'sum by (state) (alertmanager_alerts)' },
          {
            stacked: true,
            decimals: 0,
            colours: { active: colour.critical, suppressed: 'purple', unprocessed: colour.warning },
          },
        ),
        graph(
          'Alerts received',
          'From Prometheus, per second. Firing alerts are sent again each minute or so as long as they fire.',
          {
            '{{status}}': 'sum by (status) (rate(alertmanager_alerts_received_total[$__rate_interval]))',
            invalid: 'sum(rate(alertmanager_alerts_invalid_total[$__rate_interval]))',
          },
          { unit: 'ops', colours: { firing: colour.critical, resolved: colour.ok, invalid: 'purple' } },
        ),
        graph(
          'Groups of alerts',
          'Groups that routes make by group_by; each is one notification. Thousands mean a group_by label with too many values.',
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
          'Notifications by kind of receiver',
          'Notifications per second; kinds that never sent any are left out.',
          {
            '{{integration}}': `sum by (integration) (rate(alertmanager_notifications_total{${chosen}}[$__rate_interval])) ${used}`,
          },
          { unit: 'ops', noValue: 'none sent yet' },
        ),
        failures(
          'Lost, by reason',
          'Should be empty. clientError: the receiver refused (a wrong URL or key); serverError: it is broken; contextDeadlineExceeded: it was too slow.',
          {
            '{{integration}}: {{reason}}': `sum by (integration, reason) (increase(alertmanager_notifications_failed_total{${chosen}}[$__rate_interval])) > 0`,
          },
          { noValue: 'none lost' },
        ),
        graph(
          'Failed attempts',
          'Attempts that failed and were tried again, as a part of all: a receiver that works only at times.',
          {
            '{{integration}}': `sum by (integration) (rate(alertmanager_notification_requests_failed_total{${chosen}}[$__rate_interval])) / sum by (integration) (rate(alertmanager_notification_requests_total{${chosen}}[$__rate_interval])) ${used}`,
          },
          { unit: 'percentunit', softMax: 1, thresholds: redFrom(0.5), thresholdLines: true, noValue: 'none sent yet' },
        ),
      ],
    },
    {
      height: 8,
      panels: [
        graph(
          'Time to deliver (95%)',
          'How long 95% of attempts to notify take at most.',
          {
            '{{integration}}': `histogram_quantile(0.95, sum by (integration, le) (rate(alertmanager_notification_latency_seconds_bucket{${chosen}}[$__rate_interval]))) ${used}`,
          },
          { unit: 's', noValue: 'none sent yet' },
        ),
        graph(
          'Silences by state',
          'Pending ones begin later; expired ones are kept for a while and then forgotten.',
          { '{{state}}': 'sum by (state) (alertmanager_silences)' },
          { decimals: 0 },
        ),
      ],
    },
    {
      heading: 'Alertmanager itself',
      height: 7,
      panels: [
        failures(
          'Failures inside',
          'Should be empty: reading or keeping silences and the log of notifications failed. Look for a full disk.',
          {
            'notification log': 'sum(increase(alertmanager_nflog_maintenance_errors_total[$__rate_interval]))',
            silences: 'sum(increase(alertmanager_silences_maintenance_errors_total[$__rate_interval]))',
            'silence queries': 'sum(increase(alertmanager_silences_query_errors_total[$__rate_interval]))',
          },
        ),
        memory('alertmanager', 'Alerts, silences and the log of notifications are held in memory.'),
        cpu('alertmanager'),
      ],
    },
  ],
};
