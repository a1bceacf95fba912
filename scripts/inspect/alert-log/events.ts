import type { Labels } from '../../../stack/alertmanager/matcher.ts';
import {
  explainFailure,
  type NotifyFailure,
  type RetriedNotification,
  readNotifyFailure,
  readRetried,
} from '../../../stack/alertmanager/notify-failures.ts';
import type { RecordedAlert, RecordedEvent, RecordedSilence } from '../../../stack/alertmanager/recorded-events.ts';
import { logfmt } from '../../../stack/values/logfmt.ts';
import type { Mapping } from '../../../stack/values/mapping.ts';
import type { LogLine } from '../../engine/log-line.ts';
import { compareTimes } from '../logs.ts';
import { type MutedAlert, MutedAlerts } from './muted.ts';

/** What suppressed the notification of an alert. */
export type Suppression =
  | { readonly kind: 'silence'; readonly silence: RecordedSilence }
  | {
      readonly kind: 'inhibition';
      /** The inhibiting alerts; empty when they were recorded too long ago. */
      readonly alerts: readonly Labels[];
    }
  /** `muted by weekend`. */
  | { readonly kind: 'timeInterval'; readonly mutedBy: string };

/** An event of the alert log. Repetitions, such as an alert that is silenced at each group_interval, are one event. */
export interface AlertEvent {
  /** RFC 3339. */
  readonly time: string;
  readonly event:
    | 'created'
    | 'grouped'
    | 'notified'
    | 'failed'
    | 'suppressed'
    | 'resolved'
    | 'silenceCreated'
    | 'silenceUpdated'
    | 'started'
    | 'stopped';
  readonly alerts: readonly RecordedAlert[];
  readonly group?: Labels | undefined;
  readonly receiver?: string | undefined;
  /** `webhook[0]`. */
  readonly integration?: string | undefined;
  /** Why it was notified: `first notification`. */
  readonly reason?: string | undefined;
  /** Of a notification that was accepted after others had failed. */
  readonly attempts?: number | undefined;
  /** Why a notification failed, and whether Alertmanager has given it up. */
  readonly failure?: { readonly why: string; readonly isFinal: boolean } | undefined;
  readonly suppressedBy?: Suppression | undefined;
  readonly silence?: RecordedSilence | undefined;
  readonly version?: string | undefined;
  /** The receivers of its alerts, as they were grouped; for an event that has no receiver of its own. */
  readonly receivers: readonly string[];
  readonly times: number;
  /** Of its last repetition. */
  readonly until?: string | undefined;
}

/** Joins the records of Alertmanager with the failures in its log, in the order of time; `config` is its parsed alertmanager.yml. */
export class AlertLog {
  readonly #joined = new Joined();
  readonly #muted: MutedAlerts;
  #lastLine: string | undefined;

  constructor(config: Mapping) {
    this.#muted = new MutedAlerts(config);
  }

  /** Takes records and log lines that follow the earlier ones, and returns the events that are new. Lines may be given again. */
  add(records: readonly RecordedEvent[], lines: readonly LogLine[], now: number): readonly AlertEvent[] {
    const last = this.#lastLine;
    const newLines = lines.filter(({ time }) => last === undefined || compareTimes(time, last) > 0);
    this.#lastLine = newLines.at(-1)?.time ?? last;
    const before = this.#joined.events.length;
    const entries: readonly Entry[] = [
      ...records.map((record): Entry => ({ time: record.time, kind: 'record', record })),
      ...newLines.flatMap(readLine),
      ...this.#muted.add(records, now).map((muted): Entry => ({ time: muted.time, kind: 'muted', muted })),
    ].toSorted((a, b) => compareTimes(a.time, b.time));
    for (const entry of entries) this.#joined.add(entry);
    return this.#joined.events.slice(before);
  }
}

type Entry = { readonly time: string } & (
  | { readonly kind: 'record'; readonly record: RecordedEvent }
  | { readonly kind: 'failure'; readonly failure: NotifyFailure }
  | { readonly kind: 'retried'; readonly retried: RetriedNotification }
  | { readonly kind: 'muted'; readonly muted: MutedAlert }
);

function readLine({ text, time: printed }: LogLine): readonly Entry[] {
  const failure = readNotifyFailure(text);
  const retried = failure === undefined ? readRetried(text) : undefined;
  // The engine's time is that of the whole line, which it may read late.
  const logged = logfmt(text)['time'] ?? logfmt(text)['ts'] ?? '';
  const time = Number.isNaN(Date.parse(logged)) ? printed : logged;
  if (failure !== undefined) return [{ time, kind: 'failure', failure }];
  return retried === undefined ? [] : [{ time, kind: 'retried', retried }];
}

/** An event to add; those with the same `what` are repetitions. */
type Draft = Omit<AlertEvent, 'time' | 'times' | 'receivers'> & { readonly what?: string };

class Joined {
  readonly events: AlertEvent[] = [];
  /** The labels of each alert, by fingerprint. */
  readonly #labels = new Map<string, Labels>();
  /** The alerts in each group, by receiver and group key. */
  readonly #groups = new Map<string, { readonly labels: Labels; readonly alerts: Map<string, RecordedAlert> }>();
  /** The attempts of notifications that are accepted and not recorded yet. */
  readonly #attempts = new Map<string, number>();
  readonly #receivers = new Map<string, Set<string>>();
  /** Where the event of an alert's creation is. */
  readonly #created = new Map<string, number>();
  /** Where the event of each key is, until something else happens to its alerts. */
  readonly #open = new Map<string, number>();

  add(entry: Entry): void {
    const draft = entry.kind === 'record' ? this.#ofRecord(entry.record) : this.#ofOther(entry);
    if (draft !== undefined) this.#push(entry.time, draft);
  }

  #ofOther(entry: Exclude<Entry, { kind: 'record' }>): Draft | undefined {
    switch (entry.kind) {
      case 'muted': {
        const { alert, group, receiver, mutedBy } = entry.muted;
        const suppressedBy = { kind: 'timeInterval', mutedBy } as const;
        return { event: 'suppressed', alerts: [alert], group, receiver, suppressedBy, what: mutedBy };
      }
      case 'failure': {
        const { receiver, integration, isFinal, group = '' } = entry.failure;
        const { why } = explainFailure(entry.failure);
        const failed = this.#groups.get(groupId(receiver, group));
        const alerts = [...(failed?.alerts.values() ?? [])];
        const failure = { why: why.replace(/^the receiver .*? \(\S+?\) /, ''), isFinal };
        const what = `${group} ${why} ${isFinal}`;
        return { event: 'failed', alerts, group: failed?.labels, receiver, integration, failure, what };
      }
      case 'retried': {
        // Alertmanager records the notification right after it has logged it.
        const { receiver, integration, group, attempts } = entry.retried;
        this.#attempts.set(`${receiver} ${integration} ${group}`, attempts);
        return undefined;
      }
    }
  }

  #ofRecord(record: RecordedEvent): Draft | undefined {
    switch (record.kind) {
      case 'started':
        this.#groups.clear();
        return { event: 'started', alerts: [], version: record.version };
      case 'stopped':
        return { event: 'stopped', alerts: [] };
      case 'silenceCreated':
      case 'silenceUpdated':
        return { event: record.kind, alerts: [], silence: record.silence };
      case 'created':
        this.#labels.set(record.alert.fingerprint, record.alert.labels);
        this.#close(record.alert);
        for (const { alerts } of this.#groups.values()) alerts.delete(record.alert.fingerprint);
        this.#created.set(record.alert.fingerprint, this.events.length);
        return { event: 'created', alerts: [record.alert] };
      case 'grouped':
      case 'resolved':
        return this.#ofGrouped(record);
      case 'notified': {
        const { alerts, receiver, integration, reason, group } = record;
        for (const alert of alerts) this.#close(alert);
        this.#forget((key) => key.startsWith(`failed ${receiver} ${integration} ${group.key} `));
        const id = `${receiver} ${integration} ${group.key}`;
        const attempts = this.#attempts.get(id);
        this.#attempts.delete(id);
        return { event: 'notified', alerts, group: group.labels, receiver, integration, reason, attempts };
      }
      case 'silenced': {
        const { alert, silence } = record;
        return { event: 'suppressed', alerts: [alert], suppressedBy: { kind: 'silence', silence }, what: silence.id };
      }
      case 'inhibited': {
        const alerts = record.by.flatMap((fingerprint): readonly Labels[] => {
          const labels = this.#labels.get(fingerprint);
          return labels === undefined ? [] : [labels];
        });
        const suppressedBy = { kind: 'inhibition', alerts } as const;
        return { event: 'suppressed', alerts: [record.alert], suppressedBy, what: record.by.join() };
      }
    }
  }

  #ofGrouped({ kind, alert, group, receiver }: RecordedEvent & { kind: 'grouped' | 'resolved' }): Draft | undefined {
    const { fingerprint } = alert;
    this.#labels.set(fingerprint, alert.labels);
    const id = groupId(receiver, group.key);
    const { alerts } = this.#groups.get(id) ?? { alerts: new Map<string, RecordedAlert>() };
    this.#groups.set(id, { labels: group.labels, alerts });
    const receivers = (this.#receivers.get(fingerprint) ?? new Set()).add(receiver);
    this.#receivers.set(fingerprint, receivers);
    const at = this.#created.get(fingerprint) ?? -1;
    const created = this.events[at];
    if (created !== undefined) this.events[at] = { ...created, receivers: [...receivers] };
    // After each reload all alerts are grouped again, those that are resolved too.
    const isRepeated = kind === 'grouped' ? alert.isResolved || alerts.has(fingerprint) : !alerts.has(fingerprint);
    if (kind === 'grouped' && !alert.isResolved) alerts.set(fingerprint, alert);
    if (kind === 'resolved') alerts.delete(fingerprint);
    if (kind === 'resolved') this.#close(alert);
    return isRepeated ? undefined : { event: kind, alerts: [alert], group: group.labels, receiver };
  }

  /** What happens to an alert from now on is a new event. */
  #close({ fingerprint }: RecordedAlert): void {
    this.#forget((key) => key.endsWith(` ${fingerprint}`) && !key.startsWith('failed '));
  }

  #forget(isOf: (key: string) => boolean): void {
    for (const key of this.#open.keys()) if (isOf(key)) this.#open.delete(key);
  }

  /** Adds an event, or counts it as a repetition of the open one with the same `what`. */
  #push(time: string, { what, ...draft }: Draft): void {
    const { event, alerts, receiver = '', integration = '' } = draft;
    const fingerprints = alerts.map(({ fingerprint }) => fingerprint);
    const key = what === undefined ? undefined : `${event} ${receiver} ${integration} ${what} ${fingerprints.join()}`;
    const at = key === undefined ? undefined : this.#open.get(key);
    const earlier = at === undefined ? undefined : this.events[at];
    if (at !== undefined && earlier !== undefined) {
      this.events[at] = { ...earlier, times: earlier.times + 1, until: time };
      return;
    }
    if (key !== undefined) this.#open.set(key, this.events.length);
    const receivers = fingerprints.flatMap((fingerprint) => [...(this.#receivers.get(fingerprint) ?? [])]);
    this.events.push({ time, ...draft, receivers: [...new Set(receivers)], times: 1 });
  }
}

const groupId = (receiver: string, key: string): string => `${receiver}\0${key}`;
