import type { Diagnostic } from '../../stack/diagnostic.ts';

/** The world refused: says what was being done, why it failed and what to try. Exit code 1. */
export class StackError extends Error {
  /** What was being done to which resource: `starting prometheus`. */
  readonly doing: string;
  /** Why it failed, as a sentence without the final stop. */
  readonly why: string;
  /** What to try. */
  readonly tryThis: string | undefined;

  constructor(told: { doing: string; why: string; tryThis?: string | undefined; cause?: unknown }) {
    super(`${told.doing}: ${told.why}${told.tryThis === undefined ? '' : `\n  try: ${told.tryThis}`}`, {
      cause: told.cause,
    });
    this.name = 'StackError';
    this.doing = told.doing;
    this.why = told.why;
    this.tryThis = told.tryThis;
  }
}

/** The person's input is wrong: carries every problem found. Exit code 2. */
export class InputError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((one) => one.message).join('\n'));
    this.name = 'InputError';
    this.diagnostics = diagnostics;
  }
}
