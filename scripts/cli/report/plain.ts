import type { Diagnostic } from '../../../stack/diagnostic.ts';
import type { Clock } from '../../util/clock.ts';
import { durationText } from '../../util/duration-text.ts';
import type { Event } from '../../util/event.ts';
import { unreachable } from '../../util/unreachable.ts';
import type { Every, Reporter } from './reporter.ts';

export interface PlainOptions {
  readonly write: (text: string) => void;
  readonly clock: Pick<Clock, 'now'>;
  readonly every: Every;
  readonly printDiagnostic: (diagnostic: Diagnostic) => string;
}

interface RunningStep {
  readonly what: string;
  readonly since: number;
  detail: string | undefined;
  /** When its last line was printed, and with which detail. */
  printedAt: number | undefined;
  printed: string | undefined;
}

/** Shorter work prints no line until it is done. */
const firstLineMs = 1_000;
/** The interval between lines while the progress changes… */
const changeMs = 5_000;
/** …and while it does not. */
const heartbeatMs = 30_000;

/** For logs, pipes and terminals that cannot move the cursor: prints only permanent lines. */
export function plainReporter({ write, clock, every, printDiagnostic }: PlainOptions): Reporter {
  const running = new Map<string, RunningStep>();
  const print = (line: string) => write(`${line}\n`);

  const printProgress = (work: RunningStep, now: number) => {
    const age = now - work.since;
    const quietFor = now - (work.printedAt ?? work.since);
    const isFirst = work.printedAt === undefined && age >= firstLineMs;
    const isChange = work.printedAt !== undefined && work.detail !== work.printed && quietFor >= changeMs;
    const isHeartbeat = work.printedAt !== undefined && quietFor >= heartbeatMs;
    if (!isFirst && !isChange && !isHeartbeat) return;
    print(`… ${work.what}${work.detail === undefined ? '' : `: ${work.detail}`} (${durationText(age)})`);
    work.printedAt = now;
    work.printed = work.detail;
  };

  let stopTicking: (() => void) | undefined;
  const tick = () => {
    for (const work of running.values()) printProgress(work, clock.now());
  };
  const begin = (id: string, what: string): RunningStep => {
    const work: RunningStep = { what, since: clock.now(), detail: undefined, printedAt: undefined, printed: undefined };
    running.set(id, work);
    stopTicking ??= every(250, tick);
    return work;
  };
  const end = (id: string) => {
    running.delete(id);
    if (running.size > 0) return;
    stopTicking?.();
    stopTicking = undefined;
  };

  const report = (event: Event) => {
    switch (event.kind) {
      case 'started':
        begin(event.id, event.what);
        return;
      case 'progress':
        (running.get(event.id) ?? begin(event.id, event.what)).detail = event.detail;
        return;
      case 'done':
        end(event.id);
        print(
          `✔ ${event.what}${event.detail === undefined ? '' : `: ${event.detail}`} (${durationText(event.tookMs)})`,
        );
        return;
      case 'failed':
        end(event.id);
        print(`✖ ${event.what}: ${event.why}`);
        return;
      case 'skipped':
        end(event.id);
        print(`- ${event.what}: skipped, ${event.because}`);
        return;
      case 'note':
        print(event.text);
        return;
      case 'warning':
        print(`warning: ${event.text}`);
        return;
      case 'diagnostic':
        write(printDiagnostic(event.diagnostic));
        return;
      default:
        unreachable(event);
    }
  };

  return {
    report,
    suspend: () => () => {},
    close: () => {
      stopTicking?.();
      stopTicking = undefined;
      running.clear();
    },
  };
}
