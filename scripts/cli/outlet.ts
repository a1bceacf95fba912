import type { Colours } from './colours.ts';
import type { Context, Outlet } from './context.ts';

/** The part of a process's stdout or stderr that is used here. */
export interface OutputStream {
  write(text: string, done?: () => void): boolean;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** An output that goes quiet when its reader is gone, as `| head` does; `onGone` is told once. */
export function openOutlet(stream: OutputStream, colours: Colours, onGone: () => void): Outlet {
  let isGone = false;
  stream.on('error', () => {
    if (isGone) return;
    isGone = true;
    onGone();
  });
  return {
    write: (text) => {
      if (!isGone && text !== '') stream.write(text);
    },
    isTerminal: stream.isTTY === true,
    columns: () => (stream.isTTY === true ? stream.columns : undefined),
    rows: () => stream.rows ?? 24,
    colours,
  };
}

/** The same output, for use while live lines may stand on the terminal. */
export function besideLiveLines(outlet: Outlet, suspend: () => () => void): Context['stdout'] {
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
