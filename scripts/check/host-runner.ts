import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { CheckCommand } from '../../stack/model.ts';
import { toBytes } from '../util/file-bytes.ts';
import { StackError } from '../util/stack-error.ts';
import { type CheckJob, type CheckRun, type CheckRunner, filesOf, type OpenRunner, runsOf, toRun } from './runner.ts';

/** Why this host's tools are used, and what to try when one of them is missing too. */
export interface MissingTool {
  readonly because: string;
  readonly tryThis: (tool: string) => string;
}

/** There is no engine to run an image. */
export const noEngine: MissingTool = {
  because: 'there is no container engine',
  tryThis: (tool) => `install ${tool}, or start a container engine`,
};

/** There is an engine, but not the image. */
export const noImage: MissingTool = {
  because: 'its image is not present',
  tryThis: (tool) =>
    `promstack images pull (without a registry: \`images: {source: auto}\` in stack.yml), or install ${tool}`,
};

/** Runs checks with the tools on this host's PATH. A tool that is missing there is reported as not run. */
export function hostRunner(env: Readonly<Record<string, string | undefined>>, missing: MissingTool): OpenRunner {
  return async (job) => {
    const folder = await mkdtemp(join(tmpdir(), 'promstack-check-'));
    const runner = new HostRunner(folder, env, missing);
    try {
      await writeFiles(join(folder, filesFolder), job);
      return runner;
    } catch (cause) {
      await runner[Symbol.asyncDispose]();
      throw new StackError({
        doing: `writing the files of ${job.service} to ${folder} to check them`,
        why: cause instanceof Error ? cause.message : String(cause),
        tryThis: 'free space there, or set TMPDIR to another folder',
        cause,
      });
    }
  };
}

/** Outputs are written next to it. */
const filesFolder = 'files';

async function writeFiles(folder: string, job: CheckJob): Promise<void> {
  for (const file of filesOf(job)) {
    const path = join(folder, file.path);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, toBytes(file), { mode: 0o600 });
  }
}

class HostRunner implements CheckRunner {
  readonly where = 'this host';
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #missing: MissingTool;
  #runs = 0;

  constructor(folder: string, env: Readonly<Record<string, string | undefined>>, missing: MissingTool) {
    this.#folder = folder;
    this.#env = env;
    this.#missing = missing;
  }

  async run(command: CheckCommand, signal: AbortSignal): Promise<CheckRun> {
    if (command.untilPrinted !== undefined) {
      return { kind: 'notRun', why: `${this.#missing.because}, and servers are started only in containers` };
    }
    const files = join(this.#folder, filesFolder);
    const printed = join(this.#folder, `output-${this.#runs++}`);
    // One file for stdout and stderr keeps the order of printing, which two pipes do not.
    const output = await open(printed, 'w');
    let exitCode = 0;
    try {
      for (const [program = command.tool, ...args] of runsOf(command, files)) {
        // The types allow 3 to 9 only.
        const fd = output.fd as 3;
        const stdio = ['ignore', fd, fd] as const;
        const options = { env: this.#env, extendEnv: false, stdio, reject: false, cancelSignal: signal } as const;
        const result = await execa(program, args, options);
        if (result.exitCode === undefined)
          throw result.isTerminated ? new Error(`it was killed by ${result.signal}`) : result;
        if (result.exitCode === commandNotFound) return this.#notRun(command);
        exitCode = result.exitCode || exitCode;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (isNotFound(error)) return this.#notRun(command);
      throw couldNotRun(command, error);
    } finally {
      await output.close();
    }
    const detail = `with this host's ${command.tool}, whose version may differ from the server's`;
    return toRun({ exitCode, output: await readFile(printed, 'utf8') }, files, detail);
  }

  #notRun({ tool }: CheckCommand): CheckRun {
    return {
      kind: 'notRun',
      why: `${this.#missing.because}, and no executable ${tool} is on this host's PATH`,
      tryThis: this.#missing.tryThis(tool),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The exit code of a program that runs another one, such as `timeout`, when that is missing. */
const commandNotFound = 127;

/** EACCES too: it is the error for a missing tool when a folder of PATH cannot be read. */
function isNotFound(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'EACCES';
}

function couldNotRun({ tool, title }: CheckCommand, cause: unknown): StackError {
  return new StackError({
    doing: `checking ${title}`,
    why: `this host's ${tool} could not be run: ${cause instanceof Error ? cause.message : String(cause)}`,
    tryThis: `run ${tool} --version yourself`,
    cause,
  });
}
