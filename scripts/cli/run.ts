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

/** Runs one command line; returns the exit code once all output has been written. */
export async function run(io: ProcessIo, entries: readonly Entry[] = commands): Promise<ExitCode> {
  let writeError: NodeJS.ErrnoException | undefined;
  io.stdout.on('error', (error) => {
    if (!isReaderGone(error)) writeError ??= error;
  });
  const code = await runCommandLine(io, entries);
  await Promise.all([flush(io.stdout), flush(io.stderr)]);
  // The last write may fail after the command has ended.
  if (writeError === undefined) return code;
  const writeErrorCode = await reportWriteError(io, writeError);
  await flush(io.stderr);
  return code === exitCodes.fine ? writeErrorCode : code;
}

function reportWriteError(io: ProcessIo, error: Error): Promise<ExitCode> {
  const run = () => {
    throw new StackError({
      doing: 'writing the result to stdout',
      why: error.message,
      tryThis: 'run the command again with output to a disk with free space',
      cause: error,
    });
  };
  return runCommand(io, globalsOf(io.argv), { command: undefined, onSwarm: 'works', run }, io.stderr);
}

async function runCommandLine(io: ProcessIo, entries: readonly Entry[]): Promise<ExitCode> {
  const { argv, env, stdout } = io;
  const colours = coloursFor({ isTerminal: stdout.isTTY === true, env, noColourFlag: argv.includes('--no-color') });
  const parsed = await parse(argv, entries, { columns: stdout.columns || 80, colours });
  switch (parsed.kind) {
    case 'run':
      return runCommand(io, parsed.globals, parsed);
    case 'print':
      openTerminalOutput(stdout, colours, () => {}).write(parsed.text);
      return exitCodes.fine;
    case 'misuse':
      return runCommand(io, globalsOf(argv), {
        command: parsed.command,
        onSwarm: 'works',
        run: () => {
          const { message, suggestion, hint, helpLine } = parsed;
          const guess = suggestion === undefined ? '' : `did you mean ${suggestion}? `;
          throw new InputError([misuse(message, hint ?? `${guess}see ${helpLine}`)]);
        },
      });
    default:
      return unreachable(parsed);
  }
}

/** The global options of a command line that may be invalid, for its error message. */
function globalsOf(argv: readonly string[]): Globals {
  return {
    file: [],
    envFile: [],
    stackName: undefined,
    target: undefined,
    json: argv.includes('--json'),
    quiet: false,
    verbose: false,
    noColour: argv.includes('--no-color'),
  };
}
