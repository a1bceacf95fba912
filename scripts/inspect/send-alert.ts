import type { Labels } from '../../stack/alertmanager/matcher.ts';
import { explainFailure, type NotifyFailure, readNotifyFailure } from '../../stack/alertmanager/notify-failures.ts';
import { sampleLabel, samplesOf } from '../../stack/values/metrics-page.ts';
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
 * Sends an alert that resolves by itself, and waits until all receivers have been notified. Alertmanager counts
 * notifications per kind of integration, not per receiver. So failures are read from its log, and each counted success
 * is assigned to a receiver that did not fail.
 */
export async function sendAlert({
  client,
  servers,
  labels,
  receivers,
  timeoutMs,
  clock,
  signal,
}: {
  readonly client: AlertmanagerClient;
  readonly servers: Servers;
  readonly labels: Labels;
  readonly receivers: readonly TracedReceiver[];
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<readonly AlertDelivery[]> {
  const before = await client.metrics();
  const startedAt = clock.now();
  await client.send({
    labels,
    annotations: {
      summary: 'Test alert of promstack alert test',
      description: 'Nothing is wrong. It resolves by itself.',
    },
    startsAt: new Date(startedAt).toISOString(),
    endsAt: new Date(startedAt + timeoutMs).toISOString(),
  });
  for (;;) {
    const [after, lines] = await Promise.all([client.metrics(), servers.lines('alertmanager', new Date(startedAt))]);
    const failures = lines.flatMap(({ text }) => readNotifyFailure(text) ?? []);
    const pending = assessDeliveries(receivers, (kind) => successes(after, kind) - successes(before, kind), failures);
    const isOver = clock.now() - startedAt >= timeoutMs;
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

function assessDeliveries(
  receivers: readonly TracedReceiver[],
  delivered: (kind: string) => number,
  failures: readonly NotifyFailure[],
): readonly PendingDelivery[] {
  const all = receivers.flatMap(({ name, integrations, route }) =>
    integrations.map((kind, index) => {
      const integration = `${kind}[${integrations.slice(0, index).filter((earlier) => earlier === kind).length}]`;
      const failure = failures.findLast((line) => line.receiver === name && line.integration === integration);
      return { name, kind, integration, failure, route };
    }),
  );
  const unassigned = new Map(all.map(({ kind }) => [kind, delivered(kind)]));
  return all.map(({ name, kind, integration, failure, route }): PendingDelivery => {
    const base = { receiver: name, integration, isFailing: failure !== undefined };
    if (failure?.isFinal === true) return { ...base, outcome: 'failed', ...explainFailure(failure) };
    const count = unassigned.get(kind) ?? 0;
    const allFailed = all.every((delivery) => delivery.kind !== kind || delivery.failure !== undefined);
    if (count > 0 && (failure === undefined || allFailed)) {
      unassigned.set(kind, count - 1);
      return { ...base, isFailing: false, outcome: 'delivered' };
    }
    if (failure !== undefined) return { ...base, outcome: 'waiting', ...explainFailure(failure) };
    const { groupWait, groupInterval } = route.timing;
    return {
      ...base,
      outcome: 'waiting',
      why: `not sent yet: group_wait is ${groupWait} for a new group, group_interval ${groupInterval} for an existing one`,
      tryThis: 'use a longer --timeout, or a label that creates a new group',
    };
  });
}

/** Successful notification requests of one kind of integration since Alertmanager started. */
function successes(page: string, kind: string): number {
  const sum = (metric: string) =>
    samplesOf(page, metric)
      .filter((sample) => sampleLabel(sample, 'integration') === kind)
      .reduce((total, { value }) => total + value, 0);
  return sum('alertmanager_notification_requests_total') - sum('alertmanager_notification_requests_failed_total');
}
