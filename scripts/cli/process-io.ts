import type { Readable, Writable } from 'node:stream';
import type { OutputStream } from './terminal-output.ts';

/** The part of the process that promstack uses. */
export interface ProcessIo extends SignalSource {
  /** The command line without node and the script. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: OutputStream;
  /** The same stdout, for binary results. */
  readonly stdoutBytes: Writable;
  readonly stderr: OutputStream;
  /** Exits immediately. */
  exit(code: number): void;
  /** Calls back for uncaught errors until the returned function is called. */
  onCrash(listener: (error: unknown) => void): () => void;
}

/** Sent by Ctrl-C, by service managers, and when the terminal or connection is closed. */
export const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export type EndingSignal = (typeof endingSignals)[number];

export interface SignalSource {
  on(signal: EndingSignal, listener: () => void): unknown;
  off(signal: EndingSignal, listener: () => void): unknown;
}

/** The reason of an abort by a signal. */
export class Interrupted extends Error {
  constructor(signal: string) {
    super(`interrupted by ${signal}`);
    this.name = 'AbortError';
  }
}

/** How long stopping may take before a note mentions a second Ctrl-C. */
const slowMs = 1_000;

/**
 * The first signal aborts, so that the command can clean up; the second calls `onSecond`. `onSlow` is called when
 * stopping takes more than a second.
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
      slow = setTimeout(onSlow, slowMs).unref();
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
