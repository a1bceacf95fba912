import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { aMinute, perMinute, perSecond, pushedEvents } from './events.ts';
import { bars, graph, stat, timeline } from './panels.ts';
import { colour, orangeThenRed, redFrom, textFor, zeroOrOne } from './thresholds.ts';

const raid = 'raid_status{instance=~"$instance"}';

/** The metrics that the demo pushes: RAID arrays, HTTP requests of a web shop, and errors counted by a script. */
export const demo: DashboardPlan = {
  uid: 'promstack-demo',
  title: 'Demo',
  description: 'Sample metrics of the demo: RAID arrays, HTTP requests of a web shop, and errors counted by a script.',
  from: 'now-10m',
  variables: [
    labelVariable({
      name: 'instance',
      label: 'Machine',
      description: 'Machines to show',
      metric: 'raid_status',
      from: 'instance',
    }),
    labelVariable({
      name: 'path',
      label: 'Path',
      description: 'URL paths to show',
      metric: 'http_request_total',
      from: 'path',
    }),
  ],
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        stat(
          'Degraded arrays',
          'RAID arrays with a failed disk. Red: replace the disk.',
          { degraded: `count(${raid} == 0) or 0 * count(${raid})` },
          { thresholds: redFrom(1), links: [{ alert: 'RaidDegraded' }] },
        ),
        stat(
          'Error ratio',
          'Ratio of requests with a 5xx status over the last 5 minutes. Orange from 1%, red from 5%.',
          {
            errors: `(sum${pushedEvents('http_request_total{path=~"$path", code=~"5.."}', '5m')} or 0 * sum(http_request_total)) / (sum${pushedEvents('http_request_total{path=~"$path"}', '5m')} > 0)`,
          },
          {
            unit: 'percentunit',
            decimals: 1,
            thresholds: orangeThenRed(0.01, 0.05),
            noValue: 'No requests',
            links: [{ panel: 'Requests by status code' }],
          },
        ),
        stat(
          'Script errors',
          'Last pushed value of request_error_number. Orange from 20, red from 90.',
          { errors: 'max(request_error_number)' },
          { thresholds: orangeThenRed(20, 90), links: [{ panel: 'Script errors by job' }] },
        ),
        stat(
          'Last push',
          'Time since the last push to any group. Red from 1 minute: the demo has stopped pushing.',
          { 'last push': 'time() - max(push_time_seconds > 0)' },
          { unit: 's', decimals: 0, thresholds: redFrom(60), links: [{ dashboard: 'promstack-pushgateway' }] },
        ),
      ],
    },
    {
      heading: 'RAID arrays',
      height: 9,
      panels: [
        timeline(
          'Array state',
          'State of each array: OK (green) or degraded (red).',
          { '{{instance}} {{array}}': raid },
          { width: 16, ...zeroOrOne('Degraded', 'OK') },
        ),
        bars(
          'Time since last push by group',
          'Time since the last push to each group. Red and full from 1 minute: its metrics are stale.',
          { '{{job}} {{instance}}': 'topk(5, time() - (push_time_seconds > 0))' },
          { width: 8, unit: 's', min: 0, max: 60, decimals: 0, thresholds: orangeThenRed(30, 60) },
        ),
      ],
    },
    {
      heading: 'Web shop',
      height: 9,
      panels: [
        graph(
          'Requests by path',
          'Requests per second, from the pushed counters.',
          { '{{path}}': perSecond('http_request_total{path=~"$path"}', 'path') },
          { unit: 'reqps', stacked: true },
        ),
        graph(
          'Requests by status code',
          'Requests per second by HTTP status code. 5xx are server errors.',
          { '{{code}}': perSecond('http_request_total{path=~"$path"}', 'code') },
          {
            unit: 'reqps',
            stacked: true,
            colours: { '/^2/': colour.ok, '/^4/': colour.warning, '/^5/': colour.critical },
          },
        ),
        graph(
          'Script errors by job',
          'Value of request_error_number as pushed, by job.',
          { '{{job}}': 'max by (job) (request_error_number)' },
          { isBad: true, thresholds: redFrom(90), thresholdLines: true },
        ),
      ],
    },
    {
      heading: 'Alerts',
      height: 9,
      panels: [
        timeline(
          'Alerts',
          'Pending alerts fire once their condition has held for the duration of "for" in the rule.',
          { '{{alertname}}': 'max by (alertname) (ALERTS{alertstate="firing"} * 2 or ALERTS)' },
          {
            width: 16,
            mappings: [textFor(1, 'Pending', colour.warning), textFor(2, 'Firing', colour.critical)],
          },
        ),
        graph(
          'Notifications',
          'Notifications per minute, the failed ones among them.',
          {
            sent: perMinute('alertmanager_notifications_total'),
            failed: perMinute('alertmanager_notifications_failed_total'),
          },
          { width: 8, unit: aMinute, colours: { sent: colour.ok, failed: colour.critical } },
        ),
      ],
    },
  ],
};
