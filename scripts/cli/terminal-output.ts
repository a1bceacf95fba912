import picocolors from 'picocolors';
import type { Secret } from '../../stack/secret.ts';
import { redact } from '../util/redaction.ts';

/** Functions that add colours, or do nothing when colours are disabled. */
export type Colours = ReturnType<typeof picocolors.createColors>;

interface ColourOptions {
  readonly isTerminal: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly noColourFlag: boolean;
}

/** The colours of an output: by `--no-color`, NO_COLOR and FORCE_COLOR in this order, else only on a terminal. */
export function coloursFor(options: ColourOptions): Colours {
  return picocolors.createColors(hasColours(options));
}

function hasColours({ isTerminal, env, noColourFlag }: ColourOptions): boolean {
  if (noColourFlag || isSet(env['NO_COLOR'])) return false;
  if (isSet(env['FORCE_COLOR'])) return env['FORCE_COLOR'] !== '0' && env['FORCE_COLOR'] !== 'false';
  return isTerminal && env['TERM'] !== 'dumb';
}

/** An empty variable counts as absent: https://no-color.org. */
function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

interface JsonOptions {
  readonly revealed?: readonly Secret[] | undefined;
  readonly toShown?: ((key: string, text: string) => string) | undefined;
}

/** stdout or stderr of the process. */
export interface TerminalOutput {
  /** Prints the text without secrets, but for those that the user asked for. Live progress lines are moved out of the way. */
  write(text: string, ...revealed: readonly Secret[]): void;
  /** Prints a value as one line of JSON, its strings without secrets; `toShown` may change a string before. */
  writeJson(value: object, options?: JsonOptions): void;
  readonly isTerminal: boolean;
  /** Undefined for anything but a terminal. */
  columns(): number | undefined;
  rows(): number;
  readonly colours: Colours;
}

/** The part of a Node stream that is used here. */
export interface OutputStream {
  write(text: string, done?: () => void): boolean;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** An output that discards everything once a write fails; `onBroken` is called once, with the reason. */
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
    write: (text, ...revealed) => {
      if (isBroken || text === '') return;
      const texts = revealed.map((secret) => secret.reveal());
      stream.write(redact(text, texts));
    },
    writeJson: (value, { revealed = [], toShown = (_key: string, text: string) => text } = {}) => {
      if (isBroken) return;
      const texts = revealed.map((secret) => secret.reveal());
      // In the line as a whole, a secret could be a number or a key.
      const shown = (key: string, part: unknown): unknown =>
        typeof part === 'string' ? redact(toShown(key, part), texts) : part;
      stream.write(`${JSON.stringify(value, shown)}\n`);
    },
    isTerminal: stream.isTTY === true,
    columns: () => (stream.isTTY === true ? stream.columns : undefined),
    rows: () => stream.rows ?? 24,
    colours,
  };
}

/** Whether an output broke because its reader closed it, as `| head` does. */
export function isReaderGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}

/** The same output, for use while live lines may be on the terminal. */
export function besideLiveLines(output: TerminalOutput, suspend: () => () => void): TerminalOutput {
  if (!output.isTerminal) return output;
  return {
    ...output,
    write: (text, ...revealed) => {
      const resume = suspend();
      output.write(text, ...revealed);
      resume();
    },
  };
}

/** Resolves when everything has been written, or cannot be. */
export function flush(stream: OutputStream): Promise<void> {
  return new Promise((resolve) => {
    stream.on('error', () => resolve());
    stream.write('', () => resolve());
  });
}
