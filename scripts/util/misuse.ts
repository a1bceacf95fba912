import type { Diagnostic } from '../../stack/diagnostic.ts';

const code = 'usage';

/** An error in the command line that only the command can detect. */
export function misuse(message: string, hint?: string): Diagnostic {
  return { severity: 'error', code, message, ...(hint === undefined ? {} : { hint }) };
}

/** Whether a diagnostic is about the command line, not about a file. */
export function isMisuse(diagnostic: Diagnostic): boolean {
  return diagnostic.code === code;
}
