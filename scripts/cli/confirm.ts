import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { misuse } from '../util/misuse.ts';
import { InputError } from '../util/stack-error.ts';

/** Asks at a terminal; `y` and `yes` are yes, everything else, the end of input included, is no. */
export async function confirmAt(
  terminal: {
    readonly stdin: Readable & { readonly isTTY?: boolean };
    readonly write: (text: string) => void;
    readonly canAsk: boolean;
    readonly signal: AbortSignal;
  },
  question: string,
  yesFlag: string,
): Promise<boolean> {
  const { stdin, write, canAsk, signal } = terminal;
  if (!canAsk) {
    throw new InputError([
      misuse(`there is no terminal to ask at: ${question}`, `say ${yesFlag} if the answer is yes`),
    ]);
  }
  signal.throwIfAborted();
  write(`${question} [y/N] `);
  const answer = await readLine(stdin, signal);
  if (answer === undefined) write('\n');
  return /^y(es)?$/i.test((answer ?? '').trim());
}

/** One line; undefined when the input ends without one. */
function readLine(stdin: Readable, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    // Not `terminal`: the terminal stays in line mode, so that Ctrl-C is a signal as everywhere else.
    const lines = createInterface({ input: stdin, terminal: false });
    const onAbort = () => {
      lines.close();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      resolve(undefined);
    });
  });
}
