import type { Diagnostic } from '../../stack/diagnostic.ts';
import { redact, redactIn } from './redaction.ts';

/** An external failure of engine, server or network: what was being done, why it failed and what to try. Exit code 1. */
export class StackError extends Error {
  /** What was being done to which resource: `starting prometheus`. */
  readonly doing: string;
  /** Why it failed, as a sentence without the period. */
  readonly why: string;
  readonly tryThis: string | undefined;
  /** Why, in short, for the line of the step that failed: the whole reason follows at the end. */
  readonly brief: string | undefined;

  constructor(given: {
    doing: string;
    why: string;
    brief?: string | undefined;
    tryThis?: string | undefined;
    cause?: unknown;
  }) {
    const options = redactIn(given);
    super(`${options.doing}: ${options.why}${options.tryThis === undefined ? '' : `\n  try: ${options.tryThis}`}`, {
      cause: options.cause,
    });
    this.name = 'StackError';
    this.doing = options.doing;
    this.why = options.why;
    this.brief = options.brief;
    this.tryThis = options.tryThis;
  }
}

/** A change that was interrupted, and the state it left: `nothing was changed`. Its cause is the reason of the abort. */
export class InterruptedError extends Error {
  readonly left: string;
  readonly tryThis: string | undefined;

  constructor({ left, tryThis, cause }: { left: string; tryThis?: string | undefined; cause: unknown }) {
    super(`interrupted: ${redact(left)}`, { cause });
    this.name = 'AbortError';
    this.left = redact(left);
    this.tryThis = redactIn(tryThis);
  }
}

/** Whether an error only means that the signal aborted. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause === signal.reason || cause.name === 'AbortError') return true;
  }
  return false;
}

/** Waits for a change; an interrupt that left no other state has changed nothing. */
export async function unchangedIfInterrupted<T>(change: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await change;
  } catch (error) {
    if (!signal.aborted || error instanceof InterruptedError || !isAbort(error, signal)) throw error;
    throw new InterruptedError({ left: 'nothing was changed', cause: signal.reason });
  }
}

/** Invalid input of the user, with all its problems. Exit code 2. */
export class InputError extends Error {
  readonly diagnostics: readonly Diagnostic[];
  /** The text of a file that cannot be read again, such as stdin. */
  readonly source: { readonly file: string; readonly text: string } | undefined;

  constructor(given: readonly Diagnostic[], source?: InputError['source']) {
    const diagnostics = redactIn(given);
    super(diagnostics.map(lineOf).join('\n'));
    this.name = 'InputError';
    this.diagnostics = diagnostics;
    // Line by line, so that the places in it remain right.
    this.source = source && {
      ...source,
      text: source.text
        .split('\n')
        .map((line) => redact(line))
        .join('\n'),
    };
  }
}

/** `stack.yml:3:5: unknown key "imagse" (did you mean "images"?)` */
function lineOf({ where, message, hint }: Diagnostic): string {
  const place = where === undefined ? '' : `${where.file}:${where.line}:${where.column}: `;
  return `${place}${message}${hint === undefined ? '' : ` (${hint})`}`;
}
