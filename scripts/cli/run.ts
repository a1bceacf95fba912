import { misuse } from '../util/misuse.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import { unreachable } from '../util/unreachable.ts';
import type { Entry } from './commands/command.ts';
import { commands } from './commands/index.ts';
import { type ExitCode, exitCodes } from './context.ts';
import type { Globals } from './globals.ts';
import type { ProcessIo } from './process-io.ts';
import { parse } from './program.ts';
import { runCommand } from './run-command.ts';
import { coloursFor, flush, isReaderGone, openTerminalOutput } from './terminal-output.ts';

/** Runs one command line to its end; answers with the exit code once everything written is out. */
export async function run(world: ProcessIo, entries: readonly Entry[] = commands): Promise<ExitCode> {
  let lost: NodeJS.ErrnoException | undefined;
  world.stdout.on('error', (error) => {
    if (!isReaderGone(error)) lost ??= error;
  });
  const code = await runCommandLine(world, entries);
  await Promise.all([flush(world.stdout), flush(world.stderr)]);
  // What is written last may fail after the command has ended.
  if (lost === undefined) return code;
  const codeOfLoss = await sayLost(world, lost);
  await flush(world.stderr);
  return code === exitCodes.fine ? codeOfLoss : code;
}

/** A result that did not arrive is no success. */
function sayLost(world: ProcessIo, error: Error): Promise<ExitCode> {
  return runCommand(world, globalsBeside(world.argv), () => {
    throw new StackError({
      doing: 'writing the result to stdout',
      why: error.message,
      tryThis: 'run the command again with output to a disk with free space',
      cause: error,
    });
  });
}

async function runCommandLine(world: ProcessIo, entries: readonly Entry[]): Promise<ExitCode> {
  const { argv, env, stdout } = world;
  const colours = coloursFor({ isTerminal: stdout.isTTY === true, env, noColourFlag: argv.includes('--no-color') });
  const parsed = await parse(argv, entries, { columns: stdout.columns || 80, colours });
  switch (parsed.kind) {
    case 'run':
      return runCommand(world, parsed.globals, parsed.run);
    case 'print':
      openTerminalOutput(stdout, colours, () => {}).write(parsed.text);
      return exitCodes.fine;
    case 'misuse':
      return runCommand(world, globalsBeside(argv), () => {
        const guess = parsed.suggestion === undefined ? '' : `did you mean ${parsed.suggestion}? `;
        throw new InputError([misuse(parsed.message, `${guess}see ${parsed.helpLine}`)]);
      });
    default:
      return unreachable(parsed);
  }
}

/** What is said beside a command is said in the form its command line asks for, readable or not. */
function globalsBeside(argv: readonly string[]): Globals {
  return {
    file: undefined,
    stackName: undefined,
    json: argv.includes('--json'),
    quiet: false,
    verbose: false,
    noColour: argv.includes('--no-color'),
  };
}
