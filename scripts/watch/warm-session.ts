import { coldSession, type Session } from '../apply/session.ts';
import type { Engine } from '../engine/engine.ts';
import { stackLabel } from '../engine/labels.ts';
import type { Desired } from '../plan/desired.ts';
import { archivedFiles, type ConfigFiles } from '../state/config-files.ts';
import { type HelperFiles, openHelperFiles } from './helper-files.ts';
import { rememberingFiles } from './remembering-files.ts';
import { withFallback } from './with-fallback.ts';

/** For many changes of one stack: what does not change from one to the next is asked for once, until it is forgotten. */
export interface WarmSession extends Session, AsyncDisposable {
  /** Asks for everything anew, as after the engine was away. */
  forget(): Promise<void>;
}

/** Keeps what a session finds out, and a quick way to the files as long as it lasts. */
export function warmSession(engine: Engine): WarmSession {
  const cold = coldSession(engine);
  let images: { readonly asked: string; readonly found: Awaited<ReturnType<Session['images']>> } | undefined;
  let files:
    | { readonly asked: string; readonly way: ConfigFiles; readonly helper: HelperFiles | undefined }
    | undefined;

  const forget = async (): Promise<void> => {
    const helper = files?.helper;
    images = undefined;
    files = undefined;
    await close(helper);
  };
  return {
    images: async (rendering, report, signal) => {
      const asked = JSON.stringify([
        rendering.config.images,
        rendering.services.map(({ container }) => container.image),
      ]);
      if (images?.asked !== asked) images = { asked, found: await cold.images(rendering, report, signal) };
      return images.found;
    },
    files: async (desired) => {
      const asked = `${desired.stack} ${desired.configWriter?.image} ${desired.configWriter?.hash}`;
      if (files?.asked === asked) return files.way;
      await close(files?.helper);
      const archived = archivedFiles(engine, desired.stack);
      const helper = await openHelper(engine, desired);
      const reopen = (): void => {
        files = undefined;
        void close(helper);
      };
      files = {
        asked,
        helper,
        way: rememberingFiles(helper === undefined ? archived : withFallback(helper, archived, reopen)),
      };
      return files.way;
    },
    passed: new Map(),
    looksFirst: false,
    forget,
    [Symbol.asyncDispose]: forget,
  };
}

async function close(helper: HelperFiles | undefined): Promise<void> {
  try {
    await helper?.[Symbol.asyncDispose]();
  } catch {
    // Where the engine is away there is nothing left to close.
  }
}

/** A helper, where the volumes it would mount are there: the engine would make those that are not, without their labels. */
async function openHelper(
  engine: Engine,
  { stack, configWriter, services }: Desired,
): Promise<HelperFiles | undefined> {
  if (configWriter === undefined) return undefined;
  const present = new Set((await engine.listVolumes({ [stackLabel]: stack })).map(({ name }) => name));
  if (!configWriter.mounts.every(({ volume }) => present.has(volume))) return undefined;
  const imageId = services.find(({ spec }) => spec.image === configWriter.image)?.imageId ?? '';
  try {
    return await openHelperFiles(engine, { stack, carrier: configWriter, imageId });
  } catch {
    // An image without a shell has no such way; the engine's own is slower and always there.
    return undefined;
  }
}
