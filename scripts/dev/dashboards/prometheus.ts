import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { cpu, failures, graph, memory, stat } from './panels.ts';
import { table } from './table.ts';
import { colour, orangeThenRed, redBelow, redFrom, zeroOrOne } from './thresholds.ts';

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
  rows: [
    {
      heading: 'Now',
      height: 4,
      panels: [
        stat(
          'Targets up',
          "Share of the chosen jobs' targets that could be scraped. Red below 100%: the table names the others.",
          { up: `avg(up{${chosen}})` },
          { unit: 'percentunit', decimals: 0, thresholds: redBelow(1) },
        ),
        stat(
          'Config',
          'Red: the last reload was refused; parts of the new config may be live anyway. Run promstack reload.',
          { config: 'min(prometheus_config_last_reload_successful)' },
          { ...zeroOrOne('refused', 'accepted') },
        ),
        stat(
          'Rule failures in 15 min',
          'Red: a rule cannot be evaluated. An alert of it cannot fire.',
          { failures: 'sum(increase(prometheus_rule_evaluation_failures_total[15m]))' },
          { decimals: 0, thresholds: redFrom(0.5) },
        ),
        stat(
          'Samples per second',
          'What is stored. Compare with the same hour of other days.',
          { samples: 'sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))' },
          { unit: 'short', decimals: 0, quiet: true, sparkline: true },
        ),
        stat(
          'Series in memory',
          'Memory grows with this number: about 4 kB each.',
          { series: 'sum(prometheus_tsdb_head_series)' },
          { unit: 'short', quiet: true, sparkline: true },
        ),
        stat(
          'Storage used',
          'Blocks, the log and the head on disk. Retention is set in stack.yml under prometheus.retention.',
          {
            storage:
              'sum(prometheus_tsdb_storage_blocks_bytes + prometheus_tsdb_wal_storage_size_bytes + prometheus_tsdb_head_chunks_storage_size_bytes)',
          },
          { unit: 'bytes', quiet: true, sparkline: true },
        ),
      ],
    },
    {
      heading: 'Scraping',
      height: 8,
      panels: [
        table(
          'Targets down',
          'Targets that cannot be scraped now. Prometheus shows the error under Status, Target health.',
          [`up{${chosen}} == 0`],
          [
            { from: 'job', title: 'Job' },
            { from: 'instance', title: 'Instance' },
          ],
          { noValue: 'every target is up', sortBy: { column: 'Job', descending: false } },
        ),
        graph(
          'Scrape duration',
          'The slowest target of each job. A scrape longer than the timeout fails.',
          { '{{job}}': `max by (job) (scrape_duration_seconds{${chosen}})` },
          { unit: 's' },
        ),
        graph(
          'New series',
          'Series that each job added in the last scrapes. Steady growth is a label with ever new values: it will fill the memory.',
          { '{{job}}': `sum by (job) (sum_over_time(scrape_series_added{${chosen}}[5m]))` },
        ),
      ],
    },
    {
      height: 7,
      panels: [
        graph(
          'Samples by job',
          "Samples of each job's last scrapes, after relabelling.",
          { '{{job}}': `sum by (job) (scrape_samples_post_metric_relabeling{${chosen}})` },
          { stacked: true },
        ),
        failures(
          'Refused samples',
          'Should be empty. Duplicates and samples out of order come from two sources that use the same labels; limits are set in the job.',
          {
            duplicate: 'sum(increase(prometheus_target_scrapes_sample_duplicate_timestamp_total[$__rate_interval]))',
            'out of order': 'sum(increase(prometheus_target_scrapes_sample_out_of_order_total[$__rate_interval]))',
            'out of bounds': 'sum(increase(prometheus_target_scrapes_sample_out_of_bounds_total[$__rate_interval]))',
            'over sample_limit':
              'sum(increase(prometheus_target_scrapes_exceeded_sample_limit_total[$__rate_interval]))',
          },
        ),
      ],
    },
    {
      heading: 'Rules and alerts',
      height: 8,
      panels: [
        graph(
          'Share of the interval used, by group',
          'At 100% evaluations are skipped, and alerts come late.',
          {
            '{{rule_group}}':
              'topk(10, prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds)',
          },
          { unit: 'percentunit', thresholds: orangeThenRed(0.5, 1), thresholdLines: true },
        ),
        failures(
          'Failed evaluations by group',
          'Should be empty. Prometheus shows the error beside the rule under Status, Rule health.',
          { '{{rule_group}}': 'increase(prometheus_rule_evaluation_failures_total[$__rate_interval]) > 0' },
          { noValue: 'none failed' },
        ),
        graph(
          'Alerts to Alertmanager',
          'Sent, failed and dropped per second. A dropped alert reached nobody.',
          {
            sent: 'sum(rate(prometheus_notifications_sent_total[$__rate_interval]))',
            failed: 'sum(rate(prometheus_notifications_errors_total[$__rate_interval]))',
            dropped: 'sum(rate(prometheus_notifications_dropped_total[$__rate_interval]))',
          },
          { unit: 'ops', colours: { sent: colour.ok, failed: colour.warning, dropped: colour.critical } },
        ),
      ],
    },
    {
      heading: 'Storage',
      height: 7,
      panels: [
        graph(
          'Series created and removed',
          'Per second. Churn costs more than their number: each new label value makes a new series.',
          {
            created: 'sum(rate(prometheus_tsdb_head_series_created_total[$__rate_interval]))',
            removed: 'sum(rate(prometheus_tsdb_head_series_removed_total[$__rate_interval]))',
          },
          { unit: 'cps' },
        ),
        graph(
          'Disk',
          'Blocks grow until retention; the log holds the last hours and grows when compaction fails.',
          {
            blocks: 'sum(prometheus_tsdb_storage_blocks_bytes)',
            'write-ahead log': 'sum(prometheus_tsdb_wal_storage_size_bytes)',
            head: 'sum(prometheus_tsdb_head_chunks_storage_size_bytes)',
          },
          { unit: 'bytes', stacked: true },
        ),
        failures(
          'Failures of the storage',
          "Should be empty: look for a full or failing disk under the volume of Prometheus's data.",
          {
            'log writes': 'sum(increase(prometheus_tsdb_wal_writes_failed_total[$__rate_interval]))',
            compactions: 'sum(increase(prometheus_tsdb_compactions_failed_total[$__rate_interval]))',
            'head truncations': 'sum(increase(prometheus_tsdb_head_truncations_failed_total[$__rate_interval]))',
            'block reloads': 'sum(increase(prometheus_tsdb_reloads_failures_total[$__rate_interval]))',
          },
        ),
      ],
    },
    {
      heading: 'Queries and the process',
      height: 7,
      panels: [
        graph(
          'Query time',
          'How long 90% of evaluations take at most, by part; rules are counted too.',
          { '{{slice}}': 'max by (slice) (prometheus_engine_query_duration_seconds{quantile="0.9"})' },
          { unit: 's' },
        ),
        graph(
          'Queries at work, of those allowed',
          'At 100% further queries wait: somebody asks too much at once.',
          { '{{instance}}': 'prometheus_engine_queries / prometheus_engine_queries_concurrent_max' },
          { unit: 'percentunit', softMax: 1, thresholds: orangeThenRed(0.8, 1), thresholdLines: true },
        ),
        memory(
          'prometheus',
          'A limit is set in stack.yml under prometheus.resources; over it the kernel ends the server.',
        ),
        cpu('prometheus'),
      ],
    },
  ],
};
