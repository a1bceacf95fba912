import type { Readable, Writable } from 'node:stream';
import type { StackConfig } from '../../stack/config.ts';
import type { Secret } from '../../stack/secret.ts';
import type { Clock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import type { TerminalOutput } from './terminal-output.ts';

/**
 * Everything a command uses of the process and the system. `Fields` is its result with `--json`, `Line` what it prints line by
 * line before.
 */
export interface Context<Fields = never, Line = never> {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The stack files of `-f`, as typed; without them, stack.yml is searched from `cwd` upwards. */
  readonly file: readonly string[];
  /** The env files of `--env-file`, as typed. */
  readonly envFile: readonly string[];
  /** The running stack the user named with `-p`, as typed; its commands read no stack.yml. */
  readonly stackName: string | undefined;
  /** Whether the result is printed as JSON. */
  readonly json: boolean;
  /** Where the stack runs by `--target`, in place of `target` in stack.yml. */
  readonly target: StackConfig['target'] | undefined;
  /**
   * Names the stack of the command in its JSON. Throws a StackError when the command does not work where the stack runs.
   */
  readonly nameStack: (name: string, target?: StackConfig['target']) => void;
  /** The result for `--json`, printed when the command has ended; `revealed` are secrets that the user asked for. */
  readonly result: (fields: Fields, ...revealed: readonly Secret[]) => void;
  /** Prints a line of JSON immediately with `--json`. */
  readonly line: (line: Line) => void;
  /** Whether the causes of errors are printed. */
  readonly verbose: boolean;
  readonly stdin: Readable;
  /** For results only; with `--json` it discards them. */
  readonly stdout: TerminalOutput;
  /** The same stdout, for binary results. */
  readonly stdoutBytes: Writable;
  /** With `--json` it discards everything. */
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
