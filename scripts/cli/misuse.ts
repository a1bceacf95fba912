import type { Diagnostic } from '../../stack/diagnostic.ts';

/** Something wrong with the command line that only the command itself can know. */
export function misuse(message: string, hint?: string): Diagnostic {
  return { severity: 'error', code: 'usage', message, ...(hint === undefined ? {} : { hint }) };
}
