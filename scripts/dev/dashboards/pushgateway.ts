import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { cpu, graph, memory, ofServer, stat } from './panels.ts';
import { table } from './table.ts';
import { colour, redFrom } from './thresholds.ts';

const chosen = 'job=~"$job"';

/** What sources push, job by job, and how the Pushgateway itself fares. */
export const pushgateway: DashboardPlan = {
  uid: 'promstack-pushgateway',
  title: 'Pushgateway',
  description: 'What sources push, job by job: when last, what failed, how much; and how the Pushgateway itself fares.',
  variables: [
    labelVariable({
      name: 'job',
      label: 'Job',
      description: 'The jobs whose pushed groups are shown',
      metric: 'push_time_seconds',
      from: 'job',
    }),
  ],
  rows: [
    {
      heading: 'Now',
      height: 4,
      panels: [
        stat(
          'Groups',
          'Pushed groups of the chosen jobs. Each is kept until it is deleted.',
          { groups: `count(push_time_seconds{${chosen}})` },
          { quiet: true, sparkline: true, noValue: 'nothing pushed' },
        ),
        stat(
          'Oldest push',
          'Age of the oldest last push among the chosen jobs. Whether that is too old depends on how often they should push.',
          { oldest: `max(time() - push_time_seconds{${chosen}})` },
          { unit: 's', decimals: 0, quiet: true, noValue: 'nothing pushed' },
        ),
        stat(
          'Groups whose last push failed',
          'Red: the newest push of a group was refused, so what is shown of it is older than its source thinks. The table names the group.',
          {
            failed: `count(push_failure_time_seconds{${chosen}} > push_time_seconds{${chosen}}) or 0 * count(push_time_seconds{${chosen}})`,
          },
          { thresholds: redFrom(1), noValue: 'nothing pushed' },
        ),
        stat(
          'Rejected pushes in the last hour',
          'Pushes answered with an error, over all jobs: those of a job that was never taken name no group.',
          {
            rejected:
              'sum(increase(pushgateway_http_requests_total{handler="push", code=~"[45].."}[1h])) or 0 * sum(pushgateway_build_info)',
          },
          { decimals: 0, thresholds: redFrom(0.5) },
        ),
      ],
    },
    {
      heading: 'Groups',
      height: 10,
      panels: [
        table(
          'Last push of each group',
          'Time since the last push that was taken, and since the last one that was refused. A group whose refusal is younger than its push is stale.',
          [`time() - push_time_seconds{${chosen}}`, `time() - (push_failure_time_seconds{${chosen}} > 0)`],
          [
            { from: 'job', title: 'Job' },
            { from: 'instance', title: 'Instance' },
            { from: 'Value #A', title: 'Last push', unit: 's', width: 140 },
            { from: 'Value #B', title: 'Last refused', unit: 's', width: 140 },
          ],
          { width: 14, noValue: 'nothing pushed', sortBy: { column: 'Last push', descending: true } },
        ),
        graph(
          'Age of the last push by job',
          'A saw-tooth as high as the time between two pushes is right; a line that only rises is a source that stopped.',
          { '{{job}}': `max by (job) (time() - push_time_seconds{${chosen}})` },
          { width: 10, unit: 's' },
        ),
      ],
    },
    {
      heading: 'Requests',
      height: 8,
      panels: [
        graph(
          'Pushes by method and answer',
          'POST replaces metrics of the same name in a group, PUT the whole group. Anything but a 2xx is refused data.',
          {
            '{{method}} {{code}}':
              'sum by (method, code) (rate(pushgateway_http_requests_total{handler="push"}[$__rate_interval]))',
          },
          { unit: 'reqps', stacked: true, colours: { '/ 2..$/': colour.ok, '/ [45]..$/': colour.critical } },
        ),
        graph(
          'Mean size of a push',
          'Bytes of the body. A push that grows from run to run carries a label with ever new values.',
          {
            '{{method}}':
              'sum by (method) (rate(pushgateway_http_push_size_bytes_sum[$__rate_interval])) / sum by (method) (rate(pushgateway_http_push_size_bytes_count[$__rate_interval]))',
          },
          { unit: 'bytes' },
        ),
        graph(
          'Mean time to take a push',
          'With the consistency check, which reads all groups: it grows with their number.',
          {
            '{{method}}':
              'sum by (method) (rate(pushgateway_http_push_duration_seconds_sum[$__rate_interval])) / sum by (method) (rate(pushgateway_http_push_duration_seconds_count[$__rate_interval]))',
          },
          { unit: 's' },
        ),
      ],
    },
    {
      heading: 'The Pushgateway itself',
      height: 7,
      panels: [
        graph(
          'Deleted groups',
          'Requests to delete a group, or all of them, per second.',
          {
            '{{handler}}':
              'sum by (handler) (rate(pushgateway_http_requests_total{handler=~"delete|wipe"}[$__rate_interval]))',
          },
          { unit: 'reqps', noValue: 'none deleted' },
        ),
        memory('pushgateway', 'Everything pushed is held in memory.'),
        cpu('pushgateway'),
        graph(
          'Open files, of those allowed',
          'At 100% no source can connect any more.',
          { '{{instance}}': `process_open_fds / process_max_fds ${ofServer('pushgateway')}` },
          { unit: 'percentunit', softMax: 1, thresholds: redFrom(0.9), thresholdLines: true },
        ),
      ],
    },
  ],
};
