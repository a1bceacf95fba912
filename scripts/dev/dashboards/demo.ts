import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { colour, noJudgement, orangeThenRed, redFrom, say } from './judgement.ts';
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
  sections: [
    {
      title: 'Now',
      rows: [
        {
          height: 4,
          panels: [
            stat({
              title: 'Broken arrays',
              description: 'Disk arrays that report a fault. Red: data is at risk until a disk is changed.',
              width: 6,
              unit: 'none',
              thresholds: redFrom(1),
              queries: [{ expr: `count(${raid} == 0) or 0 * count(${raid})`, legend: 'broken' }],
            }),
            stat({
              title: 'Requests that fail',
              description: 'Share of requests answered with a 5xx in the last 5 minutes. Orange from 1%, red from 5%.',
              width: 6,
              unit: 'percentunit',
              decimals: 1,
              thresholds: orangeThenRed(0.01, 0.05),
              noValue: 'no requests',
              queries: [
                {
                  expr: '(sum(rate(http_request_total{path=~"$path", code=~"5.."}[5m])) or 0 * sum(rate(http_request_total{path=~"$path"}[5m]))) / (sum(rate(http_request_total{path=~"$path"}[5m])) > 0)',
                  legend: 'failing',
                },
              ],
            }),
            stat({
              title: 'Errors counted by the script',
              description: 'request_error_number as the script last pushed it. Orange from 20, red from 90.',
              width: 6,
              unit: 'none',
              sparkline: true,
              thresholds: orangeThenRed(20, 90),
              queries: [{ expr: 'max(request_error_number)', legend: 'errors' }],
            }),
            stat({
              title: 'Last push',
              description: 'Time since the demo last pushed anything. Red from a minute: the demo has stopped.',
              width: 6,
              unit: 's',
              decimals: 0,
              thresholds: redFrom(60),
              queries: [{ expr: 'time() - max(push_time_seconds)', legend: 'last push' }],
            }),
          ],
        },
      ],
    },
    {
      title: 'Disk arrays',
      rows: [
        {
          height: 8,
          panels: [
            timeline({
              title: 'Arrays over time',
              description: 'Each array that a machine reports: well (green) or broken (red).',
              width: 16,
              unit: 'none',
              thresholds: [
                { value: null, color: colour.act },
                { value: 1, color: colour.well },
              ],
              mappings: [say(0, 'broken', colour.act), say(1, 'well', colour.well)],
              queries: [{ expr: raid, legend: '{{instance}} {{array}}' }],
            }),
            bars({
              title: "Age of each machine's report",
              description: 'Time since each machine last pushed. Red from a minute: what is shown of it may be past.',
              width: 8,
              unit: 's',
              min: 0,
              decimals: 0,
              thresholds: orangeThenRed(30, 60),
              queries: [{ expr: 'topk(10, time() - push_time_seconds)', legend: '{{job}} {{instance}}' }],
            }),
          ],
        },
      ],
    },
    {
      title: 'The shop',
      rows: [
        {
          height: 9,
          panels: [
            graph({
              title: 'Requests by path',
              description: 'Requests per second, worked out from the counters that are pushed.',
              width: 8,
              unit: 'reqps',
              stacked: true,
              queries: [
                {
                  expr: 'sum by (path) (rate(http_request_total{path=~"$path"}[$__rate_interval]))',
                  legend: '{{path}}',
                },
              ],
            }),
            graph({
              title: 'Requests by answer',
              description: "Requests per second by status. 5xx is the shop's own fault.",
              width: 8,
              unit: 'reqps',
              stacked: true,
              colours: { '/^2/': colour.well, '/^4/': colour.look, '/^5/': colour.act },
              queries: [
                {
                  expr: 'sum by (code) (rate(http_request_total{path=~"$path"}[$__rate_interval]))',
                  legend: '{{code}}',
                },
              ],
            }),
            graph({
              title: 'Errors counted by the script',
              description: 'The gauge as it was pushed, by job.',
              width: 8,
              unit: 'short',
              thresholds: redFrom(90),
              thresholdLines: true,
              queries: [{ expr: 'max by (job) (request_error_number)', legend: '{{job}}' }],
            }),
          ],
        },
      ],
    },
    {
      title: 'Alerts the demo makes',
      rows: [
        {
          height: 7,
          panels: [
            graph({
              title: 'Alerts by name and state',
              description: 'Pending alerts become firing when their condition holds for the rule\'s "for".',
              width: 16,
              unit: 'short',
              decimals: 0,
              stacked: true,
              noValue: 'no alert is pending or firing',
              queries: [{ expr: 'count by (alertname, alertstate) (ALERTS)', legend: '{{alertname}} {{alertstate}}' }],
            }),
            stat({
              title: 'Notifications sent',
              description: 'Notifications that left Alertmanager since it started, failed ones left out.',
              width: 8,
              unit: 'none',
              decimals: 0,
              quiet: true,
              sparkline: true,
              thresholds: noJudgement,
              queries: [
                {
                  expr: 'sum(alertmanager_notifications_total) - sum(alertmanager_notifications_failed_total)',
                  legend: 'sent',
                },
              ],
            }),
          ],
        },
      ],
    },
  ],
};
