import type { StoredGroup } from '../../../stack/exposition/conflicts.ts';
import {
  type AgeLimit,
  ageOf,
  type Collected,
  collectGroups,
  expiredGroups,
} from '../../servers/pushgateway/collect.ts';
import type { Gateway } from '../../servers/pushgateway/gateway.ts';
import { formatGroup } from '../../servers/pushgateway/group.ts';
import { durationText } from '../../util/duration-text.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { viewGroup } from '../print/group-view.ts';
import { defineCommand } from './command.ts';
import { openTarget, readDuration } from './gateway-target.ts';

/** `promstack gc`: groups nobody pushes to any more, out of the Pushgateway. */
export const command = defineCommand({
  details:
    'Deletes the groups whose last push is older than the given age, by push_time_seconds. Groups are deleted in ' +
    'small batches, and ages are checked again before each batch: a group that was pushed in between is kept.',
  examples: [
    { line: 'gc --older-than 1h --dry-run', what: 'list the groups that would be deleted' },
    { line: 'gc --older-than 1d --job backup', what: 'delete old groups of one job' },
  ],
  syntax: (blank) =>
    blank
      .requiredOption('--older-than <duration>', 'minimum age of the last push: 30m, 1h, 7d')
      .option('--job <name...>', 'only groups of these jobs')
      .option('--url <address>', "address of a Pushgateway (default: this stack's Pushgateway)")
      .option('--dry-run', 'list the groups without deleting them'),
  run: async (context, { olderThan, job: jobs, url, dryRun }) => {
    const seconds = readDuration('--older-than', olderThan) / 1000;
    if (jobs?.includes('') === true) throw new InputError([misuse('--job needs a name')]);
    const limit: AgeLimit = (job) => (jobs === undefined || jobs.includes(job) ? seconds : undefined);
    await using gateway = await openTarget(context, { url, deletes: true });
    const { clock, signal } = context;
    const isDry = dryRun === true;
    const collected = isDry
      ? await foresee(gateway, limit, signal)
      : await collectGroups({ gateway, limit, clock, signal });
    tell(context, collected, isDry);
    return exitCodes.fine;
  },
});

async function foresee(gateway: Gateway, limit: AgeLimit, signal: AbortSignal): Promise<Collected> {
  const look = await gateway.look(signal);
  const deleted = expiredGroups(look, limit);
  return { deleted, renewed: [], left: look.groups.length - deleted.length, now: look.now };
}

function tell({ stdout, json, report }: Context, { deleted, renewed, left, now }: Collected, isDry: boolean): void {
  if (json) {
    const view = (groups: readonly StoredGroup[]) => groups.map((group) => viewGroup(group, now));
    stdout.write(`${JSON.stringify({ dryRun: isDry, deleted: view(deleted), renewed: view(renewed), left })}\n`);
    return;
  }
  const lines = deleted.map((group) => {
    const age = durationText((ageOf(group, now) ?? 0) * 1000);
    return `${isDry ? 'would delete' : 'deleted'} ${formatGroup(group.labels)}, last pushed ${age} ago\n`;
  });
  stdout.write(lines.join(''));
  for (const group of renewed) {
    report({ kind: 'note', text: `${formatGroup(group.labels)} was pushed again meanwhile and stays` });
  }
  const groups = deleted.length === 1 ? 'group' : 'groups';
  report({ kind: 'note', text: `${deleted.length} ${groups} ${isDry ? 'would be ' : ''}deleted, ${left} left` });
}
