import type { Clock } from '../../util/clock.ts';
import type { Reporter } from './reporter.ts';

/** One event a line, as JSON with the time it came: for programs that follow what promstack does. */
export function jsonReporter({ write, clock }: { write: (text: string) => void; clock: Pick<Clock, 'now'> }): Reporter {
  return {
    report: (event) => write(`${JSON.stringify({ time: new Date(clock.now()).toISOString(), ...event })}\n`),
    suspend: () => () => {},
    close: () => {},
  };
}
