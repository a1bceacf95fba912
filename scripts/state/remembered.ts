import type { ComposeProject, FindRemembered } from '../config/loaded.ts';
import type { Engine } from '../engine/engine.ts';
import { EngineError } from '../engine/engine-error.ts';
import { stackLabel } from '../engine/labels.ts';
import { StackError } from '../util/stack-error.ts';
import { composeProjectOf } from './compose-project.ts';
import { findStack, stoppedHistory } from './find-stack.ts';
import { lastConfirmed } from './history.ts';
import { names } from './names.ts';

/**
 * Labels say which compose project the stack is a part of, the history what was left out. It is read only when the container of an enabled service is missing, and once for
 * the same missing ones.
 */
export function rememberedFinder(connecting: Engine | Promise<Engine>): FindRemembered {
  let last: { readonly missing: string; readonly leftOut: readonly string[] } | undefined;
  return async (stack, enabled) => {
    try {
      const engine = await connecting;
      const containers = await engine.listContainers({ [stackLabel]: stack });
      const isThere = (service: string) => containers.some(({ name }) => name === names.container(stack, service));
      const compose = await withExisting(engine, composeProjectOf(containers));
      const missing = enabled.filter((service) => !isThere(service)).join(' ');
      if (missing === '') return { leftOut: [], compose };
      if (last?.missing !== missing) {
        const history =
          containers.length === 0 ? await stoppedHistory(engine, stack) : (await findStack(engine, stack)).history;
        const without = (history && lastConfirmed(history)?.without) ?? [];
        last = { missing, leftOut: without.filter((service) => missing.split(' ').includes(service)) };
      }
      return { leftOut: last.leftOut, compose };
    } catch (error) {
      // The command itself reports why the engine or the history cannot be read.
      if (error instanceof StackError || error instanceof EngineError) return { leftOut: [] };
      throw error;
    }
  };
}

/** A network of the project that was removed is not joined again. */
async function withExisting(engine: Engine, compose: ComposeProject | undefined): Promise<ComposeProject | undefined> {
  if (compose === undefined || compose.networks.length === 0) return compose;
  const existing = (await engine.listNetworks({})).map(({ name }) => name);
  return { ...compose, networks: compose.networks.filter((network) => existing.includes(network)) };
}
