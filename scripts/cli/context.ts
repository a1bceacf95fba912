import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import type { Colours } from './colours.ts';

/** Everything a command may use of the outside; built once, in the frame, and handed in. */
export interface Context {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The stack file the person named with `-f`, as they typed it; found by walking up from `cwd` when absent. */
  readonly file: string | undefined;
  /** The running stack the user named with `-p`, as typed; its commands read no stack.yml. */
  readonly stackName: string | undefined;
  /** Results are wanted as JSON on stdout. */
  readonly json: boolean;
  /** Causes of errors are wanted too. */
  readonly verbose: boolean;
  readonly stdin: Readable;
  /** For results only; everything else goes through `report` or to `stderr`. */
  readonly stdout: TerminalOutput;
  /** The same stdout, for a result that is no text. */
  readonly stdoutBytes: Writable;
  readonly stderr: TerminalOutput;
  readonly report: Report;
  /** Aborts on SIGINT, SIGTERM, SIGHUP and when nobody reads stdout any more. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /**
   * Asks a yes-or-no question at the terminal; anything but yes is no. Where there is no terminal to ask at it rejects
   * with an InputError that names the flag which answers yes beforehand.
   */
  confirm(question: string, yesFlag: string): Promise<boolean>;
}

/** One of the process's two outputs. */
export interface TerminalOutput {
  /** Writes the text as it is; live progress lines on the same terminal make room. */
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Characters in a line; undefined where lines have no end. */
  columns(): number | undefined;
  /** Lines on the screen. */
  rows(): number;
  readonly colours: Colours;
}
