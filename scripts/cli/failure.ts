import type { Diagnostic } from '../../stack/diagnostic.ts';
import { EngineError, toStackError } from '../engine/engine.ts';
import { isMisuse } from '../util/misuse.ts';
import { InputError, StackError } from '../util/stack-error.ts';
import { version } from '../util/version.ts';
import { type ExitCode, exitCodes } from './context.ts';
import { hintByName } from './globals.ts';
import type { Colours } from './terminal-output.ts';

export interface FailureStyle {
  readonly colours: Colours;
  readonly json: boolean;
  readonly verbose: boolean;
  /** The stack that `-p` names. */
  readonly stackName: string | undefined;
  /** Whether a reporter has already shown this reason. */
  readonly wasShown: (why: string) => boolean;
  readonly printDiagnostics: (diagnostics: readonly Diagnostic[]) => string;
}

export interface Failure {
  readonly text: string;
  readonly exitCode: ExitCode;
}

/** Distinguishes the three kinds of failure: invalid input, an external failure, and a bug of promstack. */
export function explainFailure(error: unknown, style: FailureStyle): Failure {
  if (error instanceof InputError) return explainInput(error, style);
  if (error instanceof StackError) return explainExternal(error, style);
  if (error instanceof EngineError) {
    return explainExternal(toStackError(error), style);
  }
  return explainBug(error, style);
}

/** Whether an error only means that the signal aborted. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause === signal.reason || cause.name === 'AbortError') return true;
  }
  return false;
}

function explainInput({ diagnostics }: InputError, style: FailureStyle): Failure {
  const exitCode = exitCodes.wrongInput;
  if (style.json) {
    return { text: diagnostics.map((diagnostic) => jsonLine({ kind: 'diagnostic', diagnostic })).join(''), exitCode };
  }
  const text = diagnostics.every(isMisuse)
    ? diagnostics
        .map(({ message, hint }) => `${style.colours.red('✖')} ${message}\n${hint === undefined ? '' : `  ${hint}\n`}`)
        .join('')
    : style.printDiagnostics(diagnostics);
  return { text, exitCode };
}

function explainExternal({ doing, why, cause, ...error }: StackError, style: FailureStyle): Failure {
  const { red, dim } = style.colours;
  const tryThis = error.tryThis === undefined ? undefined : hintByName(error.tryThis, style.stackName);
  if (style.json) {
    return { text: jsonLine({ kind: 'error', doing, why, try: tryThis }), exitCode: exitCodes.refused };
  }
  const head = style.wasShown(why) ? `${doing}: failed (see above)` : `${doing}: ${why}`;
  const lines = [`${red('✖')} ${head}`];
  if (tryThis !== undefined) lines.push(`  try: ${tryThis.replaceAll('\n', '\n       ')}`);
  if (style.verbose) lines.push(...causes(cause).map((line) => dim(`  because: ${line}`)));
  return { text: `${lines.join('\n')}\n`, exitCode: exitCodes.refused };
}

/** The chain of causes, outermost first, each with its stack. */
function causes(cause: unknown): readonly string[] {
  if (cause === undefined) return [];
  if (!(cause instanceof Error)) return [String(cause)];
  return [(cause.stack ?? String(cause)).replaceAll('\n', '\n  '), ...causes(cause.cause)];
}

function explainBug(error: unknown, style: FailureStyle): Failure {
  const stack =
    error instanceof Error
      ? [error.stack ?? String(error), ...causes(error.cause)].join('\n  caused by: ')
      : String(error);
  const about = `promstack ${version()}, Node ${process.version}, ${process.platform} ${process.arch}`;
  const text = style.json
    ? jsonLine({ kind: 'internalError', stack, about })
    : [
        `${style.colours.red('✖')} internal error: this is a bug in promstack, not in your stack`,
        `  ${stack}`,
        `  ${about}`,
        '  try: report a bug with the lines above and the command you ran',
        '',
      ].join('\n');
  return { text, exitCode: exitCodes.refused };
}

function jsonLine(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
