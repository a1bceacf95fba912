import { createHash } from 'node:crypto';
import type { StoredGroup } from '../../stack/exposition/conflicts.ts';
import { identityOf } from '../../stack/exposition/family.ts';
import { type AgeLimit, ageLimitOf } from '../../stack/pushgateway/ttl.ts';
import { sampleLabel, samplesOf } from '../../stack/values/metrics-page.ts';
import { pushgatewayOf } from '../servers/pushgateway/client.ts';
import { ageOf } from '../servers/pushgateway/collect.ts';
import type { Servers } from '../servers/servers.ts';
import type { GroupDetails } from './page-requests.ts';
import type { PageGroup } from './page-state.ts';

const service = 'pushgateway';

/** A short id of a text of any length, for URLs and keys. */
export function idOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

/** A group with what only its details show. */
export interface GroupPart {
  readonly item: PageGroup;
  readonly stored: StoredGroup;
}

/** What was read of a Pushgateway at once. */
export interface GatewayPart {
  readonly groups: readonly GroupPart[];
  /** Since it started. */
  readonly pushes: number;
  readonly refused: number;
}

/** Reads the groups of a Pushgateway. `earlier` spares to count the series of groups that were not pushed since. */
export async function readGateway(
  servers: Servers,
  earlier: Readonly<Record<string, PageGroup>>,
): Promise<GatewayPart> {
  const [{ groups, now }, page] = await Promise.all([
    pushgatewayOf(servers).list(),
    servers.text(service, '/metrics', 'reading the metrics of the Pushgateway'),
  ]);
  const { ttl } = servers.config.pushgateway;
  const limit = ttl === undefined ? undefined : ageLimitOf(ttl);
  const requests = samplesOf(page, 'pushgateway_http_requests_total').filter((sample) => {
    return sampleLabel(sample, 'handler') === 'push';
  });
  const countOf = (isCounted: (code: string) => boolean): number =>
    requests.reduce((sum, sample) => (isCounted(sampleLabel(sample, 'code') ?? '') ? sum + sample.value : sum), 0);
  return {
    groups: groups.map((stored) => ({ item: toPageGroup(stored, now, limit, earlier), stored })),
    pushes: countOf((code) => code.startsWith('2')),
    refused: countOf((code) => !code.startsWith('2')),
  };
}

function toPageGroup(
  group: StoredGroup,
  now: number,
  limit: AgeLimit | undefined,
  earlier: Readonly<Record<string, PageGroup>>,
): PageGroup {
  const id = idOf(identityOf(group.labels));
  const job = group.labels.get('job') ?? '';
  const [pushedAt, failedAt] = [toMs(group.pushedAt), toMs(group.failedAt)];
  const before = earlier[id];
  const isSame = before !== undefined && before.pushedAt === pushedAt && before.failedAt === failedAt;
  const age = ageOf(group, now);
  const seconds = limit?.(job);
  return {
    ...{ id, job, labels: Object.fromEntries([...group.labels].filter(([name]) => name !== 'job')) },
    ...{ pushedAt, failedAt },
    ...(isSame ? { series: before.series, metrics: before.metrics, bytes: before.bytes } : sizeOf(group)),
    state: (failedAt ?? 0) > (pushedAt ?? 0) ? 'wrong' : 'ok',
    expiresAt:
      age === undefined || seconds === undefined ? undefined : toMs((pushedAt ?? failedAt ?? 0) / 1_000 + seconds),
  };
}

const toMs = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : Math.round(seconds * 1_000);

function sizeOf({ families }: StoredGroup): Pick<PageGroup, 'series' | 'metrics' | 'bytes'> {
  let [series, bytes] = [0, 0];
  for (const [name, family] of families) {
    series += family.series.length;
    bytes += 2 * name.length + family.help.length + 20;
    for (const labels of family.series) {
      bytes += name.length + 12;
      for (const [label, value] of labels) bytes += label.length + value.length + 4;
    }
  }
  return { series, metrics: families.size, bytes };
}

/** The most series of a group that are sent. */
const mostSeries = 1_000;

/** The metrics of a group with their values. */
export function groupDetails({ item, stored }: GroupPart): GroupDetails {
  let left = 0;
  let sent = 0;
  const families = [...stored.families].map(([name, { type = 'unknown', help, series: all, values = [] }]) => {
    const series = all.slice(0, mostSeries - sent).map((labels, at) => {
      return { labels: Object.fromEntries(labels), value: values[at] ?? '' };
    });
    sent += series.length;
    left += all.length - series.length;
    return { name, type, help, series };
  });
  return { group: item, families, left };
}
