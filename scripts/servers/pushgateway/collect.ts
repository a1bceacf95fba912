import type { StoredGroup } from '../../../stack/exposition/conflicts.ts';
import { formatLabels, identityOf } from '../../../stack/exposition/family.ts';
import type { AgeLimit } from '../../../stack/pushgateway/ttl.ts';
import type { Clock } from '../../util/clock.ts';
import { mapLimit } from '../../util/map-limit.ts';
import { StackError } from '../../util/stack-error.ts';
import type { PushgatewayClient, StoredGroups } from './client.ts';
import { GatewayError } from './errors.ts';
import { escapedGroup, type Group } from './group.ts';

/** The result of deleting old groups. */
export interface Collected {
  readonly deleted: readonly StoredGroup[];
  /** Expired at first, but pushed again before they were deleted: kept. */
  readonly renewed: readonly StoredGroup[];
  /** The number of groups afterwards. */
  readonly left: number;
  /** The Pushgateway's own time at the end, in seconds since 1970. */
  readonly now: number;
}

interface DeleteOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

interface CollectOptions extends DeleteOptions {
  readonly gateway: PushgatewayClient;
  readonly limit: AgeLimit;
}

/** The maximum number of listings: each takes time, and each makes the race below less likely. */
const maxListings = 5;
/** The minimum number of groups to delete after one listing. */
const minBatch = 16;
/** Concurrent deletes, enough to keep one Pushgateway busy. */
const concurrency = 8;
/** How long the Pushgateway may take to work through its queue. */
const queueMs = 5_000;

/**
 * Deletes the groups that are too old.
 *
 * A group may be pushed again between the listing in which it is expired and its delete. The Pushgateway has no
 * conditional delete, and responds before it has deleted, so a client cannot exclude that. To make it unlikely, groups
 * are deleted in batches, each right after a new listing, and a group that was pushed again by then is kept. The
 * remaining window is one listing and one delete: milliseconds for a few groups, about 100 ms for a thousand.
 *
 * Deleted groups are never written back: only old values are known, which could overwrite a newer push. Regular pushes
 * recreate the group.
 */
export async function collectGroups({ gateway, limit, clock, signal }: CollectOptions): Promise<Collected> {
  let listing = await gateway.list(signal);
  const open = byIdentity(expiredGroups(listing, limit));
  const batchSize = Math.max(minBatch, Math.ceil(open.size / maxListings));
  const renewed: StoredGroup[] = [];
  const deleted: StoredGroup[] = [];
  for (let isFirst = true; open.size > 0; isFirst = false) {
    if (!isFirst) listing = await gateway.list(signal);
    const expired = byIdentity(expiredGroups(listing, limit));
    const stored = byIdentity(listing.groups);
    for (const key of open.keys()) {
      if (expired.has(key)) continue;
      const group = stored.get(key);
      if (group !== undefined) renewed.push(group);
      open.delete(key);
    }
    await mapLimit([...open].slice(0, batchSize), concurrency, async ([key, group]) => {
      await gateway.delete(group.labels, signal);
      open.delete(key);
      deleted.push(group);
    });
  }
  if (deleted.length > 0) listing = await waitUntilDeleted(gateway, deleted, { clock, signal });
  return { deleted, renewed, left: listing.groups.length, now: listing.now };
}

/** Lists groups until the given ones are no longer stored, or have a newer push. */
async function waitUntilDeleted(
  gateway: PushgatewayClient,
  groups: readonly StoredGroup[],
  { clock, signal }: DeleteOptions,
): Promise<StoredGroups> {
  const deleted = byIdentity(groups);
  const deadline = clock.now() + queueMs;
  for (let waitMs = 5; ; waitMs *= 2) {
    const listing = await gateway.list(signal);
    const left = listing.groups.filter((group) => isSamePush(deleted.get(identityOf(group.labels)), group));
    if (left.length === 0) return listing;
    if (clock.now() > deadline) {
      throw new GatewayError(true, {
        doing: `deleting ${groups.length === 1 ? 'a group' : `${groups.length} groups`}`,
        why: `${gateway.base} accepted the deletes but still has ${left.length} of them after ${queueMs / 1000} s`,
        tryThis: '`promstack logs pushgateway`: its write queue may be stuck',
      });
    }
    await clock.sleep(waitMs, signal);
  }
}

function isSamePush(deleted: StoredGroup | undefined, stored: StoredGroup): boolean {
  return deleted !== undefined && deleted.pushedAt === stored.pushedAt && deleted.failedAt === stored.failedAt;
}

function byIdentity(groups: readonly StoredGroup[]): Map<string, StoredGroup> {
  return new Map(groups.map((group) => [identityOf(group.labels), group]));
}

/** The groups older than their job's limit, in stored order. */
export function expiredGroups({ groups, now }: StoredGroups, limit: AgeLimit): readonly StoredGroup[] {
  return groups.filter((group) => {
    const limitSeconds = limit(group.labels.get('job') ?? '');
    const age = ageOf(group, now);
    return limitSeconds !== undefined && age !== undefined && age > limitSeconds;
  });
}

/**
 * Seconds since the last successful push, or since the last failed one if none succeeded: such a group is the only sign
 * of a job whose pushes are rejected.
 */
export function ageOf({ pushedAt, failedAt }: StoredGroup, now: number): number | undefined {
  const at = pushedAt ?? failedAt;
  return at === undefined ? undefined : now - at;
}

/** A stored group, and the groups with additional labels. */
interface FoundGroup {
  readonly group: StoredGroup;
  readonly children: readonly StoredGroup[];
}

/** Deletes exactly one group and waits until that is done; a StackError when there is no such group. */
export async function removeGroup(
  gateway: PushgatewayClient,
  group: Group,
  options: DeleteOptions,
): Promise<FoundGroup> {
  const found = await findGroup(gateway, group, options.signal);
  await gateway.delete(found.group.labels, options.signal);
  await waitUntilDeleted(gateway, [found.group], options);
  return found;
}

/** The group with exactly these labels, or with their names escaped; a StackError when there is no such group. */
export async function findGroup(gateway: PushgatewayClient, group: Group, signal?: AbortSignal): Promise<FoundGroup> {
  const { groups } = await gateway.list(signal);
  const stored = [group, escapedGroup(group)]
    .map((labels) => groups.find((candidate) => identityOf(candidate.labels) === identityOf(labels)))
    .find((candidate) => candidate !== undefined);
  if (stored === undefined) throw notFound(gateway, group, groups);
  const isChild = ({ labels }: StoredGroup) => [...stored.labels].every(([name, value]) => labels.get(name) === value);
  return { group: stored, children: groups.filter((candidate) => candidate !== stored && isChild(candidate)) };
}

function notFound({ base }: PushgatewayClient, group: Group, groups: readonly StoredGroup[]): StackError {
  const sameJob = groups.filter(({ labels }) => labels.get('job') === group.get('job')).slice(0, 5);
  const names = sameJob.map(({ labels }) => formatLabels(labels)).join('\n');
  return new StackError({
    doing: `removing ${formatLabels(group)}`,
    why: `${base} has no such group`,
    tryThis: names === '' ? '`promstack groups` lists its groups' : `one of the groups of this job:\n${names}`,
  });
}
