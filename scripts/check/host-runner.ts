import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { CheckCommand } from '../../stack/model.ts';
import { revealed } from '../render/show.ts';
import { StackError } from '../util/stack-error.ts';
import { type CheckJob, type CheckRun, type CheckRunner, filesOf, type OpenRunner, runsOf, toRun } from './runner.ts';

/** Why the tools of this host are used, and what to try where one of them is missing too. */
export interface MissingTool {
  readonly because: string;
  readonly tryThis: (tool: string) => string;
}

/** There is no engine to run an image. */
export const noEngine: MissingTool = {
  because: 'there is no container engine here',
  tryThis: (tool) => `install ${tool}, or run promstack where a container engine runs`,
};

/** There is an engine, without the image. */
export const noImage: MissingTool = {
  because: 'its image is not present',
  tryThis: (tool) => `promstack images pull, or install ${tool}`,
};

/** Runs checks with the tools on this host's PATH. A tool that is missing there is reported as not run. */
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
        // Any descriptor will do; the types name 3 to 9.
        const fd = output.fd as 3;
        const stdio = ['ignore', fd, fd] as const;
        const options = { env: this.#env, extendEnv: false, stdio, reject: false, cancelSignal: signal } as const;
        const ended = await execa(command.tool, args, options);
        if (ended.exitCode === undefined)
          throw ended.isTerminated ? new Error(`it was killed by ${ended.signal}`) : ended;
        exitCode = ended.exitCode || exitCode;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (isOutOfReach(error)) return this.#absent(command);
      throw couldNotRun(command, error);
    } finally {
      await output.close();
    }
    const detail = `with the ${command.tool} of this host, whose version may not be the one that will run`;
    return toRun({ exitCode, output: await readFile(printed, 'utf8') }, files, detail);
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
