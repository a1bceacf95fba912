import * as z from 'zod';
import { isMapping } from '../values/mapping.ts';
import { parseJson } from '../values/parse.ts';
import type { Labels } from './matcher.ts';

/** An alert in a record of Alertmanager's event recorder. */
export interface RecordedAlert {
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly isResolved: boolean;
}

/** The group of a record. */
interface RecordedGroup {
  /** Names the route and the labels: `{}/{severity="page"}:{alertname="DiskFull"}`. */
  readonly key: string;
  readonly labels: Labels;
}

export interface RecordedSilence {
  readonly id: string;
  readonly createdBy: string;
  readonly comment: string;
  readonly endsAt: string;
  readonly matchers: readonly string[];
}

/** A record of Alertmanager's event recorder; `time` is RFC 3339 with up to nine decimals. */
export type RecordedEvent = { readonly time: string } & (
  | { readonly kind: 'started'; readonly version: string }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'created'; readonly alert: RecordedAlert }
  | ({ readonly kind: 'grouped' | 'resolved'; readonly alert: RecordedAlert } & Receiving)
  | ({
      readonly kind: 'notified';
      readonly alerts: readonly RecordedAlert[];
      /** `webhook[0]`. */
      readonly integration: string;
      /** `first notification`. */
      readonly reason: string;
    } & Receiving)
  | { readonly kind: 'silenceCreated' | 'silenceUpdated'; readonly silence: RecordedSilence }
  | { readonly kind: 'silenced'; readonly alert: RecordedAlert; readonly silence: RecordedSilence }
  | {
      readonly kind: 'inhibited';
      readonly alert: RecordedAlert;
      /** Fingerprints. */
      readonly by: readonly string[];
    }
);

interface Receiving {
  readonly group: RecordedGroup;
  readonly receiver: string;
}

/** protojson writes 64-bit numbers as strings. */
const number = z.union([z.string(), z.number()]).transform(String);

const labels = z
  .object({ labels: z.array(z.object({ key: z.string(), value: z.string().default('') })).default([]) })
  .default({ labels: [] })
  .transform((set): Labels => Object.fromEntries(set.labels.map(({ key, value }) => [key, value])));

const alert = z
  .object({ fingerprint: number, labels, resolved: z.boolean().default(false) })
  .transform(({ resolved, ...rest }): RecordedAlert => ({ ...rest, isResolved: resolved }));

const grouped = z
  .object({
    alert: z.object({ details: alert }),
    groupInfo: z.object({ groupKey: z.string(), groupLabels: labels, receiverName: z.string() }),
  })
  .transform((event) => ({ alert: event.alert.details, ...receiving(event.groupInfo) }));

const notification = z
  .object({
    alerts: z.array(z.object({ details: alert })).default([]),
    groupInfo: z.object({ groupKey: z.string(), groupLabels: labels, receiverName: z.string() }),
    reason: z.string().default(''),
    integration: z.object({ name: z.string(), index: number.default('0') }),
  })
  .transform(({ alerts, groupInfo, reason, integration }) => ({
    alerts: alerts.map(({ details }) => details),
    ...receiving(groupInfo),
    integration: `${integration.name}[${integration.index}]`,
    reason: reason
      .replace(/^NOTIFY_REASON_(?:UNSPECIFIED$)?/, '')
      .toLowerCase()
      .replaceAll('_', ' '),
  }));

const silence = z
  .object({
    id: z.string(),
    createdBy: z.string().default(''),
    comment: z.string().default(''),
    endsAt: z.string(),
    matchers: z.array(z.object({ rendered: z.string() })).default([]),
  })
  .transform((fields): RecordedSilence => ({ ...fields, matchers: fields.matchers.map(({ rendered }) => rendered) }));

function receiving(info: { groupKey: string; groupLabels: Labels; receiverName: string }): Receiving {
  return { group: { key: info.groupKey, labels: info.groupLabels }, receiver: info.receiverName };
}

/** What each kind of record holds, by its name in the file (eventrecorder/eventrecorderpb/eventrecorder.proto). */
const payloads = {
  alertmanagerStartupEvent: z
    .object({ version: z.string().default('') })
    .transform(({ version }) => ({ kind: 'started' as const, version })),
  alertmanagerShutdownEvent: z.object({}).transform(() => ({ kind: 'stopped' as const })),
  alertCreated: z.object({ alert }).transform((event) => ({ kind: 'created' as const, alert: event.alert })),
  alertGrouped: grouped.transform((event) => ({ kind: 'grouped' as const, ...event })),
  alertResolved: grouped.transform((event) => ({ kind: 'resolved' as const, ...event })),
  notification: notification.transform((event) => ({ kind: 'notified' as const, ...event })),
  silenceCreated: z.object({ silence }).transform((event) => ({ kind: 'silenceCreated' as const, ...event })),
  silenceUpdated: z.object({ silence }).transform((event) => ({ kind: 'silenceUpdated' as const, ...event })),
  silenceMutedAlert: z
    .object({ silence, mutedAlert: alert })
    .transform((event) => ({ kind: 'silenced' as const, alert: event.mutedAlert, silence: event.silence })),
  inhibitionMutedAlert: z
    .object({ mutedAlert: alert, inhibitingFingerprints: z.array(number).default([]) })
    .transform((event) => ({
      kind: 'inhibited' as const,
      alert: event.mutedAlert,
      by: event.inhibitingFingerprints,
    })),
};

/**
 * Parses a line of the file of the event recorder; undefined for a record of an unknown kind. Keys may be in camelCase or in
 * snake_case: the format is experimental, and both are valid for it (protojson).
 */
export function parseRecordedEvent(line: string): RecordedEvent | undefined {
  const record = camelKeys(parseJson(line));
  if (!isMapping(record) || !isMapping(record['data'])) return undefined;
  const time = record['@timestamp'] ?? record['timestamp'];
  const [[name, value] = []] = Object.entries(record['data']);
  if (typeof time !== 'string' || Number.isNaN(Date.parse(time)) || name === undefined) return undefined;
  const schema = Object.hasOwn(payloads, name) ? payloads[name as keyof typeof payloads] : undefined;
  const payload = schema?.safeParse(value);
  return payload?.success === true ? { time, ...payload.data } : undefined;
}

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys);
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      camelKeys(inner),
    ]),
  );
}
