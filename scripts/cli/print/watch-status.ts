import { EngineError } from '../../engine/engine.ts';
import type { Event, Report } from '../../util/event.ts';
import { InputError, StackError } from '../../util/stack-error.ts';
import type { Context } from '../context.ts';
import { clip, liveBlock } from '../report/live-block.ts';

/** How long after one look the next begins. */
const pauseMs = 2_000;

/**
 * Shows a text again and again until the signal aborts: in place on a terminal, elsewhere only when it changed. A look
 * that fails, such as while the engine restarts or stack.yml is half written, is shown and looked at again. What a look
 * reports is told above, once however many looks report it.
 */
export async function watchStatus(
  { stdout, clock, signal, report }: Pick<Context, 'stdout' | 'clock' | 'signal' | 'report'>,
  look: (report: Report) => Promise<string>,
): Promise<void> {
  // A terminal that nobody told its size says 0.
  const columns = () => stdout.columns() || 80;
  const block = liveBlock({ write: stdout.write, columns });
  const told = new Set<string>();
  const tell = (events: readonly Event[]): void => {
    const fresh = new Map(events.map((event) => [JSON.stringify(event), event]));
    for (const text of told) fresh.delete(text);
    // On one terminal, what is told must not land inside the block.
    if (fresh.size > 0) block.draw('', []);
    for (const [text, event] of fresh) {
      told.add(text);
      report(event);
    }
  };
  let last = '';
  try {
    while (!signal.aborted) {
      const events: Event[] = [];
      const text = await orWhyNot(() => look((event) => events.push(event)));
      tell(events);
      if (stdout.isTerminal)
        block.draw(
          '',
          text
            .trimEnd()
            .split('\n')
            .slice(0, (stdout.rows() || 24) - 1),
        );
      else if (text !== last) stdout.write(text);
      last = text;
      await clock.sleep(pauseMs, signal);
    }
  } finally {
    // The last look stays on the screen.
    if (stdout.isTerminal) block.draw(last, []);
  }
}

async function orWhyNot(look: () => Promise<string>): Promise<string> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof StackError || error instanceof EngineError)
      return `✖ ${error.doing}: ${clip(error.message, 200)}\n`;
    if (error instanceof InputError) return `✖ stack.yml is not valid now: ${error.message}\n`;
    throw error;
  }
}
