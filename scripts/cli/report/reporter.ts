import type { Report } from '../../util/event.ts';

/** Shows events in one of the modes. */
export interface Reporter {
  readonly report: Report;
  /** Removes live lines from the screen, so that something else can be written there; the returned function restores them. */
  suspend(): () => void;
  /** Removes live lines from the screen and restores the terminal; idempotent. */
  close(): void;
}

/** Calls back at an interval until the returned function is called; never keeps the process alive. */
export type Every = (ms: number, callback: () => void) => () => void;

export const systemEvery: Every = (ms, callback) => {
  const timer = setInterval(callback, ms).unref();
  return () => clearInterval(timer);
};
