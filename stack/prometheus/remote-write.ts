import type { HealthIndicator, Reading } from '../model.ts';
import { sampleLabel, samplesOf } from '../values/metrics-page.ts';
import { counted } from '../values/words.ts';

/** Seconds; as in the alert PrometheusRemoteWriteBehind. */
const behindAfter = 120;

/** Whether the samples arrive at the stores of `remote_write`. */
export const remoteWrite: HealthIndicator = {
  label: 'remote write',
  request: { method: 'GET', port: 9090, path: '/metrics' },
  read: ({ body }, now) => readRemoteWrite(body, now / 1_000),
};

function readRemoteWrite(page: string, now: number): Reading {
  const firstOf = (metric: string): number => samplesOf(page, metric)[0]?.value ?? 0;
  const newest = firstOf('prometheus_remote_storage_highest_timestamp_in_seconds');
  const isYoung = now - firstOf('process_start_time_seconds') < behindAfter;
  const failed = new Map(
    samplesOf(page, 'prometheus_remote_storage_samples_failed_total').map(({ labels, value }) => [labels, value]),
  );
  const stores = samplesOf(page, 'prometheus_remote_storage_queue_highest_sent_timestamp_seconds').map((sample) => {
    const { labels, value: sentAt } = sample;
    return { url: sampleLabel(sample, 'url') ?? '?', sentAt, rejected: failed.get(labels) ?? 0 };
  });
  const behind = stores.filter(({ sentAt }) => newest - sentAt > behindAfter);
  const rejecting = stores.filter(({ rejected }) => rejected > 0);
  const values = { stores: stores.length, behind: behind.length, rejecting: rejecting.map(({ url }) => url) };
  const messages = [
    ...behind.map(({ url, sentAt }) =>
      sentAt === 0
        ? `nothing has been sent to the remote_write ${url} since Prometheus started`
        : `the remote_write ${url} is ${Math.round((newest - sentAt) / 60)} min behind`,
    ),
    ...rejecting.map(
      ({ url, rejected }) =>
        `the remote_write ${url} has rejected ${counted(rejected, 'sample')} since Prometheus started`,
    ),
  ];
  if (messages.length === 0) return { text: counted(stores.length, 'store'), values, tone: 'right' };
  const rejected = rejecting.length > 0 ? [`${rejecting.length} with rejected samples`] : [];
  return {
    text: [
      counted(stores.length, 'store'),
      ...(behind.length > 0 ? [`${behind.length} behind`] : []),
      ...rejected,
    ].join(', '),
    values,
    tone: behind.length > 0 && !isYoung ? 'wrong' : 'notice',
    problems: messages.map((message) => ({ message, tryThis: 'promstack logs prometheus' })),
  };
}
