import type { Engine } from '../../engine/engine.ts';
import { speakInside } from '../../state/request-inside.ts';
import { NoAnswer, type Transport, textFormat } from './transport.ts';

/** Which Pushgateway, and how long it may take. */
export interface InsideOptions {
  readonly container: string;
  /** The port inside the container. */
  readonly port: number;
  /** What it is called in messages: the address it would have if its ports could be reached from here. */
  readonly base: string;
  readonly timeoutMs: number;
}

/** The way through the engine into the container, for engines of other machines. */
export function openInside(
  engine: Pick<Engine, 'exec'>,
  { container, port, base, timeoutMs }: InsideOptions,
): Transport {
  return {
    base,
    send: async ({ method, path, body, signal }) => {
      const deadline = AbortSignal.timeout(timeoutMs);
      const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
      const request = { method, port, path, ...(body === undefined ? {} : { body, headers: textFormat }) };
      try {
        return await speakInside(engine, container, request, { timeoutMs, signal: either });
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof Error)) throw error;
        if (deadline.aborted) throw new NoAnswer('timeout', `there was no answer within ${timeoutMs / 1000} s`, error);
        throw new NoAnswer('connection', error.message, error);
      }
    },
    // It holds nothing open: the engine is whoever opened it's to close.
    [Symbol.asyncDispose]: async () => undefined,
  };
}
