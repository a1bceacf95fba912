import { text } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import { EngineError } from '../engine.ts';
import { openStream } from './request.ts';

/** Waits for containers to end. */
export interface ExitWatch {
  /** Resolves with the exit code when the container ends the next time. */
  next(id: string, signal: AbortSignal): Promise<number>;
  /** Resolves when the engine has taken note of every wait begun for the container: started after that, no end is missed. */
  areWatched(id: string): Promise<void>;
}

/**
 * INVARIANTS:
 * - a wait is in `opening` from the moment `next` is called until the engine's answer begins, which it does once it watches;
 * - a wait that could not be opened never holds up a start: its own promise tells why.
 */
export function createExitWatch(docker: Dockerode): ExitWatch {
  const opening = new Map<string, Set<Promise<unknown>>>();

  const open = async (id: string, signal: AbortSignal) => {
    const request = openStream(docker, {
      method: 'POST',
      path: `/containers/${id}/wait`,
      query: { condition: 'next-exit' },
      signal,
    });
    const waits = opening.get(id) ?? new Set();
    opening.set(id, waits.add(request));
    try {
      return await request;
    } finally {
      waits.delete(request);
      if (waits.size === 0) opening.delete(id);
    }
  };

  return {
    next: async (id, signal) => {
      const answer = await open(id, signal);
      const told = JSON.parse(await text(answer)) as { StatusCode: number; Error?: { Message: string } | null };
      if (told.Error) {
        const doing = `waiting for container ${id} to end`;
        throw new EngineError({ code: 'refused', doing, message: told.Error.Message });
      }
      return told.StatusCode;
    },
    areWatched: async (id) => {
      await Promise.allSettled(opening.get(id) ?? []);
    },
  };
}
