import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { systemClock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import { misuse } from '../util/misuse.ts';
import { InputError } from '../util/stack-error.ts';
import type { Run } from './commands/command.ts';
import type { Context } from './context.ts';
import { type ExitCode, exitCodes } from './context.ts';
import { explainFailure, isAbort } from './failure.ts';
import type { Globals } from './globals.ts';
import { printDiagnostic, printDiagnostics, sourceReader } from './print/diagnostics.ts';
import type { ProcessIo } from './process-io.ts';
import { Interrupted, listenForInterrupts } from './process-io.ts';
import { openReporter, resolveMode } from './report/open-reporter.ts';
import { besideLiveLines, coloursFor, isReaderGone, type OutputStream, openTerminalOutput } from './terminal-output.ts';

/** Runs a command with everything it may use, and turns whatever comes of it into an exit code. */
export async function runCommand(world: ProcessIo, globals: Globals, command: Run): Promise<ExitCode> {
  const { cwd, env } = world;
  const controller = new AbortController();
  const { signal } = controller;
  const open = (stream: OutputStream, onBroken: (error: NodeJS.ErrnoException) => void) =>
    openTerminalOutput(
      stream,
      coloursFor({ isTerminal: stream.isTTY === true, env, noColourFlag: globals.noColour }),
      onBroken,
    );
  const stdout = open(world.stdout, (error) => controller.abort(new StdoutBroken(isReaderGone(error))));
  const stderr = open(world.stderr, () => {});
  const readSource = sourceReader(cwd);
  const reporter = openReporter(resolveMode({ ...globals, isTerminal: stderr.isTerminal, env }), {
    output: stderr,
    clock: systemClock,
    printDiagnostic: (diagnostic) => printDiagnostic(diagnostic, readSource, stderr.colours.isColorSupported),
  });
  const shown = new Set<string>();
  const report: Report = (event) => {
    if (event.kind === 'failed' && !globals.quiet) shown.add(event.why);
    reporter.report(event);
  };
  const stopListening = listenForInterrupts(world, controller, {
    onSlow: () => report({ kind: 'note', text: 'stopping; press Ctrl-C again to exit immediately' }),
    onSecond: () => {
      reporter.close();
      world.exit(exitCodes.interrupted);
    },
  });
  const context: Context = {
    cwd,
    env,
    file: globals.file,
    stackName: globals.stackName,
    json: globals.json,
    verbose: globals.verbose || (env['PROMSTACK_DEBUG'] ?? '') !== '',
    get stdin() {
      return world.stdin;
    },
    stdout: besideLiveLines(stdout, reporter.suspend),
    stdoutBytes: world.stdoutBytes,
    stderr: besideLiveLines(stderr, reporter.suspend),
    report,
    signal,
    clock: systemClock,
    confirm: async (question, yesFlag) => {
      const { stdin } = world;
      const canAsk = stdin.isTTY === true && stderr.isTerminal;
      const resume = reporter.suspend();
      try {
        return await confirmAt({ stdin, write: stderr.write, canAsk, signal }, question, yesFlag);
      } finally {
        resume();
      }
    },
  };
  const crash = watchForCrash(world);
  try {
    const code = await Promise.race([command(context), crash.happened]);
    return codeAfter(signal) ?? code;
  } catch (error) {
    reporter.close();
    if (signal.aborted && isAbort(error, signal)) return codeAfter(signal) ?? exitCodes.refused;
    const failure = explainFailure(error, {
      colours: stderr.colours,
      json: context.json,
      verbose: context.verbose,
      stackName: context.stackName,
      wasShown: (why) => shown.has(why),
      printDiagnostics: (diagnostics) => printDiagnostics(diagnostics, readSource, stderr.colours.isColorSupported),
    });
    stderr.write(failure.text);
    return codeAfter(signal) ?? failure.exitCode;
  } finally {
    crash.stopWatching();
    stopListening();
    reporter.close();
  }
}

/** Rejects with the first error that nobody caught. */
function watchForCrash(world: ProcessIo): { happened: Promise<never>; stopWatching: () => void } {
  let stopWatching = () => {};
  const happened = new Promise<never>((_, reject) => {
    stopWatching = world.onCrash(reject);
  });
  return { happened, stopWatching };
}

/** Nothing can be written to stdout any more, so there is nothing left to work for. */
class StdoutBroken extends Error {
  /** What was wanted has been read. */
  readonly hadEnough: boolean;

  constructor(hadEnough: boolean) {
    super('stdout takes no more');
    this.name = 'AbortError';
    this.hadEnough = hadEnough;
  }
}

/** The exit code of work that was asked to stop, whatever it answered in the end. */
function codeAfter({ reason }: AbortSignal): ExitCode | undefined {
  if (reason instanceof Interrupted) return exitCodes.interrupted;
  if (reason instanceof StdoutBroken) return reason.hadEnough ? exitCodes.fine : exitCodes.refused;
  return undefined;
}

/** Asks at a terminal; `y` and `yes` are yes, everything else, the end of input included, is no. */
async function confirmAt(
  terminal: {
    readonly stdin: Readable & { readonly isTTY?: boolean };
    readonly write: (text: string) => void;
    readonly canAsk: boolean;
    readonly signal: AbortSignal;
  },
  question: string,
  yesFlag: string,
): Promise<boolean> {
  const { stdin, write, canAsk, signal } = terminal;
  if (!canAsk) {
    throw new InputError([misuse(`no terminal to confirm: ${question}`, `add ${yesFlag} to confirm`)]);
  }
  signal.throwIfAborted();
  write(`${question} [y/N] `);
  const answer = await readLine(stdin, signal);
  if (answer === undefined) write('\n');
  return /^y(es)?$/i.test((answer ?? '').trim());
}

/** One line; undefined when the input ends without one. */
function readLine(stdin: Readable, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    // Not `terminal`: the terminal stays in line mode, so that Ctrl-C is a signal as everywhere else.
    const lines = createInterface({ input: stdin, terminal: false });
    const onAbort = () => {
      lines.close();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      resolve(undefined);
    });
  });
}
