import type { CheckCommand, RenderedFile } from '../../stack/model.ts';
import { EngineError } from '../engine/engine.ts';
import { StackError } from '../util/stack-error.ts';

/** One service's files, and the commands that check them. */
export interface CheckJob {
  readonly service: string;
  /** The image that will run the service. */
  readonly image: string;
  /** `uid:gid`, in numbers. */
  readonly user: string;
  readonly files: readonly RenderedFile[];
  /** Every command that will be run, so that a runner can prepare for all of them at once. */
  readonly commands: readonly CheckCommand[];
}

/** A place where a service's checking tools run over files that no server reads yet. */
export interface CheckRunner extends AsyncDisposable {
  /** Where the tools run, for messages: `prom/prometheus:v3.5.3`, `this host`. */
  readonly where: string;
  /** Runs one of the job's commands, with the files in place under CONFIG. Rejects with a StackError when it cannot run. */
  run(command: CheckCommand, signal: AbortSignal): Promise<CheckRun>;
}

/** The outcome of a command. */
export type CheckRun =
  | {
      readonly kind: 'ran';
      readonly exitCode: number;
      /** stdout and stderr together in the order of printing; paths begin with CONFIG again. */
      readonly output: string;
      /** A remark for the user on a run that passed. */
      readonly detail?: string | undefined;
    }
  /** There was nothing to run it with. */
  | { readonly kind: 'notRun'; readonly why: string; readonly tryThis?: string | undefined };

/** The image on the engine for an image's name in stack.yml; undefined when it is not present. */
export type FindImage = (reference: string) => Promise<{ readonly ref: string; readonly id: string } | undefined>;

/** Opens a runner for one service. */
export type OpenRunner = (job: CheckJob) => Promise<CheckRunner>;

/** All files a job's commands read, each path once. */
export function filesOf(job: Pick<CheckJob, 'files' | 'commands'>): readonly RenderedFile[] {
  const all = [...job.files, ...job.commands.flatMap((command) => command.reads ?? [])];
  return [...new Map(all.map((file) => [file.path, file])).values()];
}

/** Every run of a command, with the directory of the files in CONFIG's place. */
export function runsOf({ argv, alsoRun = [] }: CheckCommand, directory: string): readonly (readonly string[])[] {
  return [argv, ...alsoRun].map((run) => run.map((argument) => argument.replaceAll('CONFIG', directory)));
}

/** How a program ended, and what it printed. */
export interface Exit {
  readonly exitCode: number;
  readonly output: string;
}

/** The exit of a command's runs, with CONFIG in the place of the directory again. */
export function toRun({ exitCode, output }: Exit, directory: string, detail?: string): CheckRun {
  return { kind: 'ran', exitCode, output: output.replaceAll(directory, 'CONFIG'), detail };
}

/** The exits of several runs as one: the last exit code that is not 0 counts. */
export function combined(exits: readonly Exit[]): Exit {
  return {
    exitCode: exits.findLast(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0,
    output: exits.map(({ output }) => output).join('\n'),
  };
}

/** One line of shell that makes every run, and fails when one of them does. */
export function shellLine(runs: readonly (readonly string[])[]): string {
  const lines = runs.map((argv) => argv.map((argument) => `'${argument.replaceAll("'", "'\\''")}'`).join(' '));
  return lines.length === 1 ? String(lines[0]) : `(r=0; ${lines.map((line) => `${line} || r=$?; `).join('')}exit $r)`;
}

/** An engine's error during a check as an error for the user; other errors are returned as they are. */
export function toCheckError(service: string, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  return new StackError({
    doing: `checking the files of ${service}`,
    why: `${error.doing}: ${error.message}`,
    tryThis: 'check the state of the engine with docker info',
    cause: error,
  });
}

/** Whether an engine's message means that the image has no shell, like distroless ones. */
export function lacksShell(message: string): boolean {
  return /["'/]sh\b/.test(message) && /no such file|not found|executable file/i.test(message);
}
