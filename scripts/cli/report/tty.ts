import type { Diagnostic } from '../../../stack/diagnostic.ts';
import type { Clock } from '../../util/clock.ts';
import { durationText } from '../../util/duration-text.ts';
import type { Event } from '../../util/event.ts';
import { unreachable } from '../../util/unreachable.ts';
import type { Colours } from '../terminal-output.ts';
import { clip, liveBlock } from './live-block.ts';
import type { Every, Reporter } from './reporter.ts';

export interface TtyOptions {
  readonly write: (text: string) => void;
  readonly columns: () => number;
  readonly rows: () => number;
  readonly colours: Colours;
  readonly clock: Pick<Clock, 'now'>;
  readonly every: Every;
  readonly printDiagnostic: (diagnostic: Diagnostic) => string;
}

interface LiveStep {
  readonly what: string;
  readonly since: number;
  detail: string | undefined;
  fraction: number | undefined;
}

const frameMs = 80;
/** Names are not truncated below this length. */
const shortestName = 16;
const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;

/**
 * One live line for each running step, replaced by a permanent line when the step ends.
 *
 * INVARIANTS:
 * - permanent lines are above, live lines below, and the cursor is at the start of the line after both;
 * - each change of the screen is one write, so that it does not flicker;
 * - the cursor is hidden exactly while live lines are on the screen.
 */
export function ttyReporter(options: TtyOptions): Reporter {
  const { colours, clock, printDiagnostic } = options;
  const running = new Map<string, LiveStep>();
  const block = liveBlock(options);
  let waiting = '';
  let suspensions = 0;
  let frame = 0;
  let isClosed = false;
  let stopTicking: (() => void) | undefined;

  const redraw = () => {
    if (suspensions > 0) return;
    block.draw(waiting, isClosed ? [] : liveLines());
    waiting = '';
  };
  const stay = (text: string) => {
    waiting += text;
    redraw();
  };
  const liveLines = () => {
    const now = clock.now();
    const shown = [...running.values()];
    const space = Math.max(1, options.rows() - 2);
    const lines = shown.slice(0, space).map((work) => liveLine(work, now));
    return shown.length > space ? [...lines, colours.dim(`  and ${shown.length - space} more`)] : lines;
  };
  const liveLine = (work: LiveStep, now: number) => {
    const spin = spinner[frame % spinner.length] ?? '';
    const age = durationText(Math.floor((now - work.since) / 100) * 100);
    const percent = work.fraction === undefined ? '' : ` ${Math.floor(work.fraction * 100)} %`;
    const tail = `${work.detail === undefined ? '' : `: ${work.detail}`}${percent}`;
    const space = options.columns() - age.length - 5;
    // The progress matters more than the name, so the name is truncated first.
    const name = clip(work.what, Math.max(space - tail.length, shortestName));
    return `${colours.cyan(spin)} ${clip(`${name}${tail}`, space)}  ${colours.dim(age)}`;
  };

  const begin = (id: string, what: string): LiveStep => {
    const work: LiveStep = { what, since: clock.now(), detail: undefined, fraction: undefined };
    running.set(id, work);
    // Nothing is drawn before the first tick: work that ends earlier prints only its last line.
    stopTicking ??= options.every(frameMs, () => {
      frame += 1;
      redraw();
    });
    return work;
  };
  const end = (id: string, line: string) => {
    running.delete(id);
    if (running.size === 0) {
      stopTicking?.();
      stopTicking = undefined;
    }
    stay(`${line}\n`);
  };

  const report = (event: Event) => {
    if (isClosed) return;
    switch (event.kind) {
      case 'started':
        begin(event.id, event.what);
        return;
      case 'progress': {
        const work = running.get(event.id) ?? begin(event.id, event.what);
        work.detail = event.detail;
        work.fraction = event.fraction;
        return;
      }
      case 'done': {
        const detail = event.detail === undefined ? '' : `: ${event.detail}`;
        end(event.id, `${colours.green('✔')} ${event.what}${detail}  ${colours.dim(durationText(event.tookMs))}`);
        return;
      }
      case 'failed':
        end(event.id, `${colours.red('✖')} ${event.what}: ${event.why}`);
        return;
      case 'skipped':
        end(event.id, `${colours.yellow('-')} ${event.what}: skipped, ${event.because}`);
        return;
      case 'note':
        stay(`${event.text}\n`);
        return;
      case 'warning':
        stay(`${colours.yellow('warning:')} ${event.text}\n`);
        return;
      case 'diagnostic':
        stay(printDiagnostic(event.diagnostic));
        return;
      default:
        unreachable(event);
    }
  };

  const suspend = () => {
    if (suspensions === 0) block.draw(waiting, []);
    waiting = suspensions === 0 ? '' : waiting;
    suspensions += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      suspensions -= 1;
      if (!isClosed) redraw();
    };
  };

  const close = () => {
    if (isClosed) return;
    isClosed = true;
    stopTicking?.();
    block.draw(waiting, []);
  };

  return { report, suspend, close };
}
