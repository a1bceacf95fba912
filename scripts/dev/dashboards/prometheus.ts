import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { cpu, failures, graph, memory, stat } from './panels.ts';
import { table } from './table.ts';
import { colour, orangeThenRed, redBelow, redFrom, zeroOrOne } from './thresholds.ts';

const selected = 'job=~"$job"';

/** Scraping, rules, alerts, storage and queries of Prometheus. */
export const prometheus: DashboardPlan = {
  uid: 'promstack-prometheus',
  title: 'Prometheus',
  description: 'Scraping, rules, alerts, storage and queries.',
  variables: [
    labelVariable({
      name: 'job',
      label: 'Job',
      description: 'Jobs to show',
      metric: 'up',
      from: 'job',
    }),
  ],
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        stat(
          'Targets up',
          'Ratio of targets of the selected jobs that are up. Red below 100%: the table lists those that are down.',
          { up: `avg(up{${selected}})` },
          { unit: 'percentunit', decimals: 0, thresholds: redBelow(1) },
        ),
        stat(
          'Config',
          'Red: the last reload failed; parts of the new config may be active. Run promstack reload.',
          { config: 'min(prometheus_config_last_reload_successful)' },
          { ...zeroOrOne('Failed', 'OK') },
        ),
        stat(
          'Rule failures (15 min)',
          'Failed rule evaluations. Red: an alert rule that fails cannot fire.',
          { failures: 'sum(increase(prometheus_rule_evaluation_failures_total[15m]))' },
          { decimals: 0, thresholds: redFrom(0.5) },
        ),
        stat(
          'Samples per second',
          'Samples appended to the head.',
          { samples: 'sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))' },
          { unit: 'short', decimals: 0, quiet: true, sparkline: true },
        ),
        stat(
          'Series in memory',
          'Active series in the head. Each takes about 4 kB of memory.',
          { series: 'sum(prometheus_tsdb_head_series)' },
          { unit: 'short', quiet: true, sparkline: true },
        ),
        stat(
          'Storage used',
          'Blocks, write-ahead log and head chunks on disk. Limited by prometheus.retention in stack.yml.',
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
          'Targets that are down now. Prometheus shows the error under Status > Target health.',
          [`up{${selected}} == 0`],
          [
            { from: 'job', title: 'Job' },
            { from: 'instance', title: 'Instance' },
          ],
          { noValue: 'All targets are up', sortBy: { column: 'Job', descending: false } },
        ),
        graph(
          'Scrape duration',
          'The slowest target of each job. Scrapes that take longer than the timeout fail.',
          { '{{job}}': `max by (job) (scrape_duration_seconds{${selected}})` },
          { unit: 's' },
        ),
        graph(
          'New series by job',
          'Series added in the last 5 minutes. A steady rate means a label with ever-changing values, which fills the memory.',
          { '{{job}}': `sum by (job) (sum_over_time(scrape_series_added{${selected}}[5m]))` },
        ),
      ],
    },
    {
      height: 7,
      panels: [
        graph(
          'Samples by job',
          'Samples of the last scrapes after relabelling.',
          { '{{job}}': `sum by (job) (scrape_samples_post_metric_relabeling{${selected}})` },
          { stacked: true },
        ),
        failures(
          'Dropped samples',
          'Should be empty. Duplicate and out-of-order samples: two sources have the same labels. sample_limit is set in the job.',
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
          'Rule group duration / interval',
          'Duration of the last evaluation as a ratio of the interval. At 100% evaluations are skipped and alerts are late.',
          {
            '{{rule_group}}':
              'topk(10, prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds)',
          },
          { unit: 'percentunit', thresholds: orangeThenRed(0.5, 1), thresholdLines: true },
        ),
        failures(
          'Failed evaluations by group',
          'Should be empty. Prometheus shows the error under Status > Rule health.',
          { '{{rule_group}}': 'increase(prometheus_rule_evaluation_failures_total[$__rate_interval]) > 0' },
          { noValue: 'No failures' },
        ),
        graph(
          'Alerts sent to Alertmanager',
          'Sent, failed and dropped alerts per second. Nobody is notified about dropped alerts.',
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
          'Series per second. High churn is expensive: each new label value creates a series.',
          {
            created: 'sum(rate(prometheus_tsdb_head_series_created_total[$__rate_interval]))',
            removed: 'sum(rate(prometheus_tsdb_head_series_removed_total[$__rate_interval]))',
          },
          { unit: 'cps' },
        ),
        graph(
          'Disk usage',
          'Blocks grow up to the retention; the write-ahead log covers the last hours and grows when compaction fails.',
          {
            blocks: 'sum(prometheus_tsdb_storage_blocks_bytes)',
            'write-ahead log': 'sum(prometheus_tsdb_wal_storage_size_bytes)',
            head: 'sum(prometheus_tsdb_head_chunks_storage_size_bytes)',
          },
          { unit: 'bytes', stacked: true },
        ),
        failures(
          'Storage failures',
          "Should be empty. Check for a full or failing disk under Prometheus's data volume.",
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
      heading: 'Queries and process',
      height: 7,
      panels: [
        graph(
          'Query duration (p90)',
          '90th percentile of query duration by phase, rule evaluations included.',
          { '{{slice}}': 'max by (slice) (prometheus_engine_query_duration_seconds{quantile="0.9"})' },
          { unit: 's' },
        ),
        graph(
          'Concurrent queries / limit',
          'At 100% further queries have to wait.',
          { '{{instance}}': 'prometheus_engine_queries / prometheus_engine_queries_concurrent_max' },
          { unit: 'percentunit', softMax: 1, thresholds: orangeThenRed(0.8, 1), thresholdLines: true },
        ),
        memory(
          'prometheus',
          'Resident memory. Above prometheus.resources.memory in stack.yml the server is OOM-killed.',
        ),
        cpu('prometheus'),
      ],
    },
  ],
};
