import type { StoredGroup } from '../../../stack/exposition/conflicts.ts';
import { identityOf } from '../../../stack/exposition/family.ts';
import { parseDuration } from '../../../stack/values/units.ts';
import type { Clock } from '../../util/clock.ts';
import type { Gateway, StoredGroups } from './gateway.ts';
import { GatewayError } from './refusal.ts';

/** What came of collecting old groups. */
export interface Collected {
  /** Deleted, and seen to be gone. */
  readonly deleted: readonly StoredGroup[];
  /** Too old at first, and pushed again before their turn to be deleted: they stay. */
  readonly renewed: readonly StoredGroup[];
  /** How many groups there are afterwards. */
  readonly left: number;
  /** The Pushgateway's own time at the last look, in seconds since 1970. */
  readonly now: number;
}

/** How groups are collected. */
interface CollectOptions {
  readonly gateway: Gateway;
  readonly limit: AgeLimit;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** How many looks a collection may take: each costs a read of all groups, and each narrows the gap told of below. */
const mostLooks = 5;
/** The fewest groups that are deleted on the strength of one look. */
const smallestBatch = 16;
/** How many requests are under way at once: enough to keep one Pushgateway busy. */
const parallel = 8;
/** How long the Pushgateway may take to work through its queue. */
const patienceMs = 5_000;

/**
 * Deletes the groups that are too old.
 *
 * A group may be pushed again between the look that finds it old and its delete. The Pushgateway has no delete that
 * depends on a state, and it answers before it has deleted, so that gap cannot be closed from outside; it is made small:
 * the groups are deleted a few at a time, each few right after a fresh look, and a group pushed again by then stays. What
 * is left of the gap is one read of the groups and a delete: milliseconds for a few groups, some 100 ms for a thousand.
 *
 * What was deleted is never written back. Only the state of the last look is known, which is the old one: a push that
 * fell into the gap is not in it, old values would pass for new ones, and a still newer push could be overwritten. Who
 * pushes regularly is there again with the next push.
 */
export async function collectGroups({ gateway, limit, clock, signal }: CollectOptions): Promise<Collected> {
  let look = await gateway.look(signal);
  const open = byIdentity(expiredGroups(look, limit));
  const batchSize = Math.max(smallestBatch, Math.ceil(open.size / mostLooks));
  const renewed: StoredGroup[] = [];
  const asked = new Map<string, StoredGroup>();
  for (let isFirst = true; open.size > 0; isFirst = false) {
    if (!isFirst) look = await gateway.look(signal);
    const expired = byIdentity(expiredGroups(look, limit));
    const held = byIdentity(look.groups);
    for (const key of open.keys()) {
      if (expired.has(key)) continue;
      const still = held.get(key);
      if (still !== undefined) renewed.push(still);
      open.delete(key);
    }
    const batch = [...open].slice(0, batchSize);
    await inParallel(batch, async ([key, group]) => {
      await gateway.delete(group.labels, signal);
      open.delete(key);
      asked.set(key, group);
    });
  }
  if (asked.size > 0) look = await lookUntilGone(gateway, [...asked.values()], { clock, signal });
  return { deleted: [...asked.values()], renewed, left: look.groups.length, now: look.now };
}

/** Looks until groups asked to be deleted are gone: not held any more, or held with a newer push. */
export async function lookUntilGone(
  gateway: Gateway,
  groups: readonly StoredGroup[],
  { clock, signal }: Pick<CollectOptions, 'clock' | 'signal'>,
): Promise<StoredGroups> {
  const asked = byIdentity(groups);
  const deadline = clock.now() + patienceMs;
  for (let waitMs = 5; ; waitMs *= 2) {
    const look = await gateway.look(signal);
    const left = look.groups.filter((group) => isSamePush(asked.get(identityOf(group.labels)), group));
    if (left.length === 0) return look;
    if (clock.now() > deadline) {
      throw new GatewayError(true, {
        doing: `deleting ${groups.length === 1 ? 'a group' : `${groups.length} groups`}`,
        why: `${gateway.base} took the deletes and still holds ${left.length} of them after ${patienceMs / 1000} s`,
        tryThis: '`promstack logs pushgateway`: its write queue may be stuck',
      });
    }
    await clock.sleep(waitMs, signal);
  }
}

function isSamePush(asked: StoredGroup | undefined, held: StoredGroup): boolean {
  return asked !== undefined && asked.pushedAt === held.pushedAt && asked.failedAt === held.failedAt;
}

function byIdentity(groups: readonly StoredGroup[]): Map<string, StoredGroup> {
  return new Map(groups.map((group) => [identityOf(group.labels), group]));
}

async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
}

/** From which age on a group of a job is too old, in seconds; undefined means never. */
export type AgeLimit = (job: string) => number | undefined;

/** The groups older than their job's limit, in the order they are held. */
export function expiredGroups({ groups, now }: StoredGroups, limit: AgeLimit): readonly StoredGroup[] {
  return groups.filter((group) => {
    const limitSeconds = limit(group.labels.get('job') ?? '');
    const age = ageOf(group, now);
    return limitSeconds !== undefined && age !== undefined && age > limitSeconds;
  });
}

/**
 * Seconds since the last push that succeeded. A group that knows of failures only is as old as the last of them: it is
 * the sole trace of a job whose pushes are refused.
 */
export function ageOf({ pushedAt, failedAt }: StoredGroup, now: number): number | undefined {
  const at = pushedAt ?? failedAt;
  return at === undefined ? undefined : now - at;
}

/** `pushgateway.ttl` of stack.yml: how long a group stays after its last push. */
type Ttl =
  | string
  | { readonly default?: string | undefined; readonly jobs?: Readonly<Record<string, string>> | undefined };

/**
 * A job that pushes as often as its ttl is long would have its group deleted in the very moment of its next push. So
 * groups live longer than their ttl by this share of it.
 */
const grace = 0.05;

/** The age from which on `ttl` lets a group go: that of its job, else the default, else none. */
export function ageLimitOf(ttl: Ttl): AgeLimit {
  const { default: usual = undefined, jobs = {} } = typeof ttl === 'string' ? { default: ttl } : ttl;
  return (job) => {
    const text = Object.hasOwn(jobs, job) ? jobs[job] : usual;
    const ms = text === undefined ? undefined : parseDuration(text);
    // 0 says for ever: so that one job can be spared from the default.
    return ms === undefined || ms === 0 ? undefined : (ms / 1000) * (1 + grace);
  };
}

/** How often `ttl` is worth enforcing: a tenth of the shortest, at least every minute and at most every second. */
export function sweepEveryMs(ttl: Ttl): number {
  const texts = typeof ttl === 'string' ? [ttl] : [ttl.default, ...Object.values(ttl.jobs ?? {})];
  const spans = texts.flatMap((text) => (text === undefined ? [] : (parseDuration(text) ?? []))).filter((ms) => ms > 0);
  return Math.min(60_000, Math.max(1_000, Math.min(...spans) / 10));
}

/** Deletes the groups that have outlived `ttl`, once; see `collectGroups` for what happens to one pushed meanwhile. */
export function enforceTtl(ttl: Ttl, options: Omit<CollectOptions, 'limit'>): Promise<Collected> {
  return collectGroups({ ...options, limit: ageLimitOf(ttl) });
}
