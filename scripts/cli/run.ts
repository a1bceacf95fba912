import { commands, type Entry } from '../commands/index.ts';
import { InputError } from '../util/stack-error.ts';
import { unreachable } from '../util/unreachable.ts';
import { coloursFor } from './colours.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import type { Globals } from './globals.ts';
import { misuse } from './misuse.ts';
import { flush, openOutlet } from './outlet.ts';
import { parse } from './program.ts';
import { runCommand } from './run-command.ts';
import type { World } from './world.ts';

/** Runs one command line to its end; answers with the exit code once everything written is out. */
export async function run(world: World, entries: readonly Entry[] = commands): Promise<ExitCode> {
  const code = await runCommandLine(world, entries);
  await Promise.all([flush(world.stdout), flush(world.stderr)]);
  return code;
}

async function runCommandLine(world: World, entries: readonly Entry[]): Promise<ExitCode> {
  const { argv, env, stdout } = world;
  const colours = coloursFor({ isTerminal: stdout.isTTY === true, env, noColourFlag: argv.includes('--no-color') });
  const parsed = await parse(argv, entries, { columns: stdout.columns ?? 80, colours });
  switch (parsed.kind) {
    case 'run':
      return runCommand(world, parsed.globals, parsed.run);
    case 'print':
      openOutlet(stdout, colours, () => {}).write(parsed.text);
      return exitCodes.fine;
    case 'misuse':
      return runCommand(world, globalsOfMisuse(argv), () => {
        const guess = parsed.suggestion === undefined ? '' : `did you mean ${parsed.suggestion}? `;
        throw new InputError([misuse(parsed.message, `${guess}see ${parsed.helpLine}`)]);
      });
    default:
      return unreachable(parsed);
  }
}

/** A command line that cannot be read is answered in the form it asks for all the same. */
function globalsOfMisuse(argv: readonly string[]): Globals {
  return {
    file: undefined,
    json: argv.includes('--json'),
    quiet: false,
    verbose: false,
    noColour: argv.includes('--no-color'),
  };
}
