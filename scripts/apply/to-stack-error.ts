import { EngineError } from '../engine/engine.ts';
import { StackError } from '../util/stack-error.ts';

/** The engine's refusal as an error for a person; any other error stays what it is. */
export function toStackError(error: unknown, doing: string): unknown {
  if (!(error instanceof EngineError)) return error;
  return new StackError({ doing, why: `${error.doing}: ${error.message}`, cause: error });
}
