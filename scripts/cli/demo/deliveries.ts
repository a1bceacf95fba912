import * as z from 'zod';
import { canaryAlert } from '../../../stack/canary.ts';
import type { Engine } from '../../engine/engine.ts';

/** An alert in a notification that the sink received. */
export interface Delivery {
  readonly status: 'firing' | 'resolved';
  readonly alertname: string;
  /** The `summary` annotation, or the alert's labels. */
  readonly summary: string;
  /** When the alert began, ISO 8601; identifies an incident. */
  readonly startsAt: string;
}

/** The body of Alertmanager's webhook requests (version 4). */
const notification = z.object({
  alerts: z.array(
    z.object({
      status: z.enum(['firing', 'resolved']),
      labels: z.record(z.string(), z.string()),
      annotations: z.record(z.string(), z.string()),
      startsAt: z.string(),
    }),
  ),
});

/** Parses a line of the sink's log; lines that are not notifications have no deliveries. */
function parseDeliveries(line: string): readonly Delivery[] {
  const start = line.indexOf('{');
  if (start < 0) return [];
  try {
    const { alerts } = notification.parse(JSON.parse(line.slice(start)));
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
  } catch {
    return [];
  }
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
    for (const delivery of parseDeliveries(line.text)) {
      // The test alert of a `promstack verify` before.
      if (delivery.alertname === canaryAlert) continue;
      const key = `${delivery.alertname} ${delivery.summary} ${delivery.startsAt} ${delivery.status}`;
      if (seen.has(key)) continue;
      seen.add(key);
      yield delivery;
    }
  }
}
