import type { Diagnostic } from '../../../stack/diagnostic.ts';
import type { Clock } from '../../util/clock.ts';
import { unreachable } from '../../util/unreachable.ts';
import type { TerminalOutput } from '../context.ts';
import { plainReporter } from './plain.ts';
import { type Reporter, systemEvery } from './reporter.ts';
import { ttyReporter } from './tty.ts';

/** The reporter of a mode, writing to stderr. */
export function openReporter(
  mode: Mode,
  told: {
    readonly outlet: TerminalOutput;
    readonly clock: Pick<Clock, 'now'>;
    readonly printDiagnostic: (diagnostic: Diagnostic) => string;
  },
): Reporter {
  const { outlet, clock, printDiagnostic } = told;
  const { write, colours } = outlet;
  switch (mode) {
    case 'tty':
      return ttyReporter({
        write,
        // A terminal that nobody told its size says 0.
        columns: () => outlet.columns() || 80,
        rows: () => outlet.rows() || 24,
        colours,
        clock,
        every: systemEvery,
        printDiagnostic,
      });
    case 'plain':
      return plainReporter({ write, clock, every: systemEvery, printDiagnostic });
    case 'json':
      return jsonReporter({ write, clock });
    case 'quiet':
      return quietReporter();
    default:
      return unreachable(mode);
  }
}

/** One event a line, as JSON with the time it came: for programs that follow what promstack does. */
export function jsonReporter({ write, clock }: { write: (text: string) => void; clock: Pick<Clock, 'now'> }): Reporter {
  return {
    report: (event) => write(`${JSON.stringify({ time: new Date(clock.now()).toISOString(), ...event })}\n`),
    suspend: () => () => {},
    close: () => {},
  };
}

/** Shows nothing: results go to stdout and errors are the frame's to print. */
function quietReporter(): Reporter {
  return { report: () => {}, suspend: () => () => {}, close: () => {} };
}

/** How events are shown. */
type Mode = 'tty' | 'plain' | 'json' | 'quiet';

/** Decides the mode once, from what was asked for and what stderr is; nothing later asks again. */
export function resolveMode(told: {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly isTerminal: boolean;
  readonly env: NodeJS.ProcessEnv;
}): Mode {
  if (told.json) return 'json';
  if (told.quiet) return 'quiet';
  const canMoveCursor = told.isTerminal && told.env['TERM'] !== 'dumb' && (told.env['CI'] ?? '') === '';
  return canMoveCursor ? 'tty' : 'plain';
}
