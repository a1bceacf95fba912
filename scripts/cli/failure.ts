import type { Diagnostic } from '../../stack/diagnostic.ts';
import { EngineError, toStackError } from '../engine/engine-error.ts';
import { isMisuse } from '../util/misuse.ts';
import { InputError, InterruptedError, StackError } from '../util/stack-error.ts';
import { version } from '../util/version.ts';
import { type ExitCode, exitCodes } from './context.ts';
import { hintByName } from './globals.ts';
import type { JsonError } from './json/envelope.ts';
import type { Colours } from './terminal-output.ts';

export interface FailureStyle {
  readonly colours: Colours;
  readonly verbose: boolean;
  /** The stack that `-p` names. */
  readonly stackName: string | undefined;
  /** Whether a reporter has already shown this reason. */
  readonly wasShown: (why: string) => boolean;
  readonly printDiagnostics: (diagnostics: readonly Diagnostic[], source: InputError['source']) => string;
}

export interface Failure {
  /** For people. */
  readonly text: string;
  readonly exitCode: ExitCode;
  /** Those of invalid input. */
  readonly diagnostics: readonly Diagnostic[];
  /** Any other failure. */
  readonly error: JsonError | undefined;
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

/** Explains an interrupt: the state that it left, if a change was interrupted. */
export function explainInterrupt(error: unknown, style: Pick<FailureStyle, 'colours' | 'stackName'>): Failure {
  const { left, tryThis } = error instanceof InterruptedError ? error : {};
  const why = left === undefined ? 'interrupted' : `interrupted: ${left}`;
  const hint = tryThis === undefined ? undefined : hintByName(tryThis, style.stackName);
  return {
    text: `${style.colours.red('✖')} ${why}\n${hint === undefined ? '' : `  try: ${hint}\n`}`,
    exitCode: exitCodes.interrupted,
    diagnostics: [],
    error: { kind: 'interrupted', doing: 'running promstack', why, try: hint },
  };
}

function explainInput({ diagnostics, source }: InputError, style: FailureStyle): Failure {
  const text = diagnostics.every(isMisuse)
    ? diagnostics
        .map(({ message, hint }) => `${style.colours.red('✖')} ${message}\n${hint === undefined ? '' : `  ${hint}\n`}`)
        .join('')
    : style.printDiagnostics(diagnostics, source);
  return { text, exitCode: exitCodes.wrongInput, diagnostics, error: undefined };
}

function explainExternal({ doing, why, cause, ...error }: StackError, style: FailureStyle): Failure {
  const { red, dim } = style.colours;
  const tryThis = error.tryThis === undefined ? undefined : hintByName(error.tryThis, style.stackName);
  const head = style.wasShown(why) ? `${doing}: failed (see above)` : `${doing}: ${why}`;
  const lines = [`${red('✖')} ${head}`];
  if (tryThis !== undefined) lines.push(`  try: ${tryThis.replaceAll('\n', '\n       ')}`);
  if (style.verbose) lines.push(...causes(cause).map((line) => dim(`  because: ${line}`)));
  return {
    text: `${lines.join('\n')}\n`,
    exitCode: exitCodes.refused,
    diagnostics: [],
    error: { kind: 'external', doing, why, try: tryThis },
  };
}

/** The chain of causes, outermost first, each with its stack. */
function causes(cause: unknown): readonly string[] {
  if (cause === undefined) return [];
  if (!(cause instanceof Error)) return [String(cause)];
  return [(cause.stack ?? String(cause)).replaceAll('\n', '\n  '), ...causes(cause.cause)];
}

function explainBug(error: unknown, style: FailureStyle): Failure {
  const trace =
    error instanceof Error
      ? [error.stack ?? String(error), ...causes(error.cause)].join('\n  caused by: ')
      : String(error);
  const about = `promstack ${version()}, Node ${process.version}, ${process.platform} ${process.arch}`;
  const head = 'internal error: this is a bug in promstack, not in your stack';
  return {
    text: `${style.colours.red('✖')} ${head}\n  ${trace}\n  ${about}\n  try: report a bug with the lines above and the command you ran\n`,
    exitCode: exitCodes.refused,
    diagnostics: [],
    error: {
      kind: 'internal',
      doing: 'running promstack',
      why: error instanceof Error ? error.message : String(error),
      try: 'report a bug with this output and the command you ran',
      trace: `${trace}\n${about}`,
    },
  };
}
