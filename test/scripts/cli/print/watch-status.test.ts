import pc from 'picocolors';
import { expect, test } from 'vitest';
import { watchStatus } from '../../../../scripts/cli/print/watch-status.ts';
import type { Report } from '../../../../scripts/util/event.ts';
import { fakeClock } from '../../../support/fake-clock.ts';
import { Screen } from '../../../support/screen.ts';

test('a warning must be told once, above the status that is drawn in place', async () => {
  const screen = await watchOn({ isTerminal: true });
  expect(screen.text()).toBe('! the port is odd\n! the name is odd\nlook 4\nall is well');
});

test('into a pipe a warning must be told once too', async () => {
  const screen = await watchOn({ isTerminal: false });
  expect(screen.text()).toBe(
    '! the port is odd\nlook 1\nall is well\nlook 2\nall is well\n! the name is odd\nlook 3\nall is well\nlook 4\nall is well',
  );
});

/** Looks four times, the last two with a further warning; stdout and stderr are one screen. */
async function watchOn({ isTerminal }: { isTerminal: boolean }): Promise<Screen> {
  const screen = new Screen(80);
  const write = (text: string) => screen.write(text);
  const stopping = new AbortController();
  let looks = 0;
  const look = async (report: Report) => {
    looks += 1;
    report({ kind: 'warning', text: 'the port is odd' });
    if (looks > 2) report({ kind: 'warning', text: 'the name is odd' });
    if (looks === 4) stopping.abort();
    return `look ${looks}\nall is well\n`;
  };
  const watching = watchStatus(
    {
      stdout: { write, isTerminal, columns: () => 80, rows: () => 24, colours: pc.createColors(false) },
      clock: fakeClock(),
      signal: stopping.signal,
      report: (event) => write(event.kind === 'warning' ? `! ${event.text}\n` : expect.fail(event.kind)),
    },
    look,
  );
  await watching.catch((error: unknown) => expect(error).toBe(stopping.signal.reason));
  return screen;
}
