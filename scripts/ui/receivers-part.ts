import { sampleLabel, samplesOf, sumOf } from '../../stack/values/metrics-page.ts';
import type { Engine } from '../engine/engine.ts';
import { type AlertEvent, AlertLog } from '../inspect/alert-log/events.ts';
import { type AlertLogSource, findAlertLog, readNewRecords, readRecords } from '../inspect/alert-log/read.ts';
import { readNotifications } from '../inspect/notifications.ts';
import type { Routing } from '../servers/alertmanager.ts';
import { NoAnswerError, type Servers } from '../servers/servers.ts';
import { StackError } from '../util/stack-error.ts';
import { idOf } from './gateway-part.ts';
import type { PageNotification, PageReceiver } from './page-state.ts';

const service = 'alertmanager';
/** How many notifications of a receiver are shown. */
const shown = 10;
/** How far back the logs are read at first. */
const backMs = 24 * 3_600_000;

/** Notifications by the name of the receiver, the newest first. */
export type Notifications = ReadonlyMap<string, readonly PageNotification[]>;

/** Follows the alert log of one Alertmanager; where it records nothing, its log for failures and the sink for deliveries. */
export class NotificationLog {
  readonly #byReceiver = new Map<string, readonly PageNotification[]>();
  #source: { readonly log: AlertLog; readonly file: AlertLogSource | undefined; bytes: number } | undefined;
  #since: Date | undefined;

  async read(
    servers: Servers,
    engine: Pick<Engine, 'logs'>,
    sink: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const startedAt = new Date();
    const since = this.#since ?? new Date(startedAt.getTime() - backMs);
    const source = this.#source ?? (await openSource(servers));
    const isFirst = this.#source === undefined;
    const { file, log } = source;
    const read =
      file === undefined
        ? { events: [], bytes: 0 }
        : isFirst
          ? await readRecords(servers, file)
          : await readNewRecords(servers, file, source.bytes);
    const events = log.add(read.events, await servers.lines(service, since), startedAt.getTime());
    for (const event of events) this.#addEvent(event);
    if (file === undefined && sink !== undefined) {
      for (const { receiver, status, alerts } of await readNotifications(engine, sink, { since, signal })) {
        const names = alerts.map(({ labels }) => labels['alertname'] ?? '');
        const at = Math.max(
          ...alerts.map(({ startsAt, endsAt }) => Date.parse(status === 'resolved' ? endsAt : startsAt)),
        );
        this.#add(receiver, { at, outcome: 'delivered', integration: 'webhook', text: status, alerts: names });
      }
    }
    this.#source = { ...source, bytes: read.bytes };
    this.#since = startedAt;
  }

  get all(): Notifications {
    return this.#byReceiver;
  }

  #addEvent({ event, time, receiver, integration, reason, failure, alerts }: AlertEvent): void {
    if (receiver === undefined || (event !== 'notified' && event !== 'failed')) return;
    this.#add(receiver, {
      at: Date.parse(time),
      outcome: event === 'notified' ? 'delivered' : 'failed',
      integration,
      text: (event === 'notified' ? reason : failure?.why) ?? '',
      alerts: [...new Set(alerts.map(({ labels }) => labels['alertname'] ?? ''))],
    });
  }

  #add(receiver: string, notification: PageNotification): void {
    const before = this.#byReceiver.get(receiver) ?? [];
    this.#byReceiver.set(receiver, [notification, ...before].toSorted((a, b) => b.at - a.at).slice(0, shown));
  }
}

async function openSource(servers: Servers) {
  try {
    const file = await findAlertLog(servers);
    return { file, log: new AlertLog(file.config), bytes: 0 };
  } catch (error) {
    if (!(error instanceof StackError) || error instanceof NoAnswerError) throw error;
    // It records nothing: its log has the failures at least.
    return { file: undefined, log: new AlertLog({}), bytes: 0 };
  }
}

/** Counters of Alertmanager since it started. */
export interface NotificationCounts {
  readonly sent: number;
  readonly failed: number;
}

export function countNotifications(page: string): NotificationCounts {
  return { sent: sumOf(page, sentMetric), failed: sumOf(page, failedMetric) };
}

const sentMetric = 'alertmanager_notifications_total';
const failedMetric = 'alertmanager_notifications_failed_total';

export function toPageReceivers(routing: Routing, page: string, notifications: Notifications): readonly PageReceiver[] {
  const countOf = (metric: string, receiver: string): number =>
    samplesOf(page, metric).reduce(
      (sum, sample) => (sampleLabel(sample, 'receiver_name') === receiver ? sum + sample.value : sum),
      0,
    );
  return routing.receivers.map(({ name, integrations }) => {
    const own = notifications.get(name) ?? [];
    const counts = { sent: countOf(sentMetric, name), failed: countOf(failedMetric, name) };
    return { id: idOf(name), name, integrations, ...counts, ...stateOf(own, counts, integrations), notifications: own };
  });
}

function stateOf(
  [last]: readonly PageNotification[],
  { sent, failed }: NotificationCounts,
  integrations: readonly string[],
): Pick<PageReceiver, 'state' | 'word'> {
  if (integrations.length === 0) return { state: 'ok', word: 'notifies nobody' };
  if (last?.outcome === 'failed' || (last === undefined && failed > 0)) return { state: 'wrong', word: 'failing' };
  if (last !== undefined || sent > 0) return { state: failed > 0 ? 'notice' : 'ok', word: 'delivered' };
  return { state: 'ok', word: 'not notified yet' };
}
