import type { Reporter } from './reporter.ts';

/** Shows nothing: results go to stdout and errors are the frame's to print. */
export function quietReporter(): Reporter {
  return { report: () => {}, suspend: () => () => {}, close: () => {} };
}
