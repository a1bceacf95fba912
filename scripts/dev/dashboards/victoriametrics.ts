import type { DashboardPlan } from './dashboard.ts';
import { aMinute, perMinute } from './events.ts';
import { failures, graph, stat } from './panels.ts';
import { orangeFrom, orangeThenRed, redBelow, zeroOrOne } from './thresholds.ts';

const vm = '{job="victoriametrics"}';
const sent = '{job="prometheus", remote_name="long-term"}';

/** The store of long_term: whether samples reach it, its disk and its queries. */
export const victoriametrics: DashboardPlan = {
  uid: 'promstack-victoriametrics',
  title: 'VictoriaMetrics',
  description: 'Long-term storage: whether samples reach it, its disk and its queries.',
  rows: [
    {
      heading: 'Overview',
      height: 3,
      panels: [
        stat(
          'Up',
          'Whether Prometheus can scrape the store. Red: what Prometheus cannot send waits in its write-ahead log for about two hours.',
          { up: `min(up${vm})` },
          { ...zeroOrOne('Down', 'Up'), links: [{ alert: 'TargetDown' }] },
        ),
        stat(
          'Writable',
          'Whether it takes samples. Red: its disk is nearly full.',
          { writable: `1 - max(vm_storage_is_read_only${vm})` },
          { ...zeroOrOne('Read-only', 'Yes'), links: [{ alert: 'VictoriaMetricsReadOnly' }] },
        ),
        stat(
          'Behind',
          'How much older the newest sample in the store is than that in Prometheus. Seconds are normal.',
          {
            behind: `max(prometheus_remote_storage_highest_timestamp_in_seconds{job="prometheus"}) - min(prometheus_remote_storage_queue_highest_sent_timestamp_seconds${sent} > 0)`,
          },
          {
            unit: 's',
            decimals: 0,
            noValue: 'Nothing sent',
            thresholds: orangeThenRed(60, 120),
            links: [{ alert: 'PrometheusRemoteWriteBehind' }],
          },
        ),
      ],
    },
    {
      height: 3,
      panels: [
        stat(
          'Ignored',
          'Samples of the last hour that the store ignored, such as those with too many labels.',
          { ignored: `sum(increase(vm_rows_ignored_total${vm}[1h]))` },
          { decimals: 0, thresholds: orangeFrom(0.5), links: [{ alert: 'VictoriaMetricsSamplesIgnored' }] },
        ),
        stat(
          'Free disk',
          'Share of its disk that is free. What else is on that disk counts too.',
          { free: `min(vm_free_disk_space_bytes${vm} / vm_total_disk_space_bytes)` },
          {
            unit: 'percentunit',
            decimals: 0,
            thresholds: redBelow(0.05),
            links: [{ alert: 'VictoriaMetricsDiskFilling' }],
          },
        ),
        stat(
          'Samples',
          'Samples in the store.',
          { samples: `sum(vm_rows{job="victoriametrics", type=~"storage/.*"})` },
          { unit: 'short', quiet: true, links: [{ panel: 'Size' }] },
        ),
      ],
    },
    {
      heading: 'Samples',
      height: 9,
      panels: [
        graph(
          'Samples taken',
          'Samples per second that the store took from Prometheus.',
          {
            samples: `sum(rate(vm_rows_inserted_total{job="victoriametrics", type="promremotewrite"}[$__rate_interval]))`,
          },
          { unit: 'suffix:/s', softMax: 1 },
        ),
        graph(
          'Delay',
          'How much older the newest sample that was sent is than that in Prometheus. It grows while the store does not answer.',
          {
            delay: `max(prometheus_remote_storage_highest_timestamp_in_seconds{job="prometheus"}) - min(prometheus_remote_storage_queue_highest_sent_timestamp_seconds${sent} > 0)`,
          },
          { unit: 's', softMax: 10 },
        ),
        failures(
          'Ignored samples',
          'Samples that the store took and did not keep, by the reason. They are in Prometheus, but not in the store.',
          { '{{reason}}': `vm_rows_ignored_total${vm}` },
          { noValue: 'None ignored' },
        ),
      ],
    },
    {
      heading: 'Storage',
      height: 9,
      panels: [
        graph(
          'Size',
          'Size on disk of the samples, and of the index that finds them. An index that is larger than the samples: many series live only for a short time.',
          {
            samples: `sum(vm_data_size_bytes{job="victoriametrics", type=~"storage/.*"})`,
            index: `sum(vm_data_size_bytes{job="victoriametrics", type=~"indexdb/.*"})`,
          },
          { unit: 'bytes', stacked: true },
        ),
        graph(
          'Free space',
          'Free space of its disk. Below the limit it takes no samples.',
          { free: `min(vm_free_disk_space_bytes${vm})`, limit: `max(vm_free_disk_space_limit_bytes${vm})` },
          { unit: 'bytes', colours: { limit: 'red' } },
        ),
        graph(
          'New series',
          'Series per minute that the store has not seen before. Many all the time: a label changes with every start or request.',
          { series: perMinute(`vm_new_timeseries_created_total${vm}`) },
          { unit: aMinute },
        ),
      ],
    },
    {
      heading: 'Queries',
      height: 9,
      panels: [
        graph(
          'Queries',
          'Requests per second to its query API.',
          {
            '{{path}}': `sum by (path) (rate(vm_http_requests_total{job="victoriametrics", path=~"/api/v1/(query|query_range|series|labels)"}[$__rate_interval]))`,
          },
          { unit: 'reqps' },
        ),
        graph(
          'Query duration',
          'How long 99% of the queries take at most.',
          {
            '{{path}}': `max by (path) (vm_request_duration_seconds{job="victoriametrics", quantile="0.99", path=~"/api/v1/(query|query_range)"})`,
          },
          { unit: 's' },
        ),
        graph(
          'Memory',
          'Memory of the process. By default it uses up to 60% of the memory that its container may have.',
          { memory: `max(process_resident_memory_bytes${vm})` },
          { unit: 'bytes' },
        ),
      ],
    },
  ],
};
