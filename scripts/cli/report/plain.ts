import type { Diagnostic } from '../../../stack/diagnostic.ts';
import type { Clock } from '../../util/clock.ts';
import { durationText } from '../../util/duration-text.ts';
import type { Event } from '../../util/event.ts';
import { unreachable } from '../../util/unreachable.ts';
import type { Every, Reporter } from './reporter.ts';

/** What the plain reporter needs of the outside. */
export interface PlainOptions {
  readonly write: (text: string) => void;
  readonly clock: Pick<Clock, 'now'>;
  readonly every: Every;
  readonly printDiagnostic: (diagnostic: Diagnostic) => string;
}

/** A piece of work that has begun and not ended. */
interface RunningStep {
  readonly what: string;
  readonly since: number;
  detail: string | undefined;
  /** When its last line was printed, and what stood there. */
  saidAt: number | undefined;
  said: string | undefined;
}

/** Work shorter than this ends before it is worth a line. */
const firstLineMs = 1_000;
/** A change of progress is told at most this often… */
const changeMs = 5_000;
/** …and work without any change shows this often that it goes on. */
const heartbeatMs = 30_000;

/** Lines that never change once written: for logs, pipes and terminals that cannot move the cursor. */
export function plainReporter({ write, clock, every, printDiagnostic }: PlainOptions): Reporter {
  const running = new Map<string, RunningStep>();
  const say = (line: string) => write(`${line}\n`);

  const tell = (work: RunningStep, now: number) => {
    const age = now - work.since;
    const quietFor = now - (work.saidAt ?? work.since);
    const isFirst = work.saidAt === undefined && age >= firstLineMs;
    const isChange = work.saidAt !== undefined && work.detail !== work.said && quietFor >= changeMs;
    const isHeartbeat = work.saidAt !== undefined && quietFor >= heartbeatMs;
    if (!isFirst && !isChange && !isHeartbeat) return;
    say(`… ${work.what}${work.detail === undefined ? '' : `: ${work.detail}`} (${durationText(age)})`);
    work.saidAt = now;
    work.said = work.detail;
  };

  let stopTicking: (() => void) | undefined;
  const tick = () => {
    for (const work of running.values()) tell(work, clock.now());
  };
  const begin = (id: string, what: string): RunningStep => {
    const work: RunningStep = { what, since: clock.now(), detail: undefined, saidAt: undefined, said: undefined };
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
      case 'phase':
        return;
      case 'started':
        begin(event.id, event.what);
        return;
      case 'progress':
        (running.get(event.id) ?? begin(event.id, event.what)).detail = event.detail;
        return;
      case 'done':
        end(event.id);
        say(`✔ ${event.what}${event.detail === undefined ? '' : `: ${event.detail}`} (${durationText(event.tookMs)})`);
        return;
      case 'failed':
        end(event.id);
        say(`✖ ${event.what}: ${event.why}`);
        return;
      case 'skipped':
        end(event.id);
        say(`- ${event.what}: skipped, ${event.because}`);
        return;
      case 'note':
        say(event.text);
        return;
      case 'warning':
        say(`warning: ${event.text}`);
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
