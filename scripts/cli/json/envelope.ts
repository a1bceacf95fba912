import type * as z from 'zod';
import type { Diagnostic, SourceRange } from '../../../stack/diagnostic.ts';
import { InputError, type StackError } from '../../util/stack-error.ts';
import { type ExitCode, exitCodes } from '../context.ts';
import type { diagnosticSchema, errorSchema } from './schema.ts';

/** The version of the JSON output; a change that breaks readers increases it. */
const format = 1;

type JsonDiagnostic = z.input<ReturnType<typeof diagnosticSchema>>;
export type JsonError = z.input<ReturnType<typeof errorSchema>>;

/** The last line of every command with `--json`. */
export interface Envelope {
  /** `images save`; undefined when the command line calls none. */
  readonly command: string | undefined;
  readonly stack: string | undefined;
  readonly exitCode: ExitCode;
  /** The command's own fields; undefined when it failed before it had any. */
  readonly fields: object | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly error: JsonError | undefined;
}

export function envelopeOf({ command, stack, exitCode, fields, diagnostics, error }: Envelope): object {
  const ok = exitCode === exitCodes.fine || exitCode === exitCodes.changesPending;
  return { format, command, stack, ok, ...fields, diagnostics: diagnostics.map(toJsonDiagnostic), error };
}

/** The lines of a streaming command that goes on after a failure. */
export function toFailedLine(error: InputError | Pick<StackError, 'doing' | 'why' | 'tryThis'>, time: string) {
  if (error instanceof InputError) {
    return { kind: 'invalid', time, diagnostics: error.diagnostics.map(toJsonDiagnostic) } as const;
  }
  const { doing, why, tryThis } = error;
  return { kind: 'failed', time, error: { doing, why, try: tryThis } } as const;
}

export function toJsonDiagnostic({ severity, code, message, hint, where, related }: Diagnostic): JsonDiagnostic {
  return {
    severity,
    code,
    message,
    hint,
    ...(where && toJsonRange(where)),
    related: related?.map((place) => ({ ...toJsonRange(place.where), message: place.message })),
  };
}

function toJsonRange({ file, line, column, length }: SourceRange) {
  return { file, line, column, length };
}
