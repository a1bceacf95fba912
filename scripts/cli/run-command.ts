import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Diagnostic } from '../../stack/diagnostic.ts';
import type { Secret } from '../../stack/secret.ts';
import { systemClock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import { misuse } from '../util/misuse.ts';
import { forgetSecrets } from '../util/redaction.ts';
import { InputError, InterruptedError, isAbort, StackError } from '../util/stack-error.ts';
import { type Context, type ExitCode, exitCodes } from './context.ts';
import { explainFailure, explainInterrupt, type Failure, type FailureStyle } from './failure.ts';
import { type Globals, hintByName } from './globals.ts';
import { type Envelope, envelopeOf } from './json/envelope.ts';
import { printDiagnostic, printDiagnostics, sourceReader } from './print/diagnostics.ts';
import { Interrupted, listenForInterrupts, type ProcessIo } from './process-io.ts';
import type { CalledCommand } from './program.ts';
import { openReporter, resolveMode } from './report/open-reporter.ts';
import {
  besideLiveLines,
  coloursFor,
  isReaderGone,
  type OutputStream,
  openTerminalOutput,
  type TerminalOutput,
} from './terminal-output.ts';

/** Runs a command and turns its outcome into an exit code; with `--json`, prints every outcome to `resultStream`. */
export async function runCommand(
  io: ProcessIo,
  globals: Globals,
  called: CalledCommand,
  resultStream: OutputStream = io.stdout,
): Promise<ExitCode> {
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
  const stdout = open(resultStream, (error) => controller.abort(new StdoutBroken(isReaderGone(error))));
  const stderr = open(io.stderr, () => {});
  const readSource = sourceReader(cwd);
  const reporter = openReporter(resolveMode({ ...globals, isTerminal: stderr.isTerminal, env }), {
    output: stderr,
    clock: systemClock,
    printDiagnostic: (diagnostic) => printDiagnostic(diagnostic, readSource, stderr.colours.isColorSupported),
  });
  const verbose = globals.verbose || (env['PROMSTACK_DEBUG'] ?? '') !== '';
  const shown = new Set<string>();
  const { json } = globals;
  const diagnostics: Diagnostic[] = [];
  const report: Report = (event) => {
    if (json && event.kind === 'diagnostic') diagnostics.push(event.diagnostic);
    if (event.kind === 'failed' && !globals.quiet) shown.add(event.why);
    if ('isInternal' in event && event.isInternal === true && !verbose && !json) return;
    reporter.report(event);
  };
  const toShown = (key: string, text: string) => (key === 'try' ? hintByName(text, globals.stackName) : text);
  let stack: string | undefined;
  let result: { readonly fields: object; readonly revealed: readonly Secret[] } | undefined;
  const printEnvelope = (exitCode: ExitCode, failure?: Failure): void => {
    if (!json) return;
    const all = [...diagnostics, ...(failure?.diagnostics ?? [])];
    const error = errorOf(exitCode, failure);
    const { command } = called;
    const envelope = envelopeOf({ command, stack, exitCode, fields: result?.fields, diagnostics: all, error });
    stdout.writeJson(envelope, { revealed: result?.revealed, toShown });
  };
  const stopListening = listenForInterrupts(io, controller, {
    onSlow: () => report({ kind: 'note', text: 'stopping; press Ctrl-C again to exit immediately' }),
    onSecond: () => {
      reporter.close();
      if (!json)
        stderr.write('interrupted again: exited without waiting for what was being done\n  try: promstack status\n');
      printEnvelope(exitCodes.interrupted);
      io.exit(exitCodes.interrupted);
    },
  });
  const context: Context = {
    cwd,
    env,
    file: globals.file,
    envFile: globals.envFile,
    stackName: globals.stackName,
    json,
    target: globals.target,
    nameStack: (name, target) => {
      stack = name;
      if (target === 'swarm') refuseOnSwarm(called);
    },
    result: (fields, ...revealed) => {
      result = { fields, revealed };
    },
    line: (line) => {
      if (json) stdout.writeJson(line, { toShown });
    },
    verbose,
    get stdin() {
      return io.stdin;
    },
    stdout: json ? silent(stdout) : besideLiveLines(stdout, reporter.suspend),
    stdoutBytes: io.stdoutBytes,
    stderr: json ? silent(stderr) : besideLiveLines(stderr, reporter.suspend),
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
    const returned = await Promise.race([called.run(context), crash.happened]);
    const code = codeAfter(signal) ?? returned;
    printEnvelope(code);
    return code;
  } catch (error) {
    reporter.close();
    const failure = failureOf(error, signal, {
      colours: stderr.colours,
      verbose,
      stackName: globals.stackName,
      wasShown: (why) => shown.has(why),
      printDiagnostics: (mistakes, source) =>
        printDiagnostics(
          mistakes,
          (file) => (file === source?.file ? source.text : readSource(file)),
          stderr.colours.isColorSupported,
        ),
    });
    const code = codeAfter(signal) ?? failure?.exitCode ?? exitCodes.refused;
    if (!json) stderr.write(failure?.text ?? '');
    printEnvelope(code, failure);
    return code;
  } finally {
    crash.stopWatching();
    stopListening();
    reporter.close();
  }
}

/** Throws a StackError for a command that does not work for a stack on a swarm. */
function refuseOnSwarm({ command, onSwarm }: Pick<CalledCommand, 'command' | 'onSwarm'>): void {
  if (onSwarm === 'works') return;
  throw new StackError({
    doing: `running promstack ${command}`,
    why: 'it does not work for a stack with the target swarm; nothing was changed',
    tryThis: onSwarm.instead,
  });
}

/** Undefined for a command that only ended because stdout was closed. */
function failureOf(error: unknown, signal: AbortSignal, style: FailureStyle): Failure | undefined {
  if (!signal.aborted || !isAbort(error, signal)) return explainFailure(error, style);
  const isInterrupt = error instanceof InterruptedError || signal.reason instanceof Interrupted;
  return isInterrupt ? explainInterrupt(error, style) : undefined;
}

function silent(output: TerminalOutput): TerminalOutput {
  return { ...output, write: () => {} };
}

/** Why the command failed, after an interruption in any case. */
function errorOf(exitCode: ExitCode, failure: Failure | undefined): Envelope['error'] {
  const error = failure?.error;
  if (exitCode !== exitCodes.interrupted) return error;
  return { doing: 'running promstack', why: 'interrupted', ...error, kind: 'interrupted' };
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
