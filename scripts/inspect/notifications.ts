import * as z from 'zod';
import type { Engine } from '../engine/engine.ts';

const labels = z.record(z.string(), z.string());

/** The body of Alertmanager's webhook requests (version 4). */
const notificationSchema = z.object({
  receiver: z.string(),
  status: z.enum(['firing', 'resolved']),
  groupLabels: labels,
  alerts: z.array(
    z.object({
      status: z.enum(['firing', 'resolved']),
      labels,
      annotations: labels,
      startsAt: z.string(),
      endsAt: z.string(),
    }),
  ),
});

/** A notification as Alertmanager sent it to the sink; times are ISO 8601, `endsAt` that of an alert's resolution. */
export type Notification = z.infer<typeof notificationSchema>;

/** The notification in a line of the sink's log; undefined in other lines. */
export function parseNotification(line: string): Notification | undefined {
  const start = line.indexOf('{');
  if (start < 0) return undefined;
  try {
    return notificationSchema.parse(JSON.parse(line.slice(start)));
  } catch {
    return undefined;
  }
}

/** The notifications that the container of a sink has received, all or since a time, oldest first. */
export async function readNotifications(
  engine: Pick<Engine, 'logs'>,
  container: string,
  options: { readonly since?: Date | undefined; readonly signal: AbortSignal },
): Promise<readonly Notification[]> {
  const notifications: Notification[] = [];
  for await (const { text } of engine.logs(container, options)) {
    const notification = parseNotification(text);
    if (notification !== undefined) notifications.push(notification);
  }
  return notifications;
}
