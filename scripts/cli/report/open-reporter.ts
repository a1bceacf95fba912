import type { Diagnostic } from '../../../stack/diagnostic.ts';
import type { Clock } from '../../util/clock.ts';
import { unreachable } from '../../util/unreachable.ts';
import type { TerminalOutput } from '../terminal-output.ts';
import { plainReporter } from './plain.ts';
import { type Reporter, systemEvery } from './reporter.ts';
import { ttyReporter } from './tty.ts';

export function openReporter(
  mode: Mode,
  {
    output,
    clock,
    printDiagnostic,
  }: {
    /** stderr. */
    readonly output: TerminalOutput;
    readonly clock: Pick<Clock, 'now'>;
    readonly printDiagnostic: (diagnostic: Diagnostic) => string;
  },
): Reporter {
  const { write, colours } = output;
  switch (mode) {
    case 'tty':
      return ttyReporter({
        write,
        // An unknown terminal size is 0.
        columns: () => output.columns() || 80,
        rows: () => output.rows() || 24,
        colours,
        clock,
        every: systemEvery,
        printDiagnostic,
      });
    case 'plain':
      return plainReporter({ write, clock, every: systemEvery, printDiagnostic });
    case 'json':
      return jsonReporter({ writeJson: output.writeJson, clock });
    case 'quiet':
      return quietReporter({ write, printDiagnostic });
    default:
      return unreachable(mode);
  }
}

/** Writes each event as one line of JSON with its time; diagnostics are part of the result. */
export function jsonReporter({
  writeJson,
  clock,
}: {
  writeJson: (value: object) => void;
  clock: Pick<Clock, 'now'>;
}): Reporter {
  return {
    report: (event) => {
      if (event.kind === 'diagnostic' || ('isResult' in event && event.isResult === true)) return;
      const time = new Date(clock.now()).toISOString();
      const durationSeconds = event.kind === 'done' ? event.tookMs / 1000 : undefined;
      writeJson({ time, ...event, tookMs: undefined, durationSeconds, isInternal: undefined });
    },
    suspend: () => () => {},
    close: () => {},
  };
}

/** Prints diagnostics that are results; errors are printed by `runCommand`. */
function quietReporter({
  write,
  printDiagnostic,
}: {
  readonly write: (text: string) => void;
  readonly printDiagnostic: (diagnostic: Diagnostic) => string;
}): Reporter {
  return {
    report: (event) => {
      if (event.kind === 'diagnostic' && event.isResult === true) write(printDiagnostic(event.diagnostic));
    },
    suspend: () => () => {},
    close: () => {},
  };
}

type Mode = 'tty' | 'plain' | 'json' | 'quiet';

/** The mode by the global options and the kind of stderr. */
export function resolveMode({
  json,
  quiet,
  isTerminal,
  env,
}: {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly isTerminal: boolean;
  readonly env: NodeJS.ProcessEnv;
}): Mode {
  if (json) return 'json';
  if (quiet) return 'quiet';
  const canMoveCursor = isTerminal && env['TERM'] !== 'dumb' && (env['CI'] ?? '') === '';
  return canMoveCursor ? 'tty' : 'plain';
}
