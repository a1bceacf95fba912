import * as z from 'zod';
import type { StoredGroup } from '../../../stack/exposition/conflicts.ts';
import type { AgeLimit } from '../../../stack/pushgateway/ttl.ts';
import { ageOf } from '../../servers/pushgateway/collect.ts';
import { durationText } from '../../util/duration-text.ts';
import { timeSchema } from '../json/schema.ts';

/** A group as `promstack groups --json` shows it. */
export interface GroupView {
  readonly job: string;
  /** The grouping labels besides the job. */
  readonly labels: Readonly<Record<string, string>>;
  /** The time of the last successful push, ISO 8601; undefined when there was none. */
  readonly pushedAt: string | undefined;
  /** Seconds since then, or since the last failed push when none succeeded. */
  readonly ageSeconds: number | undefined;
  /** The time of the last rejected push, ISO 8601; undefined when there was none. */
  readonly failedAt: string | undefined;
  readonly lastPushFailed: boolean;
  /** When its ttl expires, ISO 8601; undefined when it does not expire. */
  readonly expiresAt: string | undefined;
  readonly metrics: readonly { readonly name: string; readonly type: string; readonly seriesCount: number }[];
}

export const groupSchema = () =>
  z.strictObject({
    job: z.string(),
    labels: z.record(z.string(), z.string()).describe('grouping labels besides the job'),
    pushedAt: timeSchema().optional().describe('last successful push'),
    ageSeconds: z.number().optional().describe('since the last successful push, or else since the last failed one'),
    failedAt: timeSchema().optional().describe('last rejected push'),
    lastPushFailed: z.boolean(),
    expiresAt: timeSchema().optional().describe('when its ttl expires and it is deleted, unless it is pushed before'),
    metrics: z.array(z.strictObject({ name: z.string(), type: z.string(), seriesCount: z.int() })),
  });

/** A group as data; `now` in seconds by the Pushgateway's clock. */
export function viewGroup(group: StoredGroup, now: number, limit?: AgeLimit): GroupView {
  const age = ageOf(group, now);
  const limitSeconds = limit?.(group.labels.get('job') ?? '');
  return {
    job: group.labels.get('job') ?? '',
    labels: Object.fromEntries([...group.labels].filter(([name]) => name !== 'job')),
    pushedAt: toIso(group.pushedAt),
    ageSeconds: age === undefined ? undefined : Math.max(0, Math.round(age * 1000) / 1000),
    failedAt: toIso(group.failedAt),
    lastPushFailed: (group.failedAt ?? 0) > (group.pushedAt ?? 0),
    expiresAt: age === undefined || limitSeconds === undefined ? undefined : toIso(now - age + limitSeconds),
    metrics: [...group.families]
      .map(([name, { type, series }]) => ({ name, type: type ?? 'unknown', seriesCount: series.length }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function toIso(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : new Date(seconds * 1000).toISOString();
}

/** The maximum number of metric names in a line. */
const shownNames = 3;

/** The cells of a group's line: job, labels, age, failure, expiry, series, metrics. */
export function groupCells(view: GroupView, now: number): readonly string[] {
  const names = view.metrics.map((metric) => metric.name);
  const more = names.length > shownNames ? ` and ${names.length - shownNames} more` : '';
  return [
    view.job,
    Object.entries(view.labels)
      .map(([name, value]) => `${name}=${value === '' ? '""' : value}`)
      .join(' ') || '-',
    view.pushedAt === undefined ? 'never' : ago(view.ageSeconds ?? 0),
    view.failedAt === undefined ? 'never' : ago(now - Date.parse(view.failedAt) / 1000),
    view.expiresAt === undefined ? 'never' : ahead(Date.parse(view.expiresAt) / 1000 - now),
    String(view.metrics.reduce((sum, metric) => sum + metric.seriesCount, 0)),
    names.slice(0, shownNames).join(', ') + more,
  ];
}

function ago(seconds: number): string {
  return seconds < 1 ? 'just now' : `${durationText(seconds * 1000)} ago`;
}

function ahead(seconds: number): string {
  return seconds < 1 ? 'now' : `in ${durationText(seconds * 1000)}`;
}
