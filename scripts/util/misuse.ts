import type { Diagnostic } from '../../stack/diagnostic.ts';

const code = 'usage';

/** Something wrong with the command line that only the command itself can know. */
export function misuse(message: string, hint?: string): Diagnostic {
  return { severity: 'error', code, message, ...(hint === undefined ? {} : { hint }) };
}

/** Whether a diagnostic is of the command line, and so has no place in a file. */
export function isMisuse(diagnostic: Diagnostic): boolean {
  return diagnostic.code === code;
}
