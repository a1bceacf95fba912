import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { aMinute, events, perMinute, ruleGroupLoad, someEvents, withGroupName } from './events.ts';
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
      height: 3,
      panels: [
        stat(
          'Targets up',
          'Ratio of targets of the selected jobs that are up. Red below 100%: the table lists those that are down.',
          { up: `avg(up{${selected}})` },
          { unit: 'percentunit', decimals: 0, thresholds: redBelow(1), links: [{ panel: 'Targets down' }] },
        ),
        stat(
          'Config',
          'Red: the last reload failed; parts of the new config may be active. Run promstack reload.',
          { config: 'min(prometheus_config_last_reload_successful)' },
          { ...zeroOrOne('Failed', 'OK'), links: [{ alert: 'PrometheusConfigReloadFailed' }] },
        ),
        stat(
          'Failing rules',
          'Rule groups with a rule that failed in the last 15 minutes. Red: an alert rule that fails cannot fire.',
          {
            groups: `count(sum by (rule_group) ${events('prometheus_rule_evaluation_failures_total', '15m')} > 0) or 0 * sum(prometheus_build_info)`,
          },
          { thresholds: redFrom(1), links: [{ panel: 'Failed evaluations by group' }] },
        ),
      ],
    },
    {
      height: 3,
      panels: [
        stat(
          'Samples/s',
          'Samples appended to the head per second.',
          { samples: 'sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))' },
          { unit: 'short', decimals: 0, quiet: true, links: [{ panel: 'Samples by job' }] },
        ),
        stat(
          'Series',
          'Active series in the head. Each takes about 4 kB of memory.',
          { series: 'sum(prometheus_tsdb_head_series)' },
          { unit: 'short', quiet: true, links: [{ panel: 'Series created and removed' }] },
        ),
        stat(
          'Disk',
          'Blocks, write-ahead log and head chunks on disk. Limited by prometheus.retention in stack.yml.',
          {
            storage:
              'sum(prometheus_tsdb_storage_blocks_bytes + prometheus_tsdb_wal_storage_size_bytes + prometheus_tsdb_head_chunks_storage_size_bytes)',
          },
          { unit: 'bytes', quiet: true, links: [{ panel: 'Disk usage' }] },
        ),
      ],
    },
    {
      heading: 'Scraping',
      height: 9,
      panels: [
        table(
          'Targets down',
          'Targets that are down now. Prometheus shows the error under Status > Target health.',
          [`up{${selected}} == 0`],
          [
            { from: 'job', title: 'Job', width: 130 },
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
      height: 9,
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
            duplicate: 'prometheus_target_scrapes_sample_duplicate_timestamp_total',
            'out of order': 'prometheus_target_scrapes_sample_out_of_order_total',
            'out of bounds': 'prometheus_target_scrapes_sample_out_of_bounds_total',
            'over sample_limit': 'prometheus_target_scrapes_exceeded_sample_limit_total',
          },
        ),
      ],
    },
    {
      heading: 'Rules and alerts',
      height: 9,
      panels: [
        graph(
          'Rule group duration / interval',
          'Duration of evaluations as a ratio of the interval, of the three slowest groups. At 100% evaluations are skipped and alerts are late.',
          { '{{group}}': ruleGroupLoad },
          { unit: 'percentunit', thresholds: orangeThenRed(0.5, 1) },
        ),
        graph(
          'Failed evaluations by group',
          'Should be empty. Prometheus shows the error under Status > Rule health.',
          { '{{group}}': withGroupName(someEvents('prometheus_rule_evaluation_failures_total', 'rule_group')) },
          { bars: true, colours: { '/.*/': colour.critical }, noValue: 'No failures' },
        ),
        graph(
          'Alerts sent to Alertmanager',
          'Sent, failed and dropped alerts per minute. Nobody is notified about dropped alerts.',
          {
            sent: perMinute('prometheus_notifications_sent_total'),
            failed: perMinute('prometheus_notifications_errors_total'),
            dropped: perMinute('prometheus_notifications_dropped_total'),
          },
          { unit: aMinute, colours: { sent: colour.ok, failed: colour.warning, dropped: colour.critical } },
        ),
      ],
    },
    {
      heading: 'Storage',
      height: 9,
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
            'log writes': 'prometheus_tsdb_wal_writes_failed_total',
            compactions: 'prometheus_tsdb_compactions_failed_total',
            'head truncations': 'prometheus_tsdb_head_truncations_failed_total',
            'block reloads': 'prometheus_tsdb_reloads_failures_total',
          },
        ),
      ],
    },
    {
      heading: 'Queries and process',
      height: 9,
      panels: [
        graph(
          'Query duration (p90)',
          '90th percentile of query duration by phase, rule evaluations included.',
          { '{{slice}}': 'max by (slice) (prometheus_engine_query_duration_seconds{quantile="0.9"})' },
          { unit: 's' },
        ),
        graph(
          'Queries / limit',
          'Concurrent queries of those allowed. At 100% further ones have to wait.',
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
