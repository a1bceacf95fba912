import { type Engine, EngineError } from '../engine/engine.ts';
import { stackLabel } from '../engine/labels.ts';
import { StackError } from '../util/stack-error.ts';
import { findStack, stoppedHistory } from './find-stack.ts';
import { lastConfirmed } from './history.ts';
import { names } from './names.ts';

/** Finds the services that `up --without` has left out of a stack, among those that stack.yml enables. */
export type FindLeftOut = (stack: string, enabled: readonly string[]) => Promise<readonly string[]>;

/**
 * The history says what was left out. It is read only when the container of an enabled service is missing, and once for
 * the same missing ones.
 */
export function leftOutFinder(connecting: Engine | Promise<Engine>): FindLeftOut {
  let last: { readonly missing: string; readonly leftOut: readonly string[] } | undefined;
  return async (stack, enabled) => {
    try {
      const engine = await connecting;
      const containers = await engine.listContainers({ [stackLabel]: stack });
      const isThere = (service: string) => containers.some(({ name }) => name === names.container(stack, service));
      const missing = enabled.filter((service) => !isThere(service)).join(' ');
      if (missing === '') return [];
      if (last?.missing !== missing) {
        const history =
          containers.length === 0 ? await stoppedHistory(engine, stack) : (await findStack(engine, stack)).history;
        const without = (history && lastConfirmed(history)?.without) ?? [];
        last = { missing, leftOut: without.filter((service) => missing.split(' ').includes(service)) };
      }
      return last.leftOut;
    } catch (error) {
      // The command itself reports why the engine or the history cannot be read.
      if (error instanceof StackError || error instanceof EngineError) return [];
      throw error;
    }
  };
}
