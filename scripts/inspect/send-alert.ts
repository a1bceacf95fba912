import { explainFailure, readNotifyFailure } from '../../stack/alertmanager/notify-failures.ts';
import { labelOf, samplesOf } from '../../stack/values/metrics-page.ts';
import type { AlertmanagerClient } from '../servers/alertmanager.ts';
import type { Servers } from '../servers/servers.ts';
import type { Clock } from '../util/clock.ts';
import type { TracedReceiver } from './alert-route.ts';

/** What became of the notification of one receiver. */
export interface AlertDelivery {
  readonly receiver: string;
  readonly integration: string;
  readonly outcome: 'delivered' | 'failed' | 'waiting';
  readonly why?: string;
  readonly tryThis?: string;
}

/** Requests to receivers of one kind of integration, as Alertmanager counts them since it started. */
interface Count {
  readonly done: number;
  readonly failed: number;
}

const pauseMs = 250;

/**
 * Sends an alert that ends by itself and waits until every receiver has been told. Alertmanager counts by kind of
 * integration and not by receiver, so who failed is read from its log; of those that did not fail, each counted success
 * is one.
 */
export async function sendAlert(told: {
  readonly api: AlertmanagerClient;
  readonly servers: Servers;
  readonly labels: Readonly<Record<string, string>>;
  readonly receivers: readonly TracedReceiver[];
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<readonly AlertDelivery[]> {
  const { api, servers, labels, receivers, timeoutMs, clock, signal } = told;
  const before = await api.metrics();
  const startedAt = clock.now();
  await api.send({
    labels,
    annotations: {
      summary: 'A test alert of promstack alert test',
      description: 'Nothing is wrong. It ends by itself.',
    },
    startsAt: new Date(startedAt).toISOString(),
    endsAt: new Date(startedAt + timeoutMs).toISOString(),
  });
  for (;;) {
    const [after, lines] = await Promise.all([api.metrics(), servers.lines('alertmanager', new Date(startedAt))]);
    const deliveries = judge(
      receivers,
      before,
      after,
      lines.map(({ text }) => text),
    );
    const isOver = clock.now() - startedAt >= timeoutMs;
    if (isOver || deliveries.every(({ outcome }) => outcome !== 'waiting')) return deliveries.map(settle);
    await clock.sleep(pauseMs, signal);
  }
}

/** A failure that is tried again counts as waiting until the end, with its cause. */
interface Judged extends AlertDelivery {
  readonly isFailing: boolean;
}

function judge(
  receivers: readonly TracedReceiver[],
  before: string,
  after: string,
  lines: readonly string[],
): readonly Judged[] {
  const failures = lines.flatMap((line) => readNotifyFailure(line) ?? []);
  const all = receivers.flatMap(({ name, integrations, route }) =>
    integrations.map((kind, at) => {
      const integration = `${kind}[${integrations.slice(0, at).filter((other) => other === kind).length}]`;
      const failure = failures.findLast((one) => one.receiver === name && one.integration === integration);
      return { name, kind, integration, failure, route };
    }),
  );
  const left = new Map<string, number>();
  for (const kind of new Set(all.map((one) => one.kind))) left.set(kind, successes(before, after, kind));
  return all.map(({ name, kind, integration, failure, route }): Judged => {
    const base = { receiver: name, integration, isFailing: failure !== undefined };
    if (failure?.isFinal === true) return { ...base, outcome: 'failed', ...explainFailure(failure) };
    const free = left.get(kind) ?? 0;
    const hasRivals = all.some((other) => other.kind === kind && other.failure === undefined);
    if (free > 0 && (failure === undefined || !hasRivals)) {
      left.set(kind, free - 1);
      return { ...base, isFailing: false, outcome: 'delivered' };
    }
    if (failure !== undefined) return { ...base, outcome: 'waiting', ...explainFailure(failure) };
    const { groupWait, groupInterval } = route.timing;
    return {
      ...base,
      outcome: 'waiting',
      why: `not sent yet: a new group waits ${groupWait}, one that was told before waits ${groupInterval}`,
      tryThis: 'a longer --timeout, or a label that makes a group of its own',
    };
  });
}

function settle({ isFailing, ...delivery }: Judged): AlertDelivery {
  return isFailing ? { ...delivery, outcome: 'failed' } : delivery;
}

function successes(before: string, after: string, kind: string): number {
  const [was, is] = [countOf(before, kind), countOf(after, kind)];
  return is.done - is.failed - (was.done - was.failed);
}

function countOf(page: string, kind: string): Count {
  const sum = (metric: string) =>
    samplesOf(page, metric)
      .filter((sample) => labelOf(sample, 'integration') === kind)
      .reduce((total, { value }) => total + value, 0);
  return {
    done: sum('alertmanager_notification_requests_total'),
    failed: sum('alertmanager_notification_requests_failed_total'),
  };
}
