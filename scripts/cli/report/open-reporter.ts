import type { Diagnostic } from '../../../stack/diagnostic.ts';
import type { Clock } from '../../util/clock.ts';
import { unreachable } from '../../util/unreachable.ts';
import type { Outlet } from '../context.ts';
import { jsonReporter } from './json.ts';
import type { Mode } from './mode.ts';
import { plainReporter } from './plain.ts';
import { quietReporter } from './quiet.ts';
import { type Reporter, systemEvery } from './reporter.ts';
import { ttyReporter } from './tty.ts';

/** The reporter of a mode, writing to stderr. */
export function openReporter(
  mode: Mode,
  told: {
    readonly outlet: Outlet;
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
