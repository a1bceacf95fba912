import { ago } from '../../../stack/values/units.ts';
import { findStack, findUnconfirmed, stoppedHistory, stoppedText } from '../../state/find-stack.ts';
import { type History, type HistoryEntry, lastConfirmed, newestRevisions, noHistory } from '../../state/history.ts';
import { exitCodes } from '../context.ts';
import { table } from '../print/table.ts';
import type { Colours } from '../terminal-output.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackNameOf } from './stages.ts';

export const command = defineCommand({
  details:
    'Lists the revisions of the stack, newest first: when each was confirmed, by which user and command, and ' +
    'which files it changed. Revisions that a server rejected, and that were therefore rolled back, are listed ' +
    'too. The history is stored on the engine, so every machine sees the same one. `rollback` can restore any of ' +
    'the newest ten.',
  run: async (context) => {
    const { stack, origin } = await stackNameOf(context);
    await using engine = await connectEngine(context);
    const stopped = await stoppedHistory(engine, stack);
    const current = stopped === undefined ? await findStack(engine, stack, origin) : undefined;
    const unconfirmed = current === undefined ? [] : await findUnconfirmed(current);
    const history = stopped ?? current?.history ?? noHistory;
    const isStopped = stopped !== undefined;
    const { stdout, clock, json } = context;
    if (json) {
      const entries = history.entries.map((entry) => ({ ...entry, isConfirmed: entry.refused === undefined }));
      const revision = lastConfirmed(history)?.revision;
      stdout.write(
        `${JSON.stringify({ stack, current: isStopped ? undefined : revision, isStopped, last: revision, unconfirmed, history: entries })}\n`,
      );
    } else {
      if (isStopped) stdout.write(`${stack}: ${stoppedText(lastConfirmed(history)?.revision)}\n\n`);
      stdout.write(
        printHistory(
          { stack, history, unconfirmed, isStopped },
          { colours: stdout.colours, now: clock.now(), columns: stdout.columns() },
        ),
      );
    }
    return exitCodes.fine;
  },
});

/** The maximum number of files in a line. */
const shownFiles = 3;

/** The history as a table, newest first. */
export function printHistory(
  {
    stack,
    history,
    unconfirmed,
    isStopped = false,
  }: { stack: string; history: History; unconfirmed: readonly string[]; isStopped?: boolean },
  { colours, now, columns }: { colours: Colours; now: number; columns?: number | undefined },
): string {
  const { dim, red } = colours;
  if (history.entries.length === 0) return `${stack}: no confirmed revisions\n`;
  const current = lastConfirmed(history);
  const reachable = new Set(newestRevisions(history).map(({ revision }) => revision));
  const rows = history.entries.toReversed().map((entry) => {
    const state =
      entry === current
        ? isStopped
          ? 'last'
          : 'current'
        : entry.refused !== undefined
          ? red('refused')
          : reachable.has(entry.revision)
            ? ''
            : dim('past');
    return [entry.revision, ago(Date.parse(entry.at), now), entry.who, entry.command, state, changedText(entry)];
  });
  const heads = ['REVISION', 'WHEN', 'WHO', 'COMMAND', '', 'CHANGED'].map((head) => dim(head));
  const interrupted = unconfirmed.map(
    (service) =>
      `${red('✖')} ${service}: its current files were never confirmed: a change was interrupted\n  try: promstack up\n`,
  );
  const last = history.entries.at(-1);
  const why =
    last?.refused === undefined ? '' : `${red('✖')} ${last.revision} was rolled back: ${last.refused.split('\n')[0]}\n`;
  return [table([heads, ...rows], { columns }), why, ...interrupted].join('');
}

function changedText({ changed }: HistoryEntry): string {
  if (changed.length === 0) return 'no file';
  if (changed.length <= shownFiles) return changed.join(', ');
  return `${changed.slice(0, shownFiles).join(', ')} and ${changed.length - shownFiles} more`;
}
