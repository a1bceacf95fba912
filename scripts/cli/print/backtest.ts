import { titleOf } from '../../../stack/alert.ts';
import { formatLabels } from '../../../stack/exposition/family.ts';
import type { Firing } from '../../../stack/prometheus/alert-simulator.ts';
import { counted } from '../../../stack/values/words.ts';
import { type BacktestWindow, type FiringTotals, totalsOf } from '../../inspect/backtest/alert-history.ts';
import type { AlertBacktest, Backtest, FireCount } from '../../inspect/backtest/backtest.ts';
import { mostListed } from '../json/backtest.ts';
import type { Colours } from '../terminal-output.ts';
import { table } from './table.ts';

const marks = { added: '+', changed: '~', unchanged: '=' } as const;

/** How often each alert would have fired, and what that means for severities and receivers. */
export function printBacktest(backtest: Backtest, colours: Colours): string {
  const { window, alerts, severities, receivers, notes } = backtest;
  const { yellow } = colours;
  const head = `backtest of ${counted(alerts.length, 'alert')} from ${timeText(window.fromMs)} to ${timeText(window.toMs)}, ${lengthText(window.toMs - window.fromMs)}\n`;
  const counts = [...countRows('severity', severities), ...countRows('receiver', receivers)];
  return [
    head,
    ...alerts.map((alert) => printAlert(alert, window, colours)),
    ...(counts.length === 0
      ? []
      : [`alerts that fire, before Alertmanager groups them:\n${table(counts, { indent: '  ' })}`]),
    ...notes.map((note) => yellow(`note: ${note}\n`)),
  ].join('');
}

function printAlert(backtest: AlertBacktest, window: BacktestWindow, { red, yellow, dim }: Colours): string {
  const { alert, change, before, after, failure, notes } = backtest;
  const name = `${marks[change]} ${titleOf(alert)} in ${alert.file}`;
  if (after === undefined) return red(`${name}: not evaluated\n    ${failure}\n`);
  const totals = totalsOf(after.firings, window);
  const old = before === undefined || change === 'unchanged' ? undefined : totalsOf(before.firings, window);
  const text = firingText(totals, old);
  const listed = after.firings.slice(0, mostListed).map((firing) => firingCells(firing, alert.labels, window));
  const more = after.firings.length - listed.length;
  return [
    `${name}: ${text}\n`,
    table(listed, { indent: '    ' }),
    more > 0 ? dim(`    and ${more} more\n`) : '',
    ...notes.map((note) => yellow(`    note: ${note}\n`)),
  ].join('');
}

/** How often and how long it fires, and what is different from the running one. */
function firingText(now: FiringTotals, before: FiringTotals | undefined): string {
  if (now.fires === 0 && before === undefined) return 'never fires';
  if (now.fires === 0 && before?.fires === 0) return 'never fires, as before';
  if (now.fires === 0 && before !== undefined)
    return `never fires; the running one ${timesText(before)}, ${lengthsText(before)}`;
  const times = timesText(now);
  if (before === undefined) return `${times}, ${lengthsText(now)}`;
  if (before.fires === 0) return `${times}, ${lengthsText(now)}; the running one never fires`;
  const instead = before.fires === now.fires ? ', as before' : ` instead of ${before.fires}`;
  return `${times}${instead}, ${lengthsText(now, before)}`;
}

const timesText = ({ fires }: FiringTotals): string => `fires ${counted(fires, 'time')}`;

function lengthsText({ firingMs, longestMs }: FiringTotals, before?: FiringTotals): string {
  const total = insteadOf(lengthText(firingMs), before && lengthText(before.firingMs));
  return `${total} in total, longest ${insteadOf(lengthText(longestMs), before && lengthText(before.longestMs))}`;
}

const insteadOf = (now: string, before: string | undefined): string =>
  before === undefined || before === now ? now : `${now} instead of ${before}`;

/** The time, the duration, and the labels that the rule does not set. */
function firingCells(
  { labels, from, until }: Firing,
  ofRule: Readonly<Record<string, string>>,
  { toMs }: BacktestWindow,
): readonly string[] {
  const own = Object.entries(labels).filter(([name, value]) => name !== 'alertname' && ofRule[name] !== value);
  const duration = lengthText((until ?? toMs) - from);
  return [timeText(from), until === undefined ? `${duration} so far` : duration, formatLabels(new Map(own))];
}

function countRows(kind: string, counts: readonly FireCount[]): readonly (readonly string[])[] {
  return counts.map(({ name, before, after }) => [
    `${kind} ${name}`,
    before === after ? String(after) : `${after} instead of ${before}`,
  ]);
}

/** The two largest units of a length of time: `2 min`, `1 h 4 min`, `6 d 23 h`. */
function lengthText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([number]) => number > 0);
  if (first === -1) return '0 s';
  const shown = parts.slice(first, first + 2).filter(([number]) => number > 0);
  return shown.map(([number, unit]) => `${number} ${unit}`).join(' ');
}

/** `2026-11-28 14:05:30 UTC`. */
function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
