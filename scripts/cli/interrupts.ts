/** Signals that ask for an end: Ctrl-C, a service manager's, and that of a terminal or connection that is gone. */
export const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One of them. */
export type EndingSignal = (typeof endingSignals)[number];

/** The part of a process that signals come by. */
export interface SignalSource {
  on(signal: EndingSignal, listener: () => void): unknown;
  off(signal: EndingSignal, listener: () => void): unknown;
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
 * The first ending signal aborts, so that the work can stop cleanly; the second ends the process at once. Work that
 * does not stop within a second is told of by `onSlow`.
 */
export function listenForInterrupts(
  source: SignalSource,
  controller: AbortController,
  { onSlow, onSecond }: { onSlow: () => void; onSecond: () => void },
): () => void {
  let slow: NodeJS.Timeout | undefined;
  const listenTo = (signal: EndingSignal) => {
    const listener = () => {
      if (controller.signal.reason instanceof Interrupted) return onSecond();
      controller.abort(new Interrupted(signal));
      slow = setTimeout(onSlow, patienceMs).unref();
    };
    source.on(signal, listener);
    return () => source.off(signal, listener);
  };
  const stops = endingSignals.map(listenTo);
  return () => {
    clearTimeout(slow);
    for (const stop of stops) stop();
  };
}
