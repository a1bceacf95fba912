import { type MetricSample, sampleLabel, samplesOf, sumOf } from '../../stack/values/metrics-page.ts';
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
/** The receiver of the stack's own sink, whose log has what was delivered. */
const sinkName = 'sink';
/** How many notifications of a receiver are shown. */
const shown = 10;
/** How far back the logs are read at first. */
const backMs = 24 * 3_600_000;

/** Notifications by the name of the receiver, the newest first. */
export type Notifications = ReadonlyMap<string, readonly PageNotification[]>;

/** Follows the alert log of one Alertmanager; where it records nothing, its log for failures and the sink for deliveries. */
export class NotificationLog {
  readonly #byReceiver = new Map<string, readonly PageNotification[]>();
  #source: LogSource | undefined;
  #since: Date | undefined;
  #sinkIsRead = false;

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
    this.#sinkIsRead = sink !== undefined;
  }

  get all(): Notifications {
    return this.#byReceiver;
  }

  /** Why deliveries to a receiver are not known, only failures; undefined when they are. */
  whyUnrecorded(receiver: string): string | undefined {
    return this.#sinkIsRead && receiver === sinkName ? undefined : this.#source?.whyUnrecorded;
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

interface LogSource {
  readonly log: AlertLog;
  readonly file?: AlertLogSource | undefined;
  /** Why there is no file. */
  readonly whyUnrecorded?: string | undefined;
  bytes: number;
}

async function openSource(servers: Servers): Promise<LogSource> {
  try {
    const file = await findAlertLog(servers);
    return { file, log: new AlertLog(file.config), bytes: 0 };
  } catch (error) {
    if (!(error instanceof StackError) || error instanceof NoAnswerError) throw error;
    // Its log has the failures at least.
    return { whyUnrecorded: error.why, log: new AlertLog({}), bytes: 0 };
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

export function toPageReceivers(
  routing: Routing,
  page: string,
  log: Pick<NotificationLog, 'all' | 'whyUnrecorded'>,
  at: Date,
): readonly PageReceiver[] {
  const countsByReceiver = requestCounts(page);
  return routing.receivers.map(({ name, integrations }) => {
    const notifications = log.all.get(name) ?? [];
    const counts = countsByReceiver?.(name);
    const whyUnrecorded = integrations.length === 0 ? undefined : log.whyUnrecorded(name);
    const state = stateOf(notifications, { counts, whyUnrecorded, integrations, at: at.getTime() });
    const byKind = counts === undefined ? kindsText(page, integrations) : undefined;
    const unknown = whyUnrecorded && [whyUnrecorded, byKind].filter((text) => text !== undefined).join('; ');
    return { id: idOf(name), name, integrations, ...counts, ...state, unknown, notifications };
  });
}

/** Requests to the integrations of a receiver: each attempt of a notification is one. */
type RequestCounts = Required<Pick<PageReceiver, 'delivered' | 'failed'>>;

const requestsMetric = 'alertmanager_notification_requests_total';
const failedRequestsMetric = 'alertmanager_notification_requests_failed_total';

/** The requests by receiver; undefined for an Alertmanager that counts by kind of integration only, as those before 0.27 do. */
function requestCounts(page: string): ((receiver: string) => RequestCounts) | undefined {
  const totals = samplesOf(page, requestsMetric);
  if (totals.some((sample) => sampleLabel(sample, 'receiver_name') === undefined)) return undefined;
  const sumFor = (metric: string, receiver: string): number =>
    sumWhere(page, metric, (sample) => sampleLabel(sample, 'receiver_name') === receiver);
  return (receiver) => toCounts((metric) => sumFor(metric, receiver));
}

function toCounts(sum: (metric: string) => number): RequestCounts {
  const failed = sum(failedRequestsMetric);
  return { delivered: Math.max(0, sum(requestsMetric) - failed), failed };
}

const sumWhere = (page: string, metric: string, isCounted: (sample: MetricSample) => boolean): number =>
  samplesOf(page, metric).reduce((sum, sample) => (isCounted(sample) ? sum + sample.value : sum), 0);

/** `of all receivers by webhook: 3 delivered, 1 failed` */
function kindsText(page: string, integrations: readonly string[]): string {
  const kinds = [...new Set(integrations)].map((kind) => {
    const { delivered, failed } = toCounts((metric) =>
      sumWhere(page, metric, (sample) => sampleLabel(sample, 'integration') === kind),
    );
    return `by ${kind} ${delivered} delivered, ${failed} failed`;
  });
  return `it counts requests of all receivers together: ${kinds.join('; ')}`;
}

/** Alertmanager sends what failed again with each group_interval, so that a failure without another one may be over. */
const failingMs = 15 * 60_000;

function stateOf(
  [last]: readonly PageNotification[],
  {
    counts,
    whyUnrecorded,
    integrations,
    at,
  }: {
    readonly counts: RequestCounts | undefined;
    readonly whyUnrecorded: string | undefined;
    readonly integrations: readonly string[];
    readonly at: number;
  },
): Pick<PageReceiver, 'state' | 'word'> {
  if (integrations.length === 0) return { state: 'ok', word: 'notifies nobody' };
  const { delivered = 0, failed = 0 } = counts ?? {};
  if (last?.outcome === 'failed') {
    const mayBeOver = whyUnrecorded !== undefined && at - last.at > failingMs;
    return mayBeOver ? { state: 'unknown', word: 'failed before' } : { state: 'wrong', word: 'failing' };
  }
  if (last !== undefined || delivered > 0) return { state: failed > 0 ? 'notice' : 'ok', word: 'delivered' };
  if (failed > 0) return { state: 'wrong', word: 'failing' };
  return counts === undefined ? { state: 'unknown', word: 'not known' } : { state: 'ok', word: 'not notified yet' };
}
