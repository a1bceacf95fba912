import type { CheckCommand, RenderedFile } from '../../stack/model.ts';
import { EngineError } from '../engine/engine.ts';
import { StackError } from '../util/stack-error.ts';

/** What is to be checked: one service's files, and the commands that do it. */
export interface CheckJob {
  readonly service: string;
  /** The image that will run the service. */
  readonly image: string;
  /** `uid:gid`, in numbers. */
  readonly user: string;
  readonly files: readonly RenderedFile[];
  /** Every command that will be run, so that a runner can get ready for all of them at once. */
  readonly commands: readonly CheckCommand[];
}

/** A place where a service's checking tools run over files that no server reads yet. */
export interface CheckRunner extends AsyncDisposable {
  /** Where the tools run, for messages: `prom/prometheus:v3.5.3`, `this host`. */
  readonly where: string;
  /** Runs one of the job's commands; the files are in place under its CONFIG. Rejects with StackError when the world fails. */
  run(command: CheckCommand, signal: AbortSignal): Promise<CheckRun>;
}

/** What became of a command. */
export type CheckRun =
  | {
      readonly kind: 'ran';
      readonly exitCode: number;
      /** stdout and stderr together in the order of printing; paths begin with CONFIG again. */
      readonly output: string;
      /** What a person should know of a run that passed. */
      readonly detail?: string;
    }
  /** Nothing there could run it. */
  | { readonly kind: 'notRun'; readonly why: string; readonly tryThis?: string };

/** The image that an image's name in stack.yml stands for on the engine; undefined when it is not present. */
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
  return [argv, ...alsoRun].map((one) => inPlace(one, directory));
}

/** A run's arguments with the directory of the files in CONFIG's place. */
function inPlace(argv: readonly string[], directory: string): readonly string[] {
  return argv.map((argument) => argument.replaceAll('CONFIG', directory));
}

/** An output with CONFIG in the place of the directory again. */
export function outOfPlace(output: string, directory: string): string {
  return output.replaceAll(directory, 'CONFIG');
}

/** What the engine refused while a service's files were checked, as an error for a person; any other error is left as it is. */
export function refused(service: string, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  return new StackError({
    doing: `checking the files of ${service}`,
    why: `${error.doing}: ${error.message}`,
    tryThis: 'see whether the engine is well: docker info',
    cause: error,
  });
}

/** Whether what an engine says means that the image has no shell, as distroless ones have none. */
export function lacksShell(said: string): boolean {
  return /["'/]sh\b/.test(said) && /no such file|not found|executable file/i.test(said);
}
