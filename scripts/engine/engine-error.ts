import { redactIn } from '../util/redaction.ts';
import { StackError } from '../util/stack-error.ts';

/** Why an engine call failed. */
export type EngineErrorCode = 'notFound' | 'conflict' | 'portTaken' | 'denied' | 'unreachable' | 'refused';

/** An error response of the engine, or a failed connection to it; `message` is the engine's own. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  readonly doing: string;
  readonly tryThis: string | undefined;

  constructor(given: {
    code: EngineErrorCode;
    doing: string;
    message: string;
    tryThis?: string | undefined;
    cause?: unknown;
  }) {
    const details = redactIn(given);
    super(details.message, { cause: details.cause });
    this.name = 'EngineError';
    this.code = details.code;
    this.doing = details.doing;
    this.tryThis = details.tryThis;
  }
}

/** The same error for the user. */
export function toStackError(error: EngineError): StackError {
  const { doing, message, tryThis } = error;
  return new StackError({ doing, why: message, tryThis, cause: error });
}
