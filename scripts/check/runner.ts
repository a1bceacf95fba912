import type { CheckCommand, RenderedFile } from '../../stack/model.ts';
import { EngineError } from '../engine/engine-error.ts';
import { StackError } from '../util/stack-error.ts';

/** One service's files, and the commands that check them. */
export interface CheckJob {
  readonly service: string;
  /** The image that will run the service. */
  readonly image: string;
  /** `uid:gid`, in numbers. */
  readonly user: string;
  readonly files: readonly RenderedFile[];
  /** All commands, so that a runner can prepare for them at once. */
  readonly commands: readonly CheckCommand[];
}

/** Runs the checking tools of a service on files that no server reads yet. */
export interface CheckRunner extends AsyncDisposable {
  /** Where the tools run, for messages: `prom/prometheus:v3.5.3`, `this host`. */
  readonly where: string;
  /** Runs one of the job's commands on the files in CONFIG. Rejects with a StackError when it cannot run. */
  run(command: CheckCommand, signal: AbortSignal): Promise<CheckRun>;
}

/** The outcome of a command. */
export type CheckRun =
  | {
      readonly kind: 'ran';
      /** Whether it is an earlier run that passed. */
      readonly isCached?: boolean | undefined;
      readonly exitCode: number;
      /** stdout and stderr in printing order; paths begin with CONFIG. */
      readonly output: string;
      /** A note for the user on a run that passed. */
      readonly detail?: string | undefined;
    }
  /** The tool is not available. */
  | { readonly kind: 'notRun'; readonly why: string; readonly tryThis?: string | undefined };

/** The image on the engine for an image name in stack.yml; undefined when it is not present. */
export type FindImage = (reference: string) => Promise<{ readonly ref: string; readonly id: string } | undefined>;

/** Opens the runner of one service. */
export type OpenRunner = (job: CheckJob) => Promise<CheckRunner>;

/** All files that a job's commands read, without duplicate paths. */
export function filesOf(job: Pick<CheckJob, 'files' | 'commands'>): readonly RenderedFile[] {
  const all = [...job.files, ...job.commands.flatMap((command) => command.reads ?? [])];
  return [...new Map(all.map((file) => [file.path, file])).values()];
}

/** Whether a command's run passes the check. */
export function hasPassed(run: CheckRun, command: CheckCommand): boolean {
  if (run.kind === 'notRun') return false;
  return run.isCached === true || (command.passes?.(run.output) ?? run.exitCode === 0);
}

/** All runs of a command, with CONFIG replaced by the directory of the files. */
export function runsOf({ argv, alsoRun = [] }: CheckCommand, directory: string): readonly (readonly string[])[] {
  return [argv, ...alsoRun].map((run) => run.map((argument) => argument.replaceAll('CONFIG', directory)));
}

/** The exit code and output of a program. */
export interface Exit {
  readonly exitCode: number;
  readonly output: string;
}

/** The result of a command, with the directory replaced by CONFIG. */
export function toRun({ exitCode, output }: Exit, directory: string, detail?: string): CheckRun {
  return { kind: 'ran', exitCode, output: output.replaceAll(directory, 'CONFIG'), detail };
}

/** Merges the exits of several runs: the last exit code that is not 0 counts. */
export function combined(exits: readonly Exit[]): Exit {
  return {
    exitCode: exits.findLast(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0,
    output: exits.map(({ output }) => output).join('\n'),
  };
}

/** One shell line that runs all commands and fails if one of them fails. */
export function shellLine(runs: readonly (readonly string[])[]): string {
  const lines = runs.map((argv) => argv.map((argument) => `'${argument.replaceAll("'", "'\\''")}'`).join(' '));
  return lines.length === 1 ? String(lines[0]) : `(r=0; ${lines.map((line) => `${line} || r=$?; `).join('')}exit $r)`;
}

/** Wraps an engine error during a check for the user; returns other errors unchanged. */
export function toCheckError(service: string, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  return new StackError({
    doing: `checking the files of ${service}`,
    why: `${error.doing}: ${error.message}`,
    tryThis: 'check the state of the engine with docker info',
    cause: error,
  });
}

/** Whether an engine's message means that the image has no shell. */
export function lacksShell(message: string): boolean {
  return /["'/]sh\b/.test(message) && /no such file|not found|executable file/i.test(message);
}
