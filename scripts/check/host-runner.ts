import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CheckCommand } from '../../stack/model.ts';
import { revealed } from '../render/show.ts';
import { StackError } from '../util/stack-error.ts';
import {
  type CheckJob,
  type CheckRun,
  type CheckRunner,
  filesOf,
  type OpenRunner,
  outOfPlace,
  runsOf,
} from './runner.ts';

/** Why the tools of this host have to do, and what to try where one of them is missing too. */
export interface MissingTool {
  readonly because: string;
  readonly tryThis: (tool: string) => string;
}

/** There is no engine to run an image. */
export const noEngine: MissingTool = {
  because: 'there is no container engine here',
  tryThis: (tool) => `install ${tool}, or run promstack where a container engine runs`,
};

/** There is an engine, and it has not got the image. */
export const noImage: MissingTool = {
  because: 'its image is not here',
  tryThis: (tool) => `promstack images pull, or install ${tool}`,
};

/** Runs checks with the tools on this host's PATH, for want of something better. A tool that is not there either is told as not run. */
export function hostRunner(env: Readonly<Record<string, string | undefined>>, want: MissingTool): OpenRunner {
  return async (job) => {
    const folder = await mkdtemp(join(tmpdir(), 'promstack-check-'));
    const runner = new HostRunner(folder, env, want);
    try {
      await writeFiles(join(folder, filesFolder), job);
      return runner;
    } catch (cause) {
      await runner[Symbol.asyncDispose]();
      throw new StackError({
        doing: `putting the files of ${job.service} into ${folder} to check them`,
        why: cause instanceof Error ? cause.message : String(cause),
        tryThis: 'make room there, or set TMPDIR to another folder',
        cause,
      });
    }
  };
}

/** Beside it the outputs are gathered. */
const filesFolder = 'files';

async function writeFiles(folder: string, job: CheckJob): Promise<void> {
  for (const file of filesOf(job)) {
    const path = join(folder, file.path);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, revealed(file), { mode: 0o600 });
  }
}

class HostRunner implements CheckRunner {
  readonly where = 'this host';
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #want: MissingTool;
  #runs = 0;

  constructor(folder: string, env: Readonly<Record<string, string | undefined>>, want: MissingTool) {
    this.#folder = folder;
    this.#env = env;
    this.#want = want;
  }

  async run(command: CheckCommand, signal: AbortSignal): Promise<CheckRun> {
    const files = join(this.#folder, filesFolder);
    const printed = join(this.#folder, `output-${this.#runs++}`);
    // Written to one file, stdout and stderr keep the order of printing, which two pipes do not.
    const output = await open(printed, 'w');
    let exitCode = 0;
    try {
      for (const [, ...args] of runsOf(command, files)) {
        exitCode = (await exitCodeOf(command.tool, args, { env: this.#env, output: output.fd, signal })) || exitCode;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (isOutOfReach(error)) return this.#absent(command);
      throw couldNotRun(command, error);
    } finally {
      await output.close();
    }
    const detail = `with the ${command.tool} of this host, whose version may not be the one that will run`;
    return { kind: 'ran', exitCode, output: outOfPlace(await readFile(printed, 'utf8'), files), detail };
  }

  #absent({ tool }: CheckCommand): CheckRun {
    return {
      kind: 'notRun',
      why: `${this.#want.because}, and there is no ${tool} on this host's PATH that may be run`,
      tryThis: this.#want.tryThis(tool),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

interface ProgramOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The open file to which the program's output goes. */
  readonly output: number;
  readonly signal: AbortSignal;
}

/** Runs a program to its end; rejects when it cannot be started or is killed. */
async function exitCodeOf(
  tool: string,
  args: readonly string[],
  { env, output, signal: cancelSignal }: ProgramOptions,
): Promise<number> {
  const { execa } = await import('execa');
  // execa takes any file descriptor, but its types know only the first few.
  const fd = output as 3;
  const options = { env, extendEnv: false, cancelSignal, stdin: 'ignore', stdout: fd, stderr: fd } as const;
  const { exitCode, signal, code, originalMessage } = await execa(tool, args, { ...options, reject: false });
  if (exitCode !== undefined) return exitCode;
  throw Object.assign(new Error(signal === undefined ? originalMessage : `it was killed by ${signal}`), { code });
}

/** Where a folder of PATH may not be looked into, the system says that the tool may not be run, though it may well not be there. */
function isOutOfReach(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'EACCES';
}

function couldNotRun({ tool, title }: CheckCommand, cause: unknown): StackError {
  return new StackError({
    doing: `checking ${title}`,
    why: `${tool} of this host could not be run: ${cause instanceof Error ? cause.message : String(cause)}`,
    tryThis: `run ${tool} --version by hand`,
    cause,
  });
}
