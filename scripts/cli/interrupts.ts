/** The part of a process that signals come by. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

/** Why the work was asked to stop: by a signal. */
export class Interrupted extends Error {
  constructor(signal: string) {
    super(`interrupted by ${signal}`);
    this.name = 'AbortError';
  }
}

/** How long a clean stop may take before it is said that a second Ctrl-C ends it. */
const patienceMs = 1_000;

/**
 * The first SIGINT or SIGTERM aborts, so that the work can stop cleanly; the second ends the process at once. Work that
 * does not stop within a second is told of by `onSlow`.
 */
export function listenForInterrupts(
  source: SignalSource,
  controller: AbortController,
  { onSlow, onSecond }: { onSlow: () => void; onSecond: () => void },
): () => void {
  let slow: NodeJS.Timeout | undefined;
  const listenTo = (signal: 'SIGINT' | 'SIGTERM') => {
    const listener = () => {
      if (controller.signal.reason instanceof Interrupted) return onSecond();
      controller.abort(new Interrupted(signal));
      slow = setTimeout(onSlow, patienceMs).unref();
    };
    source.on(signal, listener);
    return () => source.off(signal, listener);
  };
  const stops = [listenTo('SIGINT'), listenTo('SIGTERM')];
  return () => {
    clearTimeout(slow);
    for (const stop of stops) stop();
  };
}
