import { sampleLabel, samplesOf } from '../../../stack/values/metrics-page.ts';

/** How many requests to the integrations of one kind in a receiver failed, since Alertmanager started. */
export interface FailedRequests {
  readonly receiver: string;
  /** `webhook`. */
  readonly integration: string;
  readonly failed: number;
  readonly total: number;
}

/** The receivers with failed requests, by the counters of Alertmanager, whose log leaves out attempts that fail alike. */
export function failedRequests(page: string): readonly FailedRequests[] {
  const totals = samplesOf(page, 'alertmanager_notification_requests_total');
  return samplesOf(page, 'alertmanager_notification_requests_failed_total').flatMap((sample) => {
    const [receiver, integration] = [sampleLabel(sample, 'receiver_name'), sampleLabel(sample, 'integration')];
    if (sample.value === 0 || receiver === undefined || integration === undefined) return [];
    const total = totals.find(({ labels }) => labels === sample.labels)?.value ?? sample.value;
    return [{ receiver, integration, failed: sample.value, total }];
  });
}
