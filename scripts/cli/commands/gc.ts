import * as z from 'zod';
import type { StoredGroup } from '../../../stack/exposition/conflicts.ts';
import { formatLabels } from '../../../stack/exposition/family.ts';
import type { AgeLimit } from '../../../stack/pushgateway/ttl.ts';
import type { PushgatewayClient } from '../../servers/pushgateway/client.ts';
import { ageOf, type Collected, collectGroups, expiredGroups } from '../../servers/pushgateway/collect.ts';
import { durationText } from '../../util/duration-text.ts';
import { misuse } from '../../util/misuse.ts';
import { InputError } from '../../util/stack-error.ts';
import { type Context, exitCodes } from '../context.ts';
import { groupSchema, viewGroup } from '../print/group-view.ts';
import { readDuration } from './arguments.ts';
import { defineCommand } from './command.ts';
import { openTarget } from './gateway-target.ts';

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
  json: () =>
    z.strictObject({
      isDryRun: z.boolean(),
      deleted: z.array(groupSchema()),
      renewed: z.array(groupSchema()).describe('groups that were pushed to in between, and are kept'),
      remainingCount: z.int(),
    }),
  run: async (context, { olderThan, job: jobs, url, dryRun }) => {
    const seconds = readDuration('--older-than', olderThan) / 1000;
    if (jobs?.includes('') === true) throw new InputError([misuse('--job needs a name')]);
    const limit: AgeLimit = (job) => (jobs === undefined || jobs.includes(job) ? seconds : undefined);
    await using gateway = await openTarget(context, { url, deletes: true });
    const { clock, signal } = context;
    const isDry = dryRun === true;
    const collected = isDry
      ? await listExpired(gateway, limit, signal)
      : await collectGroups({ gateway, limit, clock, signal });
    const { deleted, renewed, left, now } = collected;
    const view = (groups: readonly StoredGroup[]) => groups.map((group) => viewGroup(group, now));
    context.result({ isDryRun: isDry, deleted: view(deleted), renewed: view(renewed), remainingCount: left });
    print(context, collected, isDry);
    return exitCodes.fine;
  },
});

async function listExpired(gateway: PushgatewayClient, limit: AgeLimit, signal: AbortSignal): Promise<Collected> {
  const listing = await gateway.list(signal);
  const deleted = expiredGroups(listing, limit);
  return { deleted, renewed: [], left: listing.groups.length - deleted.length, now: listing.now };
}

function print(
  { stdout, report }: Pick<Context, 'stdout' | 'report'>,
  { deleted, renewed, left, now }: Collected,
  isDry: boolean,
): void {
  const lines = deleted.map((group) => {
    const age = durationText((ageOf(group, now) ?? 0) * 1000);
    return `${isDry ? 'would delete' : 'deleted'} ${formatLabels(group.labels)}, last pushed ${age} ago\n`;
  });
  stdout.write(lines.join(''));
  for (const group of renewed) {
    report({ kind: 'note', isResult: true, text: `${formatLabels(group.labels)} was pushed again and is kept` });
  }
  const groups = deleted.length === 1 ? 'group' : 'groups';
  const verb = isDry ? 'would be deleted' : 'deleted';
  report({ kind: 'note', isResult: true, text: `${deleted.length} ${groups} ${verb}, ${left} left` });
}
