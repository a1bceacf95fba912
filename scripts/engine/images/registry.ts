import { type Engine, EngineError, type PullProgress } from '../engine.ts';
import { underMirror } from './reference.ts';

/** How long a pull may say nothing before it is given up, in milliseconds. */
const silenceMs = 60_000;

/** The name an image is pulled by: its own, or the one it has under the mirror. */
export function pullReference(reference: string, mirror: string | undefined): string {
  return mirror === undefined ? reference : underMirror(reference, mirror);
}

/** Pulls an image, telling how far it is; undefined when it was had, else why not. */
export async function pullFromRegistry(
  engine: Engine,
  reference: string,
  tell: (detail: string, fraction?: number) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  const silence = createSilence(silenceMs);
  try {
    await engine.pullImage(
      reference,
      (progress) => {
        silence.broken();
        if (progress.totalBytes > 0) tell(sayProgress(progress), progress.doneBytes / progress.totalBytes);
      },
      AbortSignal.any([signal, silence.signal]),
    );
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (silence.signal.aborted) return `no word from the registry for ${silenceMs / 1_000} s`;
    if (error instanceof EngineError && error.code !== 'unreachable') return error.message;
    throw error;
  } finally {
    silence.end();
  }
}

/** `42 of 98 MB` */
export function sayProgress({ doneBytes, totalBytes }: PullProgress): string {
  const inMegabytes = (bytes: number) => Math.round(bytes / 1e6);
  return `${inMegabytes(doneBytes)} of ${inMegabytes(totalBytes)} MB`;
}

/** A signal that aborts after a time in which nothing was heard. */
function createSilence(ms: number): { readonly signal: AbortSignal; broken(): void; end(): void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, broken: () => timer.refresh(), end: () => clearTimeout(timer) };
}
