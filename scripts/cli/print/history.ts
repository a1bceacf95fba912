import { ago } from '../../../stack/values/units.ts';
import { type History, type HistoryEntry, lastConfirmed, newestRevisions } from '../../state/history.ts';
import type { Colours } from '../colours.ts';
import { table } from './table.ts';

/** The most files named in a line. */
const namedFiles = 3;

/** The history as a table, newest first. */
export function printHistory(
  { stack, history, unconfirmed }: { stack: string; history: History; unconfirmed: readonly string[] },
  { colours, now }: { colours: Colours; now: number },
): string {
  const { dim, red } = colours;
  if (history.entries.length === 0) return `${stack}: no confirmed revisions\n`;
  const current = lastConfirmed(history);
  const reachable = new Set(newestRevisions(history).map(({ revision }) => revision));
  const rows = history.entries.toReversed().map((entry) => {
    const standing =
      entry === current
        ? 'current'
        : entry.refused !== undefined
          ? red('refused')
          : reachable.has(entry.revision)
            ? ''
            : dim('past');
    return [entry.revision, ago(Date.parse(entry.at), now), entry.who, entry.command, standing, changedText(entry)];
  });
  const heads = ['REVISION', 'WHEN', 'WHO', 'COMMAND', '', 'CHANGED'].map((head) => dim(head));
  const cut = unconfirmed.map(
    (service) =>
      `${red('✖')} ${service}: its current files were never confirmed: a change was interrupted\n  try: promstack up\n`,
  );
  const last = history.entries.at(-1);
  const why =
    last?.refused === undefined ? '' : `${red('✖')} ${last.revision} was rolled back: ${last.refused.split('\n')[0]}\n`;
  return [table([heads, ...rows]), why, ...cut].join('');
}

function changedText({ changed }: HistoryEntry): string {
  if (changed.length === 0) return 'no file';
  if (changed.length <= namedFiles) return changed.join(', ');
  return `${changed.slice(0, namedFiles).join(', ')} and ${changed.length - namedFiles} more`;
}
