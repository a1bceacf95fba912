import { canaryAlert } from '../../../stack/canary.ts';
import type { Engine } from '../../engine/engine.ts';
import { type Notification, parseNotification } from '../../inspect/notifications.ts';

/** An alert in a notification that the sink received. */
export interface Delivery {
  readonly status: 'firing' | 'resolved';
  readonly alertname: string;
  /** The `summary` annotation, or the alert's labels. */
  readonly summary: string;
  /** When the alert began, ISO 8601; identifies an incident. */
  readonly startsAt: string;
}

function deliveriesIn({ alerts }: Notification): readonly Delivery[] {
  return alerts.map(({ status, labels, annotations, startsAt }) => ({
    status,
    alertname: labels['alertname'] ?? 'an alert without a name',
    summary:
      annotations['summary'] ??
      Object.entries(labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
    startsAt,
  }));
}

/** Alerts as they arrive at the sink, each state of an alert once even when it is repeated. */
export async function* deliveries(
  engine: Engine,
  sink: string,
  since: Date,
  signal: AbortSignal,
): AsyncIterable<Delivery> {
  const seen = new Set<string>();
  for await (const line of engine.logs(sink, { follow: true, since, signal })) {
    const notification = parseNotification(line.text);
    for (const delivery of notification === undefined ? [] : deliveriesIn(notification)) {
      // The test alert of a `promstack verify` before.
      if (delivery.alertname === canaryAlert) continue;
      const key = `${delivery.alertname} ${delivery.summary} ${delivery.startsAt} ${delivery.status}`;
      if (seen.has(key)) continue;
      seen.add(key);
      yield delivery;
    }
  }
}
