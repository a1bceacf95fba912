import { findStack, findUnconfirmed } from '../../state/find-stack.ts';
import { lastConfirmed } from '../../state/history.ts';
import { exitCodes } from '../exit-code.ts';
import { printHistory } from '../print/history.ts';
import { defineCommand } from './command.ts';
import { connectEngine, stackNameOf } from './stages.ts';

/** `promstack history`: what ran when, and who made it so. */
export const command = defineCommand({
  details:
    'Lists the revisions of the stack, newest first: when and by whom each was confirmed, with which command, and ' +
    'which files it changed. Revisions that a server rejected, and that were therefore rolled back, are listed ' +
    'too. The history is stored on the engine, so every machine sees the same one. `rollback` can restore any of ' +
    'the newest ten.',
  run: async (context) => {
    const stack = await stackNameOf(context);
    await using engine = await connectEngine(context);
    const found = await findStack(engine, stack);
    const unconfirmed = await findUnconfirmed(found);
    const { stdout, clock, json } = context;
    const { history } = found;
    if (json) {
      const entries = history.entries.map((entry) => ({ ...entry, isConfirmed: entry.refused === undefined }));
      stdout.write(
        `${JSON.stringify({ stack, current: lastConfirmed(history)?.revision, unconfirmed, history: entries })}\n`,
      );
    } else {
      stdout.write(printHistory({ stack, history, unconfirmed }, { colours: stdout.colours, now: clock.now() }));
    }
    return exitCodes.fine;
  },
});
