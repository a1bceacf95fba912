import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { CheckCommand } from '../../stack/model.ts';
import { revealed } from '../render/show.ts';
import { StackError } from '../util/stack-error.ts';
import {
  type CheckJob,
  type CheckRun,
  type CheckRunner,
  filesOf,
  inPlace,
  type OpenRunner,
  outOfPlace,
} from './runner.ts';

/**
 * Runs checks with the tools on this host's PATH, for want of an engine or an image; `because` says which of them is
 * missing. A tool that is not there either is told as not run.
 */
export function hostRunner(env: Readonly<Record<string, string | undefined>>, because: string): OpenRunner {
  return async (job) => {
    const folder = await mkdtemp(join(tmpdir(), 'promstack-check-'));
    const runner = new HostRunner(folder, env, because);
    try {
      await writeFiles(folder, job);
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
  readonly #because: string;

  constructor(folder: string, env: Readonly<Record<string, string | undefined>>, because: string) {
    this.#folder = folder;
    this.#env = env;
    this.#because = because;
  }

  async run(command: CheckCommand, signal: AbortSignal): Promise<CheckRun> {
    const [, ...args] = inPlace(command.argv, this.#folder);
    const ended = await execa(command.tool, args, {
      env: this.#env as NodeJS.ProcessEnv,
      extendEnv: false,
      all: true,
      reject: false,
      cancelSignal: signal,
      stdin: 'ignore',
    });
    signal.throwIfAborted();
    if (ended.code === 'ENOENT') {
      return {
        kind: 'notRun',
        why: `${this.#because}, and there is no ${command.tool} on this host's PATH`,
        tryThis: `install ${command.tool}, or run promstack where a container engine runs`,
      };
    }
    if (ended.exitCode === undefined) throw couldNotRun(command, ended);
    const detail = `with the ${command.tool} of this host, whose version may not be the one that will run`;
    return { kind: 'ran', exitCode: ended.exitCode, output: outOfPlace(ended.all ?? '', this.#folder), detail };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function couldNotRun({ tool, title }: CheckCommand, ended: { readonly shortMessage?: string | undefined }): StackError {
  return new StackError({
    doing: `checking ${title}`,
    why: `${tool} of this host could not be run: ${ended.shortMessage ?? 'it ended without an exit code'}`,
    tryThis: `run ${tool} --version by hand`,
    cause: ended,
  });
}
