import { EngineError } from '../engine/engine.ts';
import { StackError } from '../util/stack-error.ts';

/** What the engine refused while a service's files were checked, as an error for a person; any other error is left as it is. */
export function refused(service: string, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  return new StackError({
    doing: `checking the files of ${service}`,
    why: `${error.doing}: ${error.message}`,
    tryThis: 'see whether the engine is well: docker info',
    cause: error,
  });
}
