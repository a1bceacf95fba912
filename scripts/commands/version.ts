import { exitCodes } from '../cli/exit-code.ts';
import { version } from '../util/version.ts';
import { defineCommand } from './command.ts';

/** `promstack version`: which promstack, Node and engine are at work. */
export const command = defineCommand({
  run: async (context) => {
    context.stdout.write(`promstack ${version()}\n`);
    return exitCodes.fine;
  },
});
