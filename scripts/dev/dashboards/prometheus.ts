import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { colour, noJudgement, orangeThenRed, redFrom, say } from './judgement.ts';
import { graph, stat, table } from './panels.ts';

const own = 'and on (job, instance) prometheus_build_info';
const chosen = 'job=~"$job"';

/** Whether Prometheus keeps up: scraping, storing, evaluating, answering, handing on. */
export const prometheus: DashboardPlan = {
  uid: 'promstack-prometheus',
  title: 'Prometheus',
  description:
    'Whether Prometheus keeps up: scraping, storing, evaluating rules, answering queries and handing alerts on.',
  variables: [
    labelVariable({
      name: 'job',
      label: 'Job',
      description: 'The jobs whose scrapes are shown',
      metric: 'up',
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
              title: 'Targets up',
              description:
                "Share of the chosen jobs' targets that could be scraped. Red below 100%: the table names the others.",
              width: 4,
              unit: 'percentunit',
              decimals: 0,
              thresholds: [
                { value: null, color: colour.act },
                { value: 1, color: colour.well },
              ],
              queries: [{ expr: `avg(up{${chosen}})`, legend: 'up' }],
            }),
            stat({
              title: 'Config',
              description:
                'Red: the last reload was refused; a part of the new config may be live all the same. Run promstack reload.',
              width: 4,
              unit: 'none',
              thresholds: [
                { value: null, color: colour.act },
                { value: 1, color: colour.well },
              ],
              mappings: [say(0, 'refused', colour.act), say(1, 'accepted', colour.well)],
              queries: [{ expr: 'min(prometheus_config_last_reload_successful)', legend: 'config' }],
            }),
            stat({
              title: 'Rule failures in 15 min',
              description: 'Red: a rule cannot be evaluated. An alert of it cannot fire.',
              width: 4,
              unit: 'none',
              decimals: 0,
              thresholds: redFrom(0.5),
              queries: [{ expr: 'sum(increase(prometheus_rule_evaluation_failures_total[15m]))', legend: 'failures' }],
            }),
            stat({
              title: 'Samples per second',
              description: 'What is stored. Compare with the same hour of other days.',
              width: 4,
              unit: 'short',
              decimals: 0,
              quiet: true,
              sparkline: true,
              thresholds: noJudgement,
              queries: [
                { expr: 'sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))', legend: 'samples' },
              ],
            }),
            stat({
              title: 'Series in memory',
              description: 'Memory grows with this number: about 4 kB each.',
              width: 4,
              unit: 'short',
              quiet: true,
              sparkline: true,
              thresholds: noJudgement,
              queries: [{ expr: 'sum(prometheus_tsdb_head_series)', legend: 'series' }],
            }),
            stat({
              title: 'Storage used',
              description:
                'Blocks, the log and the head on disk. Retention is set in stack.yml under prometheus.retention.',
              width: 4,
              unit: 'bytes',
              quiet: true,
              sparkline: true,
              thresholds: noJudgement,
              queries: [
                {
                  expr: 'sum(prometheus_tsdb_storage_blocks_bytes + prometheus_tsdb_wal_storage_size_bytes + prometheus_tsdb_head_chunks_storage_size_bytes)',
                  legend: 'storage',
                },
              ],
            }),
          ],
        },
      ],
    },
    {
      title: 'Scraping',
      rows: [
        {
          height: 8,
          panels: [
            table({
              title: 'Targets down',
              description:
                'Targets that cannot be scraped now. Prometheus shows the error under Status, Target health.',
              width: 8,
              noValue: 'every target is up',
              queries: [{ expr: `up{${chosen}} == 0`, legend: '' }],
              columns: [
                { from: 'job', title: 'Job' },
                { from: 'instance', title: 'Instance' },
              ],
              sortBy: { column: 'Job', descending: false },
            }),
            graph({
              title: 'Scrape duration',
              description: 'The slowest target of each job. A scrape longer than the timeout fails.',
              width: 8,
              unit: 's',
              queries: [{ expr: `max by (job) (scrape_duration_seconds{${chosen}})`, legend: '{{job}}' }],
            }),
            graph({
              title: 'New series',
              description:
                'Series that each job added in the last scrapes. Steady growth is a label with ever new values: it will fill the memory.',
              width: 8,
              unit: 'short',
              queries: [
                { expr: `sum by (job) (sum_over_time(scrape_series_added{${chosen}}[5m]))`, legend: '{{job}}' },
              ],
            }),
          ],
        },
        {
          height: 7,
          panels: [
            graph({
              title: 'Samples by job',
              description: "Samples of each job's last scrapes, after relabelling.",
              width: 12,
              unit: 'short',
              stacked: true,
              queries: [{ expr: `sum by (job) (scrape_samples_post_metric_relabeling{${chosen}})`, legend: '{{job}}' }],
            }),
            graph({
              title: 'Refused samples',
              description:
                'Should be empty. Duplicates and samples out of order come from two sources that use the same labels; limits are set in the job.',
              width: 12,
              unit: 'short',
              bars: true,
              colours: { '/.*/': colour.act },
              queries: [
                {
                  expr: 'sum(increase(prometheus_target_scrapes_sample_duplicate_timestamp_total[$__rate_interval]))',
                  legend: 'duplicate',
                },
                {
                  expr: 'sum(increase(prometheus_target_scrapes_sample_out_of_order_total[$__rate_interval]))',
                  legend: 'out of order',
                },
                {
                  expr: 'sum(increase(prometheus_target_scrapes_sample_out_of_bounds_total[$__rate_interval]))',
                  legend: 'out of bounds',
                },
                {
                  expr: 'sum(increase(prometheus_target_scrapes_exceeded_sample_limit_total[$__rate_interval]))',
                  legend: 'over sample_limit',
                },
              ],
            }),
          ],
        },
      ],
    },
    {
      title: 'Rules and alerts',
      rows: [
        {
          height: 8,
          panels: [
            graph({
              title: 'Share of the interval used, by group',
              description: 'At 100% evaluations are skipped, and alerts come late.',
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
              title: 'Failed evaluations by group',
              description: 'Should be empty. Prometheus shows the error beside the rule under Status, Rule health.',
              width: 8,
              unit: 'short',
              bars: true,
              colours: { '/.*/': colour.act },
              noValue: 'none failed',
              queries: [
                {
                  expr: 'increase(prometheus_rule_evaluation_failures_total[$__rate_interval]) > 0',
                  legend: '{{rule_group}}',
                },
              ],
            }),
            graph({
              title: 'Alerts to Alertmanager',
              description: 'Sent, failed and dropped per second. A dropped alert reached nobody.',
              width: 8,
              unit: 'ops',
              colours: { sent: colour.well, failed: colour.look, dropped: colour.act },
              queries: [
                { expr: 'sum(rate(prometheus_notifications_sent_total[$__rate_interval]))', legend: 'sent' },
                { expr: 'sum(rate(prometheus_notifications_errors_total[$__rate_interval]))', legend: 'failed' },
                { expr: 'sum(rate(prometheus_notifications_dropped_total[$__rate_interval]))', legend: 'dropped' },
              ],
            }),
          ],
        },
      ],
    },
    {
      title: 'Storage',
      rows: [
        {
          height: 7,
          panels: [
            graph({
              title: 'Series created and removed',
              description: 'Per second. Churn costs more than their number: each new label value makes a new series.',
              width: 8,
              unit: 'cps',
              queries: [
                { expr: 'sum(rate(prometheus_tsdb_head_series_created_total[$__rate_interval]))', legend: 'created' },
                { expr: 'sum(rate(prometheus_tsdb_head_series_removed_total[$__rate_interval]))', legend: 'removed' },
              ],
            }),
            graph({
              title: 'Disk',
              description: 'Blocks grow until retention; the log holds the last hours and grows when compaction fails.',
              width: 8,
              unit: 'bytes',
              stacked: true,
              queries: [
                { expr: 'sum(prometheus_tsdb_storage_blocks_bytes)', legend: 'blocks' },
                { expr: 'sum(prometheus_tsdb_wal_storage_size_bytes)', legend: 'write-ahead log' },
                { expr: 'sum(prometheus_tsdb_head_chunks_storage_size_bytes)', legend: 'head' },
              ],
            }),
            graph({
              title: 'Failures of the storage',
              description: "Should be empty: look for a full or failing disk under the volume of Prometheus's data.",
              width: 8,
              unit: 'short',
              bars: true,
              colours: { '/.*/': colour.act },
              queries: [
                {
                  expr: 'sum(increase(prometheus_tsdb_wal_writes_failed_total[$__rate_interval]))',
                  legend: 'log writes',
                },
                {
                  expr: 'sum(increase(prometheus_tsdb_compactions_failed_total[$__rate_interval]))',
                  legend: 'compactions',
                },
                {
                  expr: 'sum(increase(prometheus_tsdb_head_truncations_failed_total[$__rate_interval]))',
                  legend: 'head truncations',
                },
                {
                  expr: 'sum(increase(prometheus_tsdb_reloads_failures_total[$__rate_interval]))',
                  legend: 'block reloads',
                },
              ],
            }),
          ],
        },
      ],
    },
    {
      title: 'Queries and the process',
      rows: [
        {
          height: 7,
          panels: [
            graph({
              title: 'Query time',
              description: 'How long 90% of evaluations take at most, by part; rules are counted too.',
              width: 6,
              unit: 's',
              queries: [
                {
                  expr: 'max by (slice) (prometheus_engine_query_duration_seconds{quantile="0.9"})',
                  legend: '{{slice}}',
                },
              ],
            }),
            graph({
              title: 'Queries at work, of those allowed',
              description: 'At 100% further queries wait: somebody asks too much at once.',
              width: 6,
              unit: 'percentunit',
              softMax: 1,
              thresholds: orangeThenRed(0.8, 1),
              thresholdLines: true,
              queries: [
                {
                  expr: 'prometheus_engine_queries / prometheus_engine_queries_concurrent_max',
                  legend: '{{instance}}',
                },
              ],
            }),
            graph({
              title: 'Memory',
              description:
                'A limit is set in stack.yml under prometheus.resources; over it the kernel ends the server.',
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
          ],
        },
      ],
    },
  ],
};
