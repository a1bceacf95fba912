import { parseDuration } from '../../../stack/values/duration.ts';
import { type Collected, type CollectOptions, collectGroups } from './collect.ts';
import type { AgeLimit } from './expired.ts';

/** `pushgateway.ttl` of stack.yml: how long a group stays after its last push. */
export type Ttl =
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
