import { coldSession, type Session } from '../apply/session.ts';
import type { Engine } from '../engine/engine.ts';

/** For many changes of one stack: what does not change from one to the next is asked for once, until it is forgotten. */
export interface WarmSession extends Session {
  /** Asks for everything anew, as after the engine was away. */
  forget(): void;
}

/** Keeps what a session finds out. */
export function warmSession(engine: Engine): WarmSession {
  const cold = coldSession(engine);
  let info: ReturnType<Session['info']> | undefined;
  let images: { readonly asked: string; readonly found: Awaited<ReturnType<Session['images']>> } | undefined;
  return {
    info: async (signal) => {
      info ??= cold.info(signal);
      return info;
    },
    images: async (rendering, report, signal) => {
      const asked = JSON.stringify([
        rendering.config.images,
        rendering.services.map(({ container }) => container.image),
      ]);
      if (images?.asked !== asked) images = { asked, found: await cold.images(rendering, report, signal) };
      return images.found;
    },
    files: cold.files,
    looksFirst: false,
    forget: () => {
      info = undefined;
      images = undefined;
    },
  };
}
