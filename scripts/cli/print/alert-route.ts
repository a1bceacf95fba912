import type { MarkedRoute } from '../../../stack/alertmanager/marked-tree.ts';
import { formatMatcher } from '../../../stack/alertmanager/matcher.ts';
import { type AlertTrace, isSuppressed, type TracedReceiver } from '../../inspect/alert-route.ts';
import type { Colours } from '../colours.ts';
import { table } from './table.ts';

/** The way of an alert as a person reads it: the tree with its branch marked, who is told, what keeps it quiet. */
export function printAlertRoute(way: AlertTrace, colours: Colours): string {
  const { labels, isLive, tree, told } = way;
  const source = isLive
    ? 'as the running Alertmanager routes it'
    : 'as stack.yml routes it: Alertmanager does not answer';
  return [
    `${formatLabels(labels)}  ${colours.dim(`(${source})`)}\n\n`,
    table(rowsOf(tree, '', '', colours)),
    '\n',
    told.map((one) => printTold(one, isSuppressed(way), colours)).join(''),
    printQuiet(way, colours),
  ].join('');
}

/** Labels as people write them. */
function formatLabels(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ')}}`;
}

function rowsOf(route: MarkedRoute, lead: string, below: string, colours: Colours): readonly (readonly string[])[] {
  const { matchers, isTaken, isEnd, receiver, routes } = route;
  const words =
    matchers.length === 0 ? (lead === '' ? 'all alerts' : 'every alert') : matchers.map(formatMatcher).join(', ');
  const mark = isEnd ? colours.green('➜') : isTaken ? colours.green('│') : ' ';
  const text = `${lead}${words}${route.continues ? ' (continue)' : ''}`;
  const paint = isTaken ? (part: string) => part : colours.dim;
  return [
    [mark, paint(text), paint(receiver)],
    ...routes.flatMap((child, at) => {
      const isLast = at === routes.length - 1;
      return rowsOf(child, `${below}${isLast ? '└─ ' : '├─ '}`, `${below}${isLast ? '   ' : '│  '}`, colours);
    }),
  ];
}

function printTold(
  { name, integrations, route, mutedBy }: TracedReceiver,
  isKept: boolean,
  { green, yellow, dim }: Colours,
): string {
  const { groupBy, groupWait, groupInterval, repeatInterval } = route.timing;
  const grouped = groupBy.length === 0 ? 'with all others' : `by ${groupBy.join(', ')}`;
  const timing = dim(
    `  grouped ${grouped}; after ${groupWait}, then every ${groupInterval}, again after ${repeatInterval}`,
  );
  if (mutedBy !== undefined) return `${yellow('!')} ${name} is not told: it is ${mutedBy}\n`;
  if (integrations.length === 0) return `${yellow('!')} ${name} tells nobody: it has no integrations\n`;
  if (isKept) return `${yellow('!')} ${name} would be told by ${integrations.join(', ')}${timing}\n`;
  return `${green('✔')} ${name} is told by ${integrations.join(', ')}${timing}\n`;
}

function printQuiet({ silences, inhibitions, isLive }: AlertTrace, { yellow, dim }: Colours): string {
  const lines = [
    ...silences.map(
      ({ id, comment, createdBy, endsAt }) =>
        `${yellow('!')} silenced until ${endsAt} by ${createdBy}: ${comment}\n    try: promstack silence expire ${id}\n`,
    ),
    ...inhibitions.map(({ source, equal, by }) => {
      const rule = `${source.join(', ')}${equal.length === 0 ? '' : `, with the same ${equal.join(', ')}`}`;
      return by === undefined
        ? dim(`  would be inhibited by an alert with ${rule}\n`)
        : `${yellow('!')} inhibited by ${formatLabels(by)}\n`;
    }),
  ];
  const unknown = isLive ? '' : dim('  silences are known to the running Alertmanager alone\n');
  return lines.join('') + unknown;
}
