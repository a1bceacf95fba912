import { CustomVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { DashboardPlan } from './dashboard.ts';
import { colour, noJudgement, orangeThenRed, say, severities } from './judgement.ts';
import { bars, graph, stat, table, timeline } from './panels.ts';
import { pipelineLights } from './pipeline-lights.ts';

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
  sections: [
    pipelineLights,
    {
      title: '1 · Sources push',
      rows: [
        {
          height: 8,
          panels: [
            graph({
              title: 'Pushes by answer',
              description:
                'Requests to push per second, by the status the Pushgateway answered. 200 is a push that was taken; 400 is one that could not be read.',
              width: 8,
              unit: 'reqps',
              stacked: true,
              colours: { '/^2/': colour.well, '/^4/': colour.act, '/^5/': colour.act },
              queries: [
                {
                  expr: 'sum by (code) (rate(pushgateway_http_requests_total{handler="push"}[$__rate_interval]))',
                  legend: '{{code}}',
                },
              ],
            }),
            bars({
              title: 'Longest silence',
              description:
                'Time since the last push of the ten groups that have been silent longest. Orange from 5 minutes, red from an hour; a nightly job may well be red until night.',
              width: 8,
              unit: 's',
              min: 0,
              decimals: 0,
              thresholds: orangeThenRed(300, 3600),
              noValue: 'nothing pushed',
              queries: [{ expr: 'topk(10, time() - push_time_seconds)', legend: '{{job}} {{instance}}' }],
            }),
            graph({
              title: 'Groups held',
              description:
                'Pushed groups by job. The Pushgateway forgets nothing by itself: a line that only rises is a source that pushes under ever new names.',
              width: 8,
              unit: 'short',
              stacked: true,
              decimals: 0,
              queries: [{ expr: 'count by (job) (push_time_seconds)', legend: '{{job}}' }],
            }),
          ],
        },
      ],
    },
    {
      title: '2 · Prometheus scrapes',
      rows: [
        {
          height: 8,
          panels: [
            timeline({
              title: 'Targets up',
              description: 'When each target could be scraped (green) and when not (red).',
              width: 12,
              unit: 'none',
              thresholds: [
                { value: null, color: colour.act },
                { value: 1, color: colour.well },
              ],
              mappings: [say(0, 'down', colour.act), say(1, 'up', colour.well)],
              queries: [{ expr: 'min by (job, instance) (up)', legend: '{{job}} {{instance}}' }],
            }),
            graph({
              title: 'Scrape duration',
              description:
                'The slowest target of each job. A scrape that takes as long as the timeout (10 s unless set otherwise) fails.',
              width: 6,
              unit: 's',
              queries: [{ expr: 'max by (job) (scrape_duration_seconds)', legend: '{{job}}' }],
            }),
            graph({
              title: 'Samples per scrape',
              description:
                'What each job brings in. A sudden rise is a label with too many values; a fall is a source that went silent.',
              width: 6,
              unit: 'short',
              queries: [{ expr: 'sum by (job) (scrape_samples_scraped)', legend: '{{job}}' }],
            }),
          ],
        },
      ],
    },
    {
      title: '3 · Prometheus evaluates',
      rows: [
        {
          height: 8,
          panels: [
            graph({
              title: 'Rule groups: share of their interval used',
              description:
                'Time the last evaluation took, as a part of the interval. At 100% evaluations are skipped, and alerts come late.',
              width: 8,
              unit: 'percentunit',
              thresholds: orangeThenRed(0.5, 1),
              thresholdLines: true,
              queries: [
                {
                  expr: 'topk(10, prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds)',
                  legend: '{{rule_group}}',
                },
              ],
            }),
            graph({
              title: 'Failed and missed evaluations',
              description:
                'Should be empty. Failed: a rule is wrong for the data. Missed: a group takes longer than its interval.',
              width: 8,
              unit: 'short',
              bars: true,
              colours: { failed: colour.act, missed: colour.look },
              queries: [
                {
                  expr: 'sum(increase(prometheus_rule_evaluation_failures_total[$__rate_interval]))',
                  legend: 'failed',
                },
                {
                  expr: 'sum(increase(prometheus_rule_group_iterations_missed_total[$__rate_interval]))',
                  legend: 'missed',
                },
              ],
            }),
            graph({
              title: 'Alerts by state',
              description: 'Alerts whose condition holds: pending until their "for" is over, then firing.',
              width: 8,
              unit: 'short',
              stacked: true,
              decimals: 0,
              colours: { firing: colour.act, pending: colour.look },
              noValue: 'no alert is pending or firing',
              queries: [{ expr: 'count by (alertstate) (ALERTS)', legend: '{{alertstate}}' }],
            }),
          ],
        },
      ],
    },
    {
      title: '4 · Alertmanager tells the receivers',
      rows: [
        {
          height: 8,
          panels: [
            graph({
              title: 'Alerts held',
              description:
                'Alerts Alertmanager has, by state. Suppressed ones are silenced or inhibited: nobody is told of them.',
              width: 8,
              unit: 'short',
              stacked: true,
              decimals: 0,
              colours: { active: colour.act, suppressed: 'purple', unprocessed: colour.look },
              queries: [{ expr: 'sum by (state) (alertmanager_alerts)', legend: '{{state}}' }],
            }),
            graph({
              title: 'Notifications by kind of receiver',
              description:
                'Notifications per second that Alertmanager set out to send; kinds that never sent any are left out.',
              width: 8,
              unit: 'ops',
              noValue: 'none sent yet',
              queries: [
                {
                  expr: 'sum by (integration) (rate(alertmanager_notifications_total[$__rate_interval])) and on (integration) sum by (integration) (alertmanager_notifications_total) > 0',
                  legend: '{{integration}}',
                },
              ],
            }),
            graph({
              title: 'Failed notifications',
              description:
                'Should be empty. Notifications given up after all retries, by kind of receiver and reason; the log of Alertmanager names the receiver.',
              width: 8,
              unit: 'short',
              bars: true,
              colours: { '/.*/': colour.act },
              noValue: 'none failed',
              queries: [
                {
                  expr: 'sum by (integration, reason) (increase(alertmanager_notifications_failed_total[$__rate_interval])) > 0',
                  legend: '{{integration}}: {{reason}}',
                },
              ],
            }),
          ],
        },
      ],
    },
    {
      title: 'What fires, and what changed',
      rows: [
        {
          height: 8,
          panels: [
            table({
              title: 'Firing alerts',
              description: 'Every alert that fires now, the longest first.',
              width: 15,
              noValue: 'no alert fires',
              queries: [
                {
                  expr: 'time() - ALERTS_FOR_STATE * ignoring (alertstate) ALERTS{alertstate="firing"}',
                  legend: '',
                },
              ],
              columns: [
                { from: 'alertname', title: 'Alert' },
                { from: 'severity', title: 'Severity', width: 110, mappings: severities },
                { from: 'job', title: 'Job' },
                { from: 'instance', title: 'Instance' },
                { from: 'Value', title: 'For', unit: 's', width: 130 },
              ],
              sortBy: { column: 'For', descending: true },
            }),
            stat({
              title: 'Time since the last start or reload',
              description:
                'How long each server has run with the config it has. The smallest number is the last change: compare it with when the trouble began.',
              width: 9,
              unit: 's',
              decimals: 0,
              quiet: true,
              thresholds: noJudgement,
              queries: [
                {
                  expr: 'time() - max(prometheus_config_last_reload_success_timestamp_seconds)',
                  legend: 'Prometheus config',
                },
                {
                  expr: 'time() - max(alertmanager_config_last_reload_success_timestamp_seconds)',
                  legend: 'Alertmanager config',
                },
                {
                  expr: 'time() - max(process_start_time_seconds and on (job, instance) pushgateway_build_info)',
                  legend: 'Pushgateway start',
                },
                {
                  expr: 'time() - max(process_start_time_seconds and on (job, instance) prometheus_build_info)',
                  legend: 'Prometheus start',
                },
              ],
            }),
          ],
        },
      ],
    },
  ],
};
