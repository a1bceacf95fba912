import type { StoredGroup } from '../../../stack/exposition/conflicts.ts';
import { identityOf } from '../../../stack/exposition/family.ts';
import type { Clock } from '../../util/clock.ts';
import { StackError } from '../../util/stack-error.ts';
import { lookUntilGone } from './collect.ts';
import type { Gateway } from './gateway.ts';
import { formatGroup, type Group } from './group.ts';

/** What came of removing a group. */
export interface RemovedGroup {
  readonly group: StoredGroup;
  /** Groups with the same labels and more of them: they stay. */
  readonly children: readonly StoredGroup[];
}

/** Removes exactly one group and waits until it is gone; a StackError when there is none. */
export async function removeGroup(
  gateway: Gateway,
  group: Group,
  told: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
): Promise<RemovedGroup> {
  const { groups } = await gateway.look(told.signal);
  const found = groups.find((one) => identityOf(one.labels) === identityOf(group));
  if (found === undefined) throw sayMissing(gateway, group, groups);
  await gateway.delete(group, told.signal);
  await lookUntilGone(gateway, [found], told);
  return { group: found, children: groups.filter((one) => one !== found && includes(one.labels, group)) };
}

function includes(labels: Group, others: Group): boolean {
  return [...others].every(([name, value]) => labels.get(name) === value);
}

function sayMissing({ base }: Gateway, group: Group, groups: readonly StoredGroup[]): StackError {
  const sameJob = groups.filter((one) => one.labels.get('job') === group.get('job')).slice(0, 5);
  const names = sameJob.map((one) => formatGroup(one.labels)).join('\n');
  return new StackError({
    doing: `removing ${formatGroup(group)}`,
    why: `${base} holds no such group`,
    tryThis: names === '' ? '`promstack groups` lists what it holds' : `one of these, which have this job:\n${names}`,
  });
}
