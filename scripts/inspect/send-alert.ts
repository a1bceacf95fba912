import type { Labels } from '../../stack/alertmanager/matcher.ts';
import { explainFailure, type NotifyFailure, readNotifyFailure } from '../../stack/alertmanager/notify-failures.ts';
import { type MetricSample, sampleLabel, samplesOf } from '../../stack/values/metrics-page.ts';
import { parseDuration } from '../../stack/values/units.ts';
import type { AlertmanagerClient } from '../servers/alertmanager.ts';
import type { Servers } from '../servers/servers.ts';
import type { Clock } from '../util/clock.ts';
import type { TracedReceiver } from './alert-route.ts';

/** The outcome of notifying one integration of a receiver. */
export interface AlertDelivery {
  readonly receiver: string;
  readonly integration: string;
  readonly outcome: 'delivered' | 'failed' | 'waiting';
  readonly why?: string;
  readonly tryThis?: string;
}

const pauseMs = 250;

/**
 * Sends an alert that resolves by itself, and waits until all receivers have been notified: failures are read from Alertmanager's
 * log, successes from its counters by receiver.
 */
export async function sendAlert({
  client,
  servers,
  labels,
  receivers,
  timeoutMs,
  annotations = {
    summary: 'Test alert of promstack alert test',
    description: 'Nothing is wrong. It resolves by itself.',
  },
  resolvedFrom,
  clock,
  signal,
}: {
  readonly client: AlertmanagerClient;
  readonly servers: Servers;
  readonly labels: Labels;
  readonly receivers: readonly TracedReceiver[];
  readonly timeoutMs: number;
  readonly annotations?: Labels | undefined;
  /** For the resolution of an alert that was sent before: when that began, in milliseconds since 1970. */
  readonly resolvedFrom?: number | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<readonly AlertDelivery[]> {
  const before = await client.metrics();
  const startedAt = clock.now();
  await client.send({
    labels,
    annotations,
    startsAt: new Date(resolvedFrom ?? startedAt).toISOString(),
    endsAt: new Date(resolvedFrom === undefined ? startedAt + timeoutMs : startedAt).toISOString(),
  });
  for (;;) {
    const [after, lines] = await Promise.all([client.metrics(), servers.lines('alertmanager', new Date(startedAt))]);
    const failures = lines.flatMap(({ text }) => readNotifyFailure(text) ?? []);
    const elapsedMs = clock.now() - startedAt;
    const delivered = (receiver: string, kind: string): number | undefined => {
      const count = successes(after, receiver, kind);
      return count === undefined ? undefined : count - (successes(before, receiver, kind) ?? 0);
    };
    const pending = assessDeliveries(receivers, delivered, failures, elapsedMs);
    const isOver = elapsedMs >= timeoutMs;
    if (isOver || pending.every(({ outcome }) => outcome !== 'waiting')) {
      return pending.map(({ isFailing, ...delivery }) => (isFailing ? { ...delivery, outcome: 'failed' } : delivery));
    }
    await clock.sleep(pauseMs, signal);
  }
}

/** A failure that Alertmanager retries is `waiting` until the timeout. */
interface PendingDelivery extends AlertDelivery {
  readonly isFailing: boolean;
}

/**
 * What became of each integration. Alertmanager counts by receiver and kind of integration, so those of one kind in a receiver are
 * assessed together: none counts as notified before all that did not fail are.
 */
export function assessDeliveries(
  receivers: readonly TracedReceiver[],
  delivered: (receiver: string, kind: string) => number | undefined,
  failures: readonly NotifyFailure[],
  elapsedMs: number,
): readonly PendingDelivery[] {
  return receivers.flatMap(({ name, integrations, route }) => {
    const all = integrations.map((kind, index) => {
      const integration = `${kind}[${integrations.slice(0, index).filter((earlier) => earlier === kind).length}]`;
      const failure = failures.findLast((line) => line.receiver === name && line.integration === integration);
      return { kind, integration, failure };
    });
    const { groupWait, groupInterval } = route.timing;
    // Earlier ones are notifications of other groups.
    const mayBeSent = elapsedMs >= (parseDuration(groupWait) ?? 0);
    return all.map(({ kind, integration, failure }): PendingDelivery => {
      const base = { receiver: name, integration, isFailing: failure !== undefined };
      if (failure?.isFinal === true) return { ...base, outcome: 'failed', ...explainFailure(failure) };
      const alike = all.filter((other) => other.kind === kind);
      const working = alike.filter((other) => other.failure === undefined).length;
      const count = delivered(name, kind);
      const isNotified = count !== undefined && count >= (failure === undefined ? working : alike.length);
      if (mayBeSent && isNotified) return { ...base, isFailing: false, outcome: 'delivered' };
      if (failure !== undefined) return { ...base, outcome: 'waiting', ...explainFailure(failure) };
      const isUnknown = mayBeSent && count === undefined;
      return {
        ...base,
        outcome: 'waiting',
        why: isUnknown
          ? 'unknown: this Alertmanager does not count notifications by receiver'
          : `not sent yet: group_wait is ${groupWait} for a new group, group_interval ${groupInterval} for an existing one`,
        tryThis: isUnknown
          ? 'promstack up, which starts it with --enable-feature=receiver-name-in-metrics'
          : 'use a longer --timeout, or a label that creates a new group',
      };
    });
  });
}

/** Successful notification requests to a receiver since Alertmanager started; undefined when it does not count by receiver. */
function successes(page: string, receiver: string, kind: string): number | undefined {
  const total = samplesOf(page, 'alertmanager_notification_requests_total');
  if (!total.some((sample) => sampleLabel(sample, 'receiver_name') !== undefined)) return undefined;
  const sum = (samples: readonly MetricSample[]) =>
    samples
      .filter((one) => sampleLabel(one, 'integration') === kind && sampleLabel(one, 'receiver_name') === receiver)
      .reduce((sofar, { value }) => sofar + value, 0);
  return sum(total) - sum(samplesOf(page, 'alertmanager_notification_requests_failed_total'));
}
