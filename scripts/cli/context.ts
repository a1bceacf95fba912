import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import type { TerminalOutput } from './terminal-output.ts';

/** Everything a command uses of the process and the system. */
export interface Context {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The stack file of `-f`, as typed; without it, the file is searched from `cwd` upwards. */
  readonly file: string | undefined;
  /** The running stack the user named with `-p`, as typed; its commands read no stack.yml. */
  readonly stackName: string | undefined;
  /** Whether results are printed as JSON. */
  readonly json: boolean;
  /** Whether the causes of errors are printed. */
  readonly verbose: boolean;
  readonly stdin: Readable;
  /** For results only. */
  readonly stdout: TerminalOutput;
  /** The same stdout, for binary results. */
  readonly stdoutBytes: Writable;
  readonly stderr: TerminalOutput;
  readonly report: Report;
  /** Aborts on SIGINT, SIGTERM, SIGHUP and when stdout is closed. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /**
   * Asks for confirmation; anything but yes is no. Without a terminal it rejects with an InputError that names the flag
   * which confirms in advance.
   */
  confirm(question: string, yesFlag: string): Promise<boolean>;
}

/** promstack's exit codes; scripts rely on them. */
export const exitCodes = {
  fine: 0,
  /** The engine, a server or the network failed, or a check found a problem. */
  refused: 1,
  /** The config or the command line is invalid; nothing was changed. */
  wrongInput: 2,
  /** With --detailed-exitcode: there are changes. */
  changesPending: 3,
  /** `check` could not run promtool or amtool: nothing wrong was found, and nothing was proven. */
  notChecked: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
