import { EngineError } from '../engine/engine.ts';
import { StackError } from '../util/stack-error.ts';

/** Turns the engine's refusal to remove what others still use into what to do; any other error stays what it is. */
export function explainRemoval(what: 'network' | 'volume', name: string, error: unknown): unknown {
  if (!(error instanceof EngineError) || !/active endpoints|in use|being used/i.test(error.message)) return error;
  const [who, tryThis] =
    what === 'network'
      ? ['is still on it', `docker network inspect ${name} names it; take it off, and run down again`]
      : ['still has it', `docker ps -a --filter volume=${name} names it; remove it, and run down again`];
  return new StackError({
    doing: `removing the ${what} ${name}`,
    why: `a container that is not of this stack ${who}`,
    tryThis,
    cause: error,
  });
}
