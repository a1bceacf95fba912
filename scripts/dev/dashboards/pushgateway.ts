import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { colour, noJudgement, redFrom } from './judgement.ts';
import { graph, stat, table } from './panels.ts';

const chosen = 'job=~"$job"';
const own = 'and on (job, instance) pushgateway_build_info';

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
  sections: [
    {
      title: 'Now',
      rows: [
        {
          height: 4,
          panels: [
            stat({
              title: 'Groups',
              description: 'Pushed groups of the chosen jobs. Each is kept until it is deleted.',
              width: 6,
              unit: 'none',
              quiet: true,
              sparkline: true,
              thresholds: noJudgement,
              noValue: 'nothing pushed',
              queries: [{ expr: `count(push_time_seconds{${chosen}})`, legend: 'groups' }],
            }),
            stat({
              title: 'Oldest push',
              description:
                'Age of the oldest last push among the chosen jobs. Whether that is too old depends on how often they should push.',
              width: 6,
              unit: 's',
              decimals: 0,
              quiet: true,
              thresholds: noJudgement,
              noValue: 'nothing pushed',
              queries: [{ expr: `max(time() - push_time_seconds{${chosen}})`, legend: 'oldest' }],
            }),
            stat({
              title: 'Groups whose last push failed',
              description:
                'Red: the newest push of a group was refused, so what is shown of it is older than its source thinks. The table names the group.',
              width: 6,
              unit: 'none',
              thresholds: redFrom(1),
              noValue: 'nothing pushed',
              queries: [
                {
                  expr: `count(push_failure_time_seconds{${chosen}} > push_time_seconds{${chosen}}) or 0 * count(push_time_seconds{${chosen}})`,
                  legend: 'failed',
                },
              ],
            }),
            stat({
              title: 'Rejected pushes in the last hour',
              description:
                'Pushes answered with an error, over all jobs: those of a job that was never taken name no group.',
              width: 6,
              unit: 'none',
              decimals: 0,
              thresholds: redFrom(0.5),
              queries: [
                {
                  expr: 'sum(increase(pushgateway_http_requests_total{handler="push", code=~"[45].."}[1h])) or 0 * sum(pushgateway_build_info)',
                  legend: 'rejected',
                },
              ],
            }),
          ],
        },
      ],
    },
    {
      title: 'Groups',
      rows: [
        {
          height: 10,
          panels: [
            table({
              title: 'Last push of each group',
              description:
                'Time since the last push that was taken, and since the last one that was refused. A group whose refusal is younger than its push is stale.',
              width: 14,
              noValue: 'nothing pushed',
              queries: [
                { expr: `time() - push_time_seconds{${chosen}}`, legend: '' },
                { expr: `time() - (push_failure_time_seconds{${chosen}} > 0)`, legend: '' },
              ],
              columns: [
                { from: 'job', title: 'Job' },
                { from: 'instance', title: 'Instance' },
                { from: 'Value #A', title: 'Last push', unit: 's', width: 140 },
                { from: 'Value #B', title: 'Last refused', unit: 's', width: 140 },
              ],
              sortBy: { column: 'Last push', descending: true },
            }),
            graph({
              title: 'Age of the last push by job',
              description:
                'A saw-tooth as high as the time between two pushes is right; a line that only rises is a source that stopped.',
              width: 10,
              unit: 's',
              queries: [{ expr: `max by (job) (time() - push_time_seconds{${chosen}})`, legend: '{{job}}' }],
            }),
          ],
        },
      ],
    },
    {
      title: 'Requests',
      rows: [
        {
          height: 8,
          panels: [
            graph({
              title: 'Pushes by method and answer',
              description:
                'POST replaces metrics of the same name in a group, PUT the whole group. Anything but a 2xx is refused data.',
              width: 8,
              unit: 'reqps',
              stacked: true,
              colours: { '/ 2..$/': colour.well, '/ [45]..$/': colour.act },
              queries: [
                {
                  expr: 'sum by (method, code) (rate(pushgateway_http_requests_total{handler="push"}[$__rate_interval]))',
                  legend: '{{method}} {{code}}',
                },
              ],
            }),
            graph({
              title: 'Mean size of a push',
              description: 'Bytes of the body. A push that grows from run to run carries a label with ever new values.',
              width: 8,
              unit: 'bytes',
              queries: [
                {
                  expr: 'sum by (method) (rate(pushgateway_http_push_size_bytes_sum[$__rate_interval])) / sum by (method) (rate(pushgateway_http_push_size_bytes_count[$__rate_interval]))',
                  legend: '{{method}}',
                },
              ],
            }),
            graph({
              title: 'Mean time to take a push',
              description: 'With the consistency check, which reads all groups: it grows with their number.',
              width: 8,
              unit: 's',
              queries: [
                {
                  expr: 'sum by (method) (rate(pushgateway_http_push_duration_seconds_sum[$__rate_interval])) / sum by (method) (rate(pushgateway_http_push_duration_seconds_count[$__rate_interval]))',
                  legend: '{{method}}',
                },
              ],
            }),
          ],
        },
      ],
    },
    {
      title: 'The Pushgateway itself',
      rows: [
        {
          height: 7,
          panels: [
            graph({
              title: 'Deleted groups',
              description: 'Requests to delete a group, or all of them, per second.',
              width: 6,
              unit: 'reqps',
              noValue: 'none deleted',
              queries: [
                {
                  expr: 'sum by (handler) (rate(pushgateway_http_requests_total{handler=~"delete|wipe"}[$__rate_interval]))',
                  legend: '{{handler}}',
                },
              ],
            }),
            graph({
              title: 'Memory',
              description: 'Everything pushed is held in memory.',
              width: 6,
              unit: 'bytes',
              queries: [{ expr: `process_resident_memory_bytes ${own}`, legend: '{{instance}}' }],
            }),
            graph({
              title: 'CPU',
              description: 'CPUs in use; 1 is one of them whole.',
              width: 6,
              unit: 'short',
              queries: [{ expr: `rate(process_cpu_seconds_total[$__rate_interval]) ${own}`, legend: '{{instance}}' }],
            }),
            graph({
              title: 'Open files, of those allowed',
              description: 'At 100% no source can connect any more.',
              width: 6,
              unit: 'percentunit',
              softMax: 1,
              thresholds: [
                { value: null, color: colour.well },
                { value: 0.9, color: colour.act },
              ],
              thresholdLines: true,
              queries: [{ expr: `process_open_fds / process_max_fds ${own}`, legend: '{{instance}}' }],
            }),
          ],
        },
      ],
    },
  ],
};
