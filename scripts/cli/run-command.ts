import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { systemClock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import { misuse } from '../util/misuse.ts';
import { forgetSecrets } from '../util/redaction.ts';
import { InputError } from '../util/stack-error.ts';
import type { Run } from './commands/command.ts';
import { type Context, type ExitCode, exitCodes } from './context.ts';
import { explainFailure, isAbort } from './failure.ts';
import type { Globals } from './globals.ts';
import { printDiagnostic, printDiagnostics, sourceReader } from './print/diagnostics.ts';
import { Interrupted, listenForInterrupts, type ProcessIo } from './process-io.ts';
import { openReporter, resolveMode } from './report/open-reporter.ts';
import { besideLiveLines, coloursFor, isReaderGone, type OutputStream, openTerminalOutput } from './terminal-output.ts';

/** Runs a command and turns its outcome into an exit code. */
export async function runCommand(io: ProcessIo, globals: Globals, command: Run): Promise<ExitCode> {
  forgetSecrets();
  const { cwd, env } = io;
  const controller = new AbortController();
  const { signal } = controller;
  const open = (stream: OutputStream, onBroken: (error: NodeJS.ErrnoException) => void) =>
    openTerminalOutput(
      stream,
      coloursFor({ isTerminal: stream.isTTY === true, env, noColourFlag: globals.noColour }),
      onBroken,
    );
  const stdout = open(io.stdout, (error) => controller.abort(new StdoutBroken(isReaderGone(error))));
  const stderr = open(io.stderr, () => {});
  const readSource = sourceReader(cwd);
  const reporter = openReporter(resolveMode({ ...globals, isTerminal: stderr.isTerminal, env }), {
    output: stderr,
    clock: systemClock,
    printDiagnostic: (diagnostic) => printDiagnostic(diagnostic, readSource, stderr.colours.isColorSupported),
  });
  const verbose = globals.verbose || (env['PROMSTACK_DEBUG'] ?? '') !== '';
  const shown = new Set<string>();
  const report: Report = (event) => {
    if (event.kind === 'failed' && !globals.quiet) shown.add(event.why);
    if ('isInternal' in event && event.isInternal === true && !verbose && !globals.json) return;
    reporter.report(event);
  };
  const stopListening = listenForInterrupts(io, controller, {
    onSlow: () => report({ kind: 'note', text: 'stopping; press Ctrl-C again to exit immediately' }),
    onSecond: () => {
      reporter.close();
      io.exit(exitCodes.interrupted);
    },
  });
  const context: Context = {
    cwd,
    env,
    file: globals.file,
    stackName: globals.stackName,
    json: globals.json,
    verbose,
    get stdin() {
      return io.stdin;
    },
    stdout: besideLiveLines(stdout, reporter.suspend),
    stdoutBytes: io.stdoutBytes,
    stderr: besideLiveLines(stderr, reporter.suspend),
    report,
    signal,
    clock: systemClock,
    confirm: async (question, yesFlag) => {
      const { stdin } = io;
      const canAsk = stdin.isTTY === true && stderr.isTerminal;
      const resume = reporter.suspend();
      try {
        return await confirmAt({ stdin, write: stderr.write, canAsk, signal }, question, yesFlag);
      } finally {
        resume();
      }
    },
  };
  const crash = watchForCrash(io);
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

/** Rejects with the first uncaught error. */
function watchForCrash(io: ProcessIo): { happened: Promise<never>; stopWatching: () => void } {
  let stopWatching = () => {};
  const happened = new Promise<never>((_, reject) => {
    stopWatching = io.onCrash(reject);
  });
  return { happened, stopWatching };
}

/** The reason of an abort because stdout can no longer be written. */
class StdoutBroken extends Error {
  /** Whether the reader closed it, as `| head` does. */
  readonly isClosed: boolean;

  constructor(isClosed: boolean) {
    super('stdout cannot be written to');
    this.name = 'AbortError';
    this.isClosed = isClosed;
  }
}

/** The exit code of an aborted command, whatever it returned. */
function codeAfter({ reason }: AbortSignal): ExitCode | undefined {
  if (reason instanceof Interrupted) return exitCodes.interrupted;
  if (reason instanceof StdoutBroken) return reason.isClosed ? exitCodes.fine : exitCodes.refused;
  return undefined;
}

/** `y` and `yes` mean yes; everything else, including the end of input, means no. */
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
    // Not `terminal`: in line mode Ctrl-C stays a signal.
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
