import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { colour, noJudgement, redFrom, say } from './judgement.ts';
import { graph, stat } from './panels.ts';

const own = 'and on (job, instance) alertmanager_build_info';
const chosen = 'integration=~"$integration"';
/** Leaves out the kinds of receivers that exist in the program but never sent anything here. */
const used = `and on (integration) sum by (integration) (alertmanager_notifications_total{${chosen}}) > 0`;

/** Who is told, who is not, and why. */
export const alertmanager: DashboardPlan = {
  uid: 'promstack-alertmanager',
  title: 'Alertmanager',
  description: 'Who is told of alerts, who is not, and why: alerts held, notifications sent and lost, silences.',
  variables: [
    labelVariable({
      name: 'integration',
      label: 'Kind of receiver',
      description: 'The kinds of receivers whose notifications are shown',
      metric: 'alertmanager_notifications_total',
      from: 'integration',
    }),
  ],
  sections: [
    {
      title: 'Now',
      rows: [
        {
          height: 4,
          panels: [
            stat({
              title: 'Lost notifications in 15 min',
              description:
                'Notifications given up after all retries. Red: somebody was not told; the log names the receiver and the reason.',
              width: 5,
              unit: 'none',
              decimals: 0,
              thresholds: redFrom(0.5),
              queries: [
                { expr: `sum(increase(alertmanager_notifications_failed_total{${chosen}}[15m]))`, legend: 'lost' },
              ],
            }),
            stat({
              title: 'Config',
              description: 'Red: the last reload was refused, the older config goes on. Run promstack reload.',
              width: 5,
              unit: 'none',
              thresholds: [
                { value: null, color: colour.act },
                { value: 1, color: colour.well },
              ],
              mappings: [say(0, 'refused', colour.act), say(1, 'accepted', colour.well)],
              queries: [{ expr: 'min(alertmanager_config_last_reload_successful)', legend: 'config' }],
            }),
            stat({
              title: 'Active alerts',
              description: 'Alerts that receivers are told of.',
              width: 5,
              unit: 'none',
              sparkline: true,
              thresholds: [
                { value: null, color: colour.well },
                { value: 1, color: colour.look },
              ],
              queries: [{ expr: 'sum(alertmanager_alerts{state="active"})', legend: 'active' }],
            }),
            stat({
              title: 'Suppressed alerts',
              description: 'Alerts nobody is told of, because they are silenced or inhibited by another.',
              width: 5,
              unit: 'none',
              quiet: true,
              sparkline: true,
              thresholds: noJudgement,
              queries: [{ expr: 'sum(alertmanager_alerts{state="suppressed"})', legend: 'suppressed' }],
            }),
            stat({
              title: 'Active silences',
              description: 'Silences in force. One that was forgotten hides the next outage.',
              width: 4,
              unit: 'none',
              quiet: true,
              thresholds: noJudgement,
              queries: [{ expr: 'sum(alertmanager_silences{state="active"})', legend: 'silences' }],
            }),
          ],
        },
      ],
    },
    {
      title: 'Alerts',
      rows: [
        {
          height: 8,
          panels: [
            graph({
              title: 'Alerts held by state',
              description:
                'Active: told. Suppressed: silenced or inhibited. Unprocessed: not looked at yet, should be none.',
              width: 8,
              unit: 'short',
              stacked: true,
              decimals: 0,
              colours: { active: colour.act, suppressed: 'purple', unprocessed: colour.look },
              queries: [{ expr: 'sum by (state) (alertmanager_alerts)', legend: '{{state}}' }],
            }),
            graph({
              title: 'Alerts received',
              description:
                'From Prometheus, per second. Firing alerts are sent again each minute or so as long as they fire.',
              width: 8,
              unit: 'ops',
              colours: { firing: colour.act, resolved: colour.well, invalid: 'purple' },
              queries: [
                {
                  expr: 'sum by (status) (rate(alertmanager_alerts_received_total[$__rate_interval]))',
                  legend: '{{status}}',
                },
                { expr: 'sum(rate(alertmanager_alerts_invalid_total[$__rate_interval]))', legend: 'invalid' },
              ],
            }),
            graph({
              title: 'Groups of alerts',
              description:
                'Groups that routes make by group_by; each is one notification. Thousands mean a group_by label with too many values.',
              width: 8,
              unit: 'short',
              decimals: 0,
              queries: [{ expr: 'sum(alertmanager_dispatcher_aggregation_groups)', legend: 'groups' }],
            }),
          ],
        },
      ],
    },
    {
      title: 'Notifications',
      rows: [
        {
          height: 8,
          panels: [
            graph({
              title: 'Notifications by kind of receiver',
              description: 'Notifications per second; kinds that never sent any are left out.',
              width: 8,
              unit: 'ops',
              noValue: 'none sent yet',
              queries: [
                {
                  expr: `sum by (integration) (rate(alertmanager_notifications_total{${chosen}}[$__rate_interval])) ${used}`,
                  legend: '{{integration}}',
                },
              ],
            }),
            graph({
              title: 'Lost, by reason',
              description:
                'Should be empty. clientError: the receiver refused (a wrong URL or key); serverError: it is broken; contextDeadlineExceeded: it was too slow.',
              width: 8,
              unit: 'short',
              bars: true,
              colours: { '/.*/': colour.act },
              noValue: 'none lost',
              queries: [
                {
                  expr: `sum by (integration, reason) (increase(alertmanager_notifications_failed_total{${chosen}}[$__rate_interval])) > 0`,
                  legend: '{{integration}}: {{reason}}',
                },
              ],
            }),
            graph({
              title: 'Failed attempts',
              description:
                'Attempts that failed and were tried again, as a part of all: a receiver that works only at times.',
              width: 8,
              unit: 'percentunit',
              softMax: 1,
              thresholds: redFrom(0.5),
              thresholdLines: true,
              noValue: 'none sent yet',
              queries: [
                {
                  expr: `sum by (integration) (rate(alertmanager_notification_requests_failed_total{${chosen}}[$__rate_interval])) / sum by (integration) (rate(alertmanager_notification_requests_total{${chosen}}[$__rate_interval])) ${used}`,
                  legend: '{{integration}}',
                },
              ],
            }),
          ],
        },
        {
          height: 8,
          panels: [
            graph({
              title: 'Time to deliver (95%)',
              description: 'How long 95% of attempts to notify take at most.',
              width: 12,
              unit: 's',
              noValue: 'none sent yet',
              queries: [
                {
                  expr: `histogram_quantile(0.95, sum by (integration, le) (rate(alertmanager_notification_latency_seconds_bucket{${chosen}}[$__rate_interval]))) ${used}`,
                  legend: '{{integration}}',
                },
              ],
            }),
            graph({
              title: 'Silences by state',
              description: 'Pending ones begin later; expired ones are kept for a while and then forgotten.',
              width: 12,
              unit: 'short',
              decimals: 0,
              queries: [{ expr: 'sum by (state) (alertmanager_silences)', legend: '{{state}}' }],
            }),
          ],
        },
      ],
    },
    {
      title: 'Alertmanager itself',
      rows: [
        {
          height: 7,
          panels: [
            graph({
              title: 'Failures inside',
              description:
                'Should be empty: reading or keeping silences and the log of notifications failed. Look for a full disk.',
              width: 8,
              unit: 'short',
              bars: true,
              colours: { '/.*/': colour.act },
              queries: [
                {
                  expr: 'sum(increase(alertmanager_nflog_maintenance_errors_total[$__rate_interval]))',
                  legend: 'notification log',
                },
                {
                  expr: 'sum(increase(alertmanager_silences_maintenance_errors_total[$__rate_interval]))',
                  legend: 'silences',
                },
                {
                  expr: 'sum(increase(alertmanager_silences_query_errors_total[$__rate_interval]))',
                  legend: 'silence queries',
                },
              ],
            }),
            graph({
              title: 'Memory',
              description: 'Alerts, silences and the log of notifications are held in memory.',
              width: 8,
              unit: 'bytes',
              queries: [{ expr: `process_resident_memory_bytes ${own}`, legend: '{{instance}}' }],
            }),
            graph({
              title: 'CPU',
              description: 'CPUs in use; 1 is one of them whole.',
              width: 8,
              unit: 'short',
              queries: [{ expr: `rate(process_cpu_seconds_total[$__rate_interval]) ${own}`, legend: '{{instance}}' }],
            }),
          ],
        },
      ],
    },
  ],
};
