import * as z from 'zod';
import { findDuplicateGroups } from '../../../stack/exposition/conflicts.ts';
import { formatLabels } from '../../../stack/exposition/family.ts';
import { ageLimitOf } from '../../../stack/pushgateway/ttl.ts';
import { removeGroup } from '../../servers/pushgateway/collect.ts';
import { exitCodes } from '../context.ts';
import { type GroupView, groupCells, groupSchema, viewGroup } from '../print/group-view.ts';
import { table } from '../print/table.ts';
import { collectPair } from './arguments.ts';
import { defineCommand } from './command.ts';
import { configOrThrow } from './find-stack.ts';
import { openTarget, readGroup } from './gateway-target.ts';

const remove = defineCommand({
  details: 'Removes the group with exactly this job and these labels. Groups with additional labels are kept.',
  examples: [
    { line: 'groups rm --job backup', what: 'remove the group {job="backup"}' },
    { line: 'groups rm --job snmp --label instance=10.40.80.1', what: 'remove one of the groups of a job' },
  ],
  syntax: (blank) =>
    blank
      .requiredOption('--job <name>', 'job of the group')
      .option('--label <name=value>', 'additional label of the group; may be repeated', collectPair)
      .option('--url <address>', "address of a Pushgateway (default: this stack's Pushgateway)"),
  json: () => z.strictObject({ removed: groupSchema() }),
  run: async (context, { job, label, url }) => {
    const group = readGroup(job, label);
    await using gateway = await openTarget(context, { url, deletes: true });
    const { group: removed, children } = await removeGroup(gateway, group, context);
    const { now } = await gateway.list(context.signal);
    context.result({ removed: viewGroup(removed, now) });
    context.report({
      kind: 'note',
      isResult: true,
      text: `removed ${formatLabels(removed.labels)} at ${gateway.base}`,
    });
    if (children.length > 0) {
      const names = children.slice(0, 5).map((child) => formatLabels(child.labels));
      const more = children.length > 5 ? ` and ${children.length - 5} more` : '';
      context.report({ kind: 'note', text: `kept groups with additional labels: ${names.join(', ')}${more}` });
    }
    return exitCodes.fine;
  },
});

export const command = defineCommand({
  details: 'Lists the groups of the Pushgateway with their labels, their metrics and the time of the last push.',
  examples: [
    { line: 'groups', what: "all groups of this stack's Pushgateway" },
    { line: 'groups --job backup --json', what: 'groups of one job, for scripts' },
  ],
  subcommands: [{ name: 'rm', summary: 'remove a group', command: remove }],
  syntax: (blank) =>
    blank
      .option('--job <name>', 'only groups of this job')
      .option('--url <address>', "address of a Pushgateway (default: this stack's Pushgateway)"),
  json: () => z.strictObject({ groups: z.array(groupSchema()) }),
  run: async (context, { job, url }) => {
    await using gateway = await openTarget(context, { url });
    const ttl = url === undefined ? (await configOrThrow(context)).pushgateway.ttl : undefined;
    const limit = ttl === undefined ? undefined : ageLimitOf(ttl);
    const listing = await gateway.list(context.signal);
    const views = listing.groups
      .filter((group) => job === undefined || group.labels.get('job') === job)
      .map((group) => viewGroup(group, listing.now, limit))
      .sort((a, b) => compare(a.job, b.job) || compare(labelText(a), labelText(b)));
    for (const diagnostic of findDuplicateGroups(listing.groups))
      context.report({ kind: 'diagnostic', diagnostic: { ...diagnostic, severity: 'warning' } });
    context.result({ groups: views });
    if (views.length === 0) {
      context.report({
        kind: 'note',
        isResult: true,
        text: `${gateway.base} has no groups${job === undefined ? '' : ` of the job ${job}`}`,
      });
      return exitCodes.fine;
    }
    const { dim, red } = context.stdout.colours;
    const header = ['JOB', 'LABELS', 'PUSHED', 'FAILED', 'EXPIRES', 'SERIES', 'METRICS'];
    const rows = views.map((view) => {
      const cells = groupCells(view, listing.now);
      return view.lastPushFailed ? cells.map((cell, index) => (index === 3 ? red(cell) : cell)) : cells;
    });
    const withoutExpiry = (cells: readonly string[]) =>
      limit === undefined ? cells.filter((_, index) => header[index] !== 'EXPIRES') : cells;
    context.stdout.write(
      table([header.map(dim), ...rows].map(withoutExpiry), {
        columns: context.stdout.columns(),
      }),
    );
    return exitCodes.fine;
  },
});

/** Sorts groups without additional labels first. */
function labelText({ labels }: GroupView): string {
  return Object.entries(labels).flat().join('\0');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
