import type { HeldGroup } from '../../../stack/exposition/stored-groups.ts';
import type { Look } from './gateway.ts';

/** From which age on a group of a job is too old, in seconds; undefined means never. */
export type AgeLimit = (job: string) => number | undefined;

/** The groups older than their job's limit, in the order they are held. */
export function expiredGroups({ groups, now }: Look, limit: AgeLimit): readonly HeldGroup[] {
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
export function ageOf({ pushedAt, failedAt }: HeldGroup, now: number): number | undefined {
  const at = pushedAt ?? failedAt;
  return at === undefined ? undefined : now - at;
}
