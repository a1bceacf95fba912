import { expect, test } from 'vitest';
import { remoteWrite } from '../../../stack/prometheus/remote-write.ts';

const now = 1_800_000_000;

/** A metrics page of a Prometheus 3.5.3 that has run for some seconds, and has samples up to now. */
function read(seconds: number, stores: readonly { url: string; sentAt: number; failed: number }[]) {
  const body = [
    `process_start_time_seconds ${now - seconds}`,
    `prometheus_remote_storage_highest_timestamp_in_seconds ${now}`,
    ...stores.flatMap(({ url, sentAt, failed }, at) => [
      `prometheus_remote_storage_queue_highest_sent_timestamp_seconds{remote_name="n${at}",url="${url}"} ${sentAt}`,
      `prometheus_remote_storage_samples_failed_total{remote_name="n${at}",url="${url}"} ${failed}`,
    ]),
  ].join('\n');
  return remoteWrite.read({ status: 200, body }, now * 1_000);
}

test('stores that get the samples must be right', () => {
  expect(read(3_600, [{ url: 'http://a', sentAt: now - 5, failed: 0 }])).toEqual({
    text: '1 store',
    values: { stores: 1, behind: 0, rejecting: [] },
    tone: 'right',
  });
});

test.each([
  [3_600, 0, 'nothing has been sent to the remote_write http://a since Prometheus started', 'wrong'],
  [30, 0, 'nothing has been sent to the remote_write http://a since Prometheus started', 'notice'],
  [3_600, now - 600, 'the remote_write http://a is 10 min behind', 'wrong'],
])('a store that does not get them must be named: up for %d s, last sent at %d', (seconds, sentAt, message, tone) => {
  expect(read(seconds, [{ url: 'http://a', sentAt, failed: 0 }])).toMatchObject({
    text: '1 store, 1 behind',
    tone,
    problems: [{ message, tryThis: 'promstack logs prometheus' }],
  });
});

test('a store that rejects samples must be named, with how many', () => {
  const stores = [
    { url: 'http://a', sentAt: now, failed: 0 },
    { url: 'http://b', sentAt: now, failed: 17 },
  ];
  expect(read(3_600, stores)).toMatchObject({
    text: '2 stores, 1 with rejected samples',
    tone: 'notice',
    problems: [{ message: 'the remote_write http://b has rejected 17 samples since Prometheus started' }],
  });
});
