import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { colour, orangeThenRed, redFrom, zeroOrOne } from './judgement.ts';
import { bars, graph, stat, timeline } from './panels.ts';

const raid = 'raid_status{instance=~"$instance"}';

/** What the demo's sources push: disk arrays, a shop's requests, and errors counted by a script. */
export const demo: DashboardPlan = {
  uid: 'promstack-demo',
  title: 'Demo',
  description:
    'What the demo pushes, seen at the end of its way: disk arrays, the requests of a small shop, and errors counted by a script.',
  variables: [
    labelVariable({
      name: 'instance',
      label: 'Machine',
      description: 'The machines whose arrays are shown',
      metric: 'raid_status',
      from: 'instance',
    }),
    labelVariable({
      name: 'path',
      label: 'Path',
      description: 'The paths of the shop that are shown',
      metric: 'http_request_total',
      from: 'path',
    }),
  ],
  rows: [
    {
      heading: 'Now',
      height: 4,
      panels: [
        stat(
          'Broken arrays',
          'Disk arrays that report a fault. Red: data is at risk until a disk is changed.',
          { broken: `count(${raid} == 0) or 0 * count(${raid})` },
          { thresholds: redFrom(1) },
        ),
        stat(
          'Requests that fail',
          'Share of requests answered with a 5xx in the last 5 minutes. Orange from 1%, red from 5%.',
          {
            failing:
              '(sum(rate(http_request_total{path=~"$path", code=~"5.."}[5m])) or 0 * sum(rate(http_request_total{path=~"$path"}[5m]))) / (sum(rate(http_request_total{path=~"$path"}[5m])) > 0)',
          },
          { unit: 'percentunit', decimals: 1, thresholds: orangeThenRed(0.01, 0.05), noValue: 'no requests' },
        ),
        stat(
          'Errors counted by the script',
          'request_error_number as the script last pushed it. Orange from 20, red from 90.',
          { errors: 'max(request_error_number)' },
          { sparkline: true, thresholds: orangeThenRed(20, 90) },
        ),
        stat(
          'Last push',
          'Time since the demo last pushed anything. Red from a minute: the demo has stopped.',
          { 'last push': 'time() - max(push_time_seconds)' },
          { unit: 's', decimals: 0, thresholds: redFrom(60) },
        ),
      ],
    },
    {
      heading: 'Disk arrays',
      height: 8,
      panels: [
        timeline(
          'Arrays over time',
          'Each array that a machine reports: well (green) or broken (red).',
          { '{{instance}} {{array}}': raid },
          { width: 16, ...zeroOrOne('broken', 'well') },
        ),
        bars(
          "Age of each machine's report",
          'Time since each machine last pushed. Red from a minute: what is shown of it may be past.',
          { '{{job}} {{instance}}': 'topk(10, time() - push_time_seconds)' },
          { width: 8, unit: 's', min: 0, decimals: 0, thresholds: orangeThenRed(30, 60) },
        ),
      ],
    },
    {
      heading: 'The shop',
      height: 9,
      panels: [
        graph(
          'Requests by path',
          'Requests per second, worked out from the counters that are pushed.',
          { '{{path}}': 'sum by (path) (rate(http_request_total{path=~"$path"}[$__rate_interval]))' },
          { unit: 'reqps', stacked: true },
        ),
        graph(
          'Requests by answer',
          "Requests per second by status. 5xx is the shop's own fault.",
          { '{{code}}': 'sum by (code) (rate(http_request_total{path=~"$path"}[$__rate_interval]))' },
          { unit: 'reqps', stacked: true, colours: { '/^2/': colour.well, '/^4/': colour.look, '/^5/': colour.act } },
        ),
        graph(
          'Errors counted by the script',
          'The gauge as it was pushed, by job.',
          { '{{job}}': 'max by (job) (request_error_number)' },
          { thresholds: redFrom(90), thresholdLines: true },
        ),
      ],
    },
    {
      heading: 'Alerts the demo makes',
      height: 7,
      panels: [
        graph(
          'Alerts by name and state',
          'Pending alerts become firing when their condition holds for the rule\'s "for".',
          { '{{alertname}} {{alertstate}}': 'count by (alertname, alertstate) (ALERTS)' },
          { width: 16, decimals: 0, stacked: true, noValue: 'no alert is pending or firing' },
        ),
        stat(
          'Notifications sent',
          'Notifications that left Alertmanager since it started, failed ones left out.',
          { sent: 'sum(alertmanager_notifications_total) - sum(alertmanager_notifications_failed_total)' },
          { width: 8, decimals: 0, quiet: true, sparkline: true },
        ),
      ],
    },
  ],
};
