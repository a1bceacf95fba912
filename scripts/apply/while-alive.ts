import type { Service } from '../../stack/service.ts';
import type { Engine } from '../engine/engine.ts';
import { died, exitedWith } from './ready.ts';

/** The server that has to stay alive. */
export interface Alive {
  readonly service: Service;
  readonly container: string;
  readonly engine: Engine;
  /** Resolves when the container ends; undefined when it was not started just now. */
  readonly exit: Promise<number> | undefined;
  readonly signal: AbortSignal;
}

/**
 * Works with a server that is ready: when it dies over its files all the same, that ends the work at once and is told by its log. The
 * engine would start it again and again meanwhile, so that nothing else shows it.
 */
export async function whileAlive<T>(
  { service, container, engine, exit, signal }: Alive,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (exit === undefined) return work(signal);
  const done = new AbortController();
  const death = exit.then(
    async (code): Promise<never> => {
      throw await died(service, container, engine, `${exitedWith(code)} after it was ready`);
    },
    // A broken wait is no exit.
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([work(AbortSignal.any([signal, done.signal])), death]);
  } finally {
    done.abort();
  }
}
