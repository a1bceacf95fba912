import type { Colours } from './colours.ts';
import type { Context, TerminalOutput } from './context.ts';

/** The part of a process's stdout or stderr that is used here. */
export interface OutputStream {
  write(text: string, done?: () => void): boolean;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** An output that goes quiet once it cannot be written any more; `onBroken` is told why, once. */
export function openTerminalOutput(
  stream: OutputStream,
  colours: Colours,
  onBroken: (error: NodeJS.ErrnoException) => void,
): TerminalOutput {
  let isBroken = false;
  stream.on('error', (error) => {
    if (isBroken) return;
    isBroken = true;
    onBroken(error);
  });
  return {
    write: (text) => {
      if (!isBroken && text !== '') stream.write(text);
    },
    isTerminal: stream.isTTY === true,
    columns: () => (stream.isTTY === true ? stream.columns : undefined),
    rows: () => stream.rows ?? 24,
    colours,
  };
}

/** Whether an output broke because its reader has enough, as that of `| head` does. */
export function isReaderGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}

/** The same output, for use while live lines may stand on the terminal. */
export function besideLiveLines(outlet: TerminalOutput, suspend: () => () => void): Context['stdout'] {
  if (!outlet.isTerminal) return outlet;
  return {
    ...outlet,
    write: (text) => {
      const resume = suspend();
      outlet.write(text);
      resume();
    },
  };
}

/** Resolves when everything written has left the process, or cannot any more. */
export function flush(stream: OutputStream): Promise<void> {
  return new Promise((resolve) => {
    stream.on('error', () => resolve());
    stream.write('', () => resolve());
  });
}
