import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { aMinute, events, perMinute } from './events.ts';
import { cpu, graph, memory, ofServer, stat } from './panels.ts';
import { table } from './table.ts';
import { colour, redFrom } from './thresholds.ts';

const selected = 'job=~"$job"';

/** The mean of a summary by method. */
const mean = (summary: string): string =>
  `sum by (method) ${events(`${summary}_sum`)} / sum by (method) ${events(`${summary}_count`)}`;

/** Pushed groups by job, push requests, and the Pushgateway process. */
export const pushgateway: DashboardPlan = {
  uid: 'promstack-pushgateway',
  title: 'Pushgateway',
  description: 'Pushed groups by job, push requests, and the Pushgateway process.',
  variables: [
    labelVariable({
      name: 'job',
      label: 'Job',
      description: 'Jobs to show',
      metric: 'push_time_seconds',
      from: 'job',
    }),
  ],
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        stat(
          'Groups',
          'Pushed groups of the selected jobs. Groups are kept until they are deleted.',
          { groups: `count(push_time_seconds{${selected}})` },
          { quiet: true, noValue: 'No pushes', links: [{ panel: 'Last push of each group' }] },
        ),
        stat(
          'Oldest push',
          'Time since the last push of the group that is oldest. What is normal depends on the push interval.',
          { oldest: `max(time() - (push_time_seconds{${selected}} > 0))` },
          { unit: 's', decimals: 0, quiet: true, noValue: 'No pushes', links: [{ panel: 'Last push of each group' }] },
        ),
        stat(
          'Failed last push',
          'Groups whose last push was rejected. Red: their metrics are stale. See the table.',
          {
            failed: `count(push_failure_time_seconds{${selected}} > push_time_seconds{${selected}}) or 0 * count(push_time_seconds{${selected}})`,
          },
          { thresholds: redFrom(1), noValue: 'No pushes', links: [{ panel: 'Last push of each group' }] },
        ),
        stat(
          'Rejected pushes',
          'Pushes of all jobs that were rejected in the last hour, those without a group included.',
          {
            rejected: `sum${events('pushgateway_http_requests_total{handler="push", code=~"[45].."}', '1h')} or 0 * sum(pushgateway_build_info)`,
          },
          {
            decimals: 0,
            thresholds: redFrom(0.5),
            noValue: 'No Pushgateway',
            links: [{ panel: 'Pushes by method and status code' }],
          },
        ),
      ],
    },
    {
      heading: 'Groups',
      height: 10,
      panels: [
        table(
          'Last push of each group',
          'Time since the last accepted and the last rejected push. A group whose rejection is newer is stale.',
          [`time() - (push_time_seconds{${selected}} > 0)`, `time() - (push_failure_time_seconds{${selected}} > 0)`],
          [
            { from: 'job', title: 'Job', width: 150 },
            { from: 'instance', title: 'Instance' },
            { from: 'Value #A', title: 'Last push', unit: 's', width: 110, empty: 'never' },
            { from: 'Value #B', title: 'Last rejected', unit: 's', width: 130, empty: 'never' },
          ],
          { width: 14, noValue: 'No pushes', sortBy: { column: 'Last push', descending: true } },
        ),
        graph(
          'Time since last push by job',
          'Normal: a sawtooth as high as the push interval. A line that only rises: the source has stopped.',
          { '{{job}}': `max by (job) (time() - (push_time_seconds{${selected}} > 0))` },
          { width: 10, unit: 's' },
        ),
      ],
    },
    {
      heading: 'Requests',
      height: 9,
      panels: [
        graph(
          'Pushes by method and status code',
          'Pushes per minute. POST replaces metrics with the same names, PUT the whole group. Status codes other than 2xx: rejected.',
          {
            '{{method}} {{code}}': perMinute('pushgateway_http_requests_total{handler="push"}', 'method', 'code'),
          },
          { unit: aMinute, stacked: true, colours: { '/ 2..$/': colour.ok, '/ [45]..$/': colour.critical } },
        ),
        graph(
          'Mean push size',
          'Size of the request body. Steady growth means a label with too many values.',
          {
            '{{method}}': mean('pushgateway_http_push_size_bytes'),
          },
          { unit: 'bytes' },
        ),
        graph(
          'Mean push duration',
          'Includes the consistency check, which takes longer the more groups there are.',
          {
            '{{method}}': mean('pushgateway_http_push_duration_seconds'),
          },
          { unit: 's' },
        ),
      ],
    },
    {
      heading: 'Pushgateway process',
      height: 9,
      panels: [
        graph(
          'Deleted groups',
          'Requests per minute that delete one group or all of them.',
          {
            '{{handler}}': perMinute('pushgateway_http_requests_total{handler=~"delete|wipe"}', 'handler'),
          },
          { unit: aMinute, noValue: 'No deletions' },
        ),
        memory('pushgateway', 'All pushed metrics are kept in memory.'),
        cpu('pushgateway'),
        graph(
          'Open files / limit',
          'At 100% sources can no longer connect.',
          { '{{instance}}': `process_open_fds / process_max_fds ${ofServer('pushgateway')}` },
          { unit: 'percentunit', softMax: 1, thresholds: redFrom(0.9), thresholdLines: true },
        ),
      ],
    },
  ],
};
