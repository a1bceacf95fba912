import type { Report } from '../../util/event.ts';

/** Shows events to a person or a program, in one of the modes. */
export interface Reporter {
  readonly report: Report;
  /** Takes live lines off the screen so that something else can be written there; the answer puts them back. */
  suspend(): () => void;
  /** Takes live lines off the screen for good and gives the terminal back as it was. Calling it again does nothing. */
  close(): void;
}

/** Calls back every so many milliseconds until the answer is called; never keeps the process alive. */
export type Every = (ms: number, callback: () => void) => () => void;

/** The machine's own timer. */
export const systemEvery: Every = (ms, callback) => {
  const timer = setInterval(callback, ms).unref();
  return () => clearInterval(timer);
};
