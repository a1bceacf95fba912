import * as z from 'zod';
import { ago } from '../../../stack/values/units.ts';
import type { StackOrigin } from '../../config/loaded.ts';
import type { Engine } from '../../engine/engine.ts';
import { findStack, findUnconfirmed, stoppedHistory, stoppedText } from '../../state/find-stack.ts';
import { type History, type HistoryEntry, lastConfirmed, newestRevisions } from '../../state/history.ts';
import { exitCodes } from '../context.ts';
import { timeSchema } from '../json/schema.ts';
import { table } from '../print/table.ts';
import type { Colours } from '../terminal-output.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackNameOf } from './find-stack.ts';

export const command = defineCommand({
  details:
    'Lists the revisions of the stack, newest first: when each was confirmed, by which user and command, and ' +
    'which files it changed. Revisions that a server rejected, and that were therefore rolled back, are listed ' +
    'too, with the reason. The history is stored on the engine, so every machine sees the same one. `rollback` can restore any of ' +
    'the newest ten.',
  json: () =>
    z.strictObject({
      currentRevision: z.string().optional().describe('the last confirmed revision, unless the stack is stopped'),
      lastRevision: z.string().optional().describe('the last confirmed revision'),
      isStopped: z.boolean(),
      unconfirmedServices: z.array(z.string()).describe('services whose files an interrupted change left'),
      revisions: z
        .array(
          z.strictObject({
            revision: z.string(),
            time: timeSchema(),
            user: z.string().describe('user@host'),
            command: z.string(),
            state: z
              .enum(['current', 'restorable', 'past', 'refused'])
              .describe('restorable: rollback can restore it; refused: it failed, and was rolled back'),
            refusedReason: z.string().optional(),
            changedFiles: z.array(z.string()),
          }),
        )
        .describe('oldest first'),
    }),
  run: async (context) => {
    const { stack, origin, target } = await stackNameOf(context);
    await using engine = await connectEngine(context);
    const { history, unconfirmed, isStopped } =
      target === 'swarm' ? await historyOnSwarm(engine, stack) : await historyOnEngine(engine, stack, origin);
    const { stdout, clock } = context;
    const last = lastConfirmed(history);
    context.result({
      currentRevision: isStopped ? undefined : last?.revision,
      lastRevision: last?.revision,
      isStopped,
      unconfirmedServices: unconfirmed,
      revisions: toJsonRevisions(history),
    });
    if (isStopped) stdout.write(`${stack}: ${stoppedText(last?.revision)}\n\n`);
    stdout.write(
      printHistory(
        { stack, history, unconfirmed, isStopped },
        { colours: stdout.colours, now: clock.now(), columns: stdout.columns() },
      ),
    );
    return exitCodes.fine;
  },
});

interface FoundHistory {
  readonly history: History;
  /** Services whose current files were never confirmed. */
  readonly unconfirmed: readonly string[];
  readonly isStopped: boolean;
}

async function historyOnEngine(engine: Engine, stack: string, origin: StackOrigin | undefined): Promise<FoundHistory> {
  const stopped = await stoppedHistory(engine, stack);
  if (stopped !== undefined) return { history: stopped, unconfirmed: [], isStopped: true };
  const current = await findStack(engine, stack, origin);
  return { history: current.history, unconfirmed: await findUnconfirmed(current), isStopped: false };
}

async function historyOnSwarm(engine: Engine, stack: string): Promise<FoundHistory> {
  const { observeStack, requireManager } = await import('../../plan/swarm/place.ts');
  const { toHistory } = await import('../../plan/swarm/history.ts');
  await requireManager(engine);
  const { records, services } = await observeStack(engine, stack);
  const history = toHistory(records);
  return { history, unconfirmed: [], isStopped: services.size === 0 && records.length > 0 };
}

function toJsonRevisions(history: History) {
  const stateOf = stateReader(history);
  return history.entries.map((entry) => {
    const { revision, at, who, command, changed, refused } = entry;
    const state = stateOf(entry);
    return { revision, time: at, user: who, command, state, refusedReason: refused, changedFiles: changed };
  });
}

function stateReader(history: History): (entry: HistoryEntry) => 'current' | 'restorable' | 'past' | 'refused' {
  const current = lastConfirmed(history);
  const restorable = new Set(newestRevisions(history).map(({ revision }) => revision));
  return (entry) => {
    if (entry === current) return 'current';
    if (entry.refused !== undefined) return 'refused';
    return restorable.has(entry.revision) ? 'restorable' : 'past';
  };
}

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
  const texts = { current: isStopped ? 'last' : 'current', restorable: '', past: dim('past'), refused: red('refused') };
  const stateOf = stateReader(history);
  const rows = history.entries.toReversed().map((entry) => {
    const state = texts[stateOf(entry)];
    return [entry.revision, ago(Date.parse(entry.at), now), entry.who, entry.command, state, changedText(entry)];
  });
  const heads = ['REVISION', 'WHEN', 'WHO', 'COMMAND', '', 'CHANGED'].map((head) => dim(head));
  const interrupted = unconfirmed.map(
    (service) =>
      `${red('✖')} ${service}: its current files were never confirmed: a change was interrupted\n  try: promstack up\n`,
  );
  const refused = history.entries.toReversed().flatMap(({ revision, at, refused }) => {
    if (refused === undefined) return [];
    return [`${red('✖')} ${revision}, ${ago(Date.parse(at), now)}, was not confirmed: ${refused.split('\n')[0]}\n`];
  });
  return [table([heads, ...rows], { columns }), ...refused, ...interrupted].join('');
}
function changedText({ changed }: HistoryEntry): string {
  if (changed.length === 0) return 'no file';
  if (changed.length <= shownFiles) return changed.join(', ');
  return `${changed.slice(0, shownFiles).join(', ')} and ${changed.length - shownFiles} more`;
}
