import { formatMatcher, type Labels } from '../../../stack/alertmanager/matcher.ts';
import type { TracedRoute } from '../../../stack/alertmanager/routing-tree.ts';
import { type AlertTrace, isSuppressed, type TracedReceiver } from '../../inspect/alert-route.ts';
import type { Colours } from '../terminal-output.ts';
import { table } from './table.ts';

/** The routing tree with the alert's branch marked, its receivers, and what suppresses its notifications. */
export function printAlertRoute(trace: AlertTrace, colours: Colours): string {
  const { labels, isLive, tree, receivers } = trace;
  const source = isLive ? 'routing of the running Alertmanager' : 'routing of stack.yml: Alertmanager does not answer';
  return [
    `${formatPairs(labels)}  ${colours.dim(`(${source})`)}\n\n`,
    table(rowsOf(tree, '', '', colours)),
    '\n',
    receivers.map((receiver) => printReceiver(receiver, isSuppressed(trace), colours)).join(''),
    printSuppression(trace, colours),
  ].join('');
}

function formatPairs(labels: Labels): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ')}}`;
}

function rowsOf(route: TracedRoute, lead: string, below: string, colours: Colours): readonly (readonly string[])[] {
  const { matchers, isMatched, isFinal, receiver, routes } = route;
  const matched = matchers.length === 0 ? 'all alerts' : matchers.map(formatMatcher).join(', ');
  const mark = isFinal ? colours.green('➜') : isMatched ? colours.green('│') : ' ';
  const cell = `${lead}${matched}${route.continues ? ' (continue)' : ''}`;
  const paint = isMatched ? (text: string) => text : colours.dim;
  return [
    [mark, paint(cell), paint(receiver)],
    ...routes.flatMap((child, at) => {
      const isLast = at === routes.length - 1;
      return rowsOf(child, `${below}${isLast ? '└─ ' : '├─ '}`, `${below}${isLast ? '   ' : '│  '}`, colours);
    }),
  ];
}

function printReceiver(
  { name, integrations, route, mutedBy }: TracedReceiver,
  isSuppressed: boolean,
  { green, yellow, dim }: Colours,
): string {
  if (mutedBy !== undefined) return `${yellow('!')} ${name} is not notified: it is ${mutedBy}\n`;
  if (integrations.length === 0) return `${yellow('!')} ${name} notifies nobody: it has no integrations\n`;
  const { groupBy, groupWait, groupInterval, repeatInterval } = route.timing;
  const timing = `group_wait ${groupWait}, group_interval ${groupInterval}, repeat_interval ${repeatInterval}`;
  const details = dim(`  group_by [${groupBy.join(', ')}], ${timing}`);
  const kinds = integrations.join(', ');
  return isSuppressed
    ? `${yellow('!')} ${name} would be notified via ${kinds}${details}\n`
    : `${green('✔')} ${name} is notified via ${kinds}${details}\n`;
}

function printSuppression({ silences, inhibitions, isLive }: AlertTrace, { yellow, dim }: Colours): string {
  const lines = [
    ...silences.map(
      ({ id, comment, createdBy, endsAt }) =>
        `${yellow('!')} silenced until ${endsAt} by ${createdBy}: ${comment}\n    try: promstack silence expire ${id}\n`,
    ),
    ...inhibitions.map(({ source, equal, by }) => {
      const sameLabels = equal.length === 0 ? '' : `equal ${equal.join(', ')}`;
      const inhibiting =
        source.length > 0
          ? `an alert with ${[source.map(formatMatcher).join(', '), sameLabels].filter((text) => text !== '').join(' and ')}`
          : `any alert${sameLabels === '' ? '' : ` with ${sameLabels}`}`;
      return by === undefined
        ? dim(`  would be inhibited by ${inhibiting}\n`)
        : `${yellow('!')} inhibited by ${formatPairs(by)}\n`;
    }),
  ];
  return lines.join('') + (isLive ? '' : dim('  silences are unknown while Alertmanager does not answer\n'));
}
