import type { CheckCommand } from '../../stack/model.ts';
import type { Engine } from '../engine/engine.ts';
import { EngineError } from '../engine/engine-error.ts';
import {
  type CheckJob,
  type CheckRun,
  type CheckRunner,
  combined,
  type Exit,
  lacksShell,
  type OpenRunner,
  runsOf,
  shellLine,
  toCheckError,
  toRun,
} from './runner.ts';

/** A running container with a job's files in place. */
export interface Staged {
  readonly container: string;
  /** The directory of the files in the container: `/etc/promstack/releases/3f2a9c0d1e4b`. */
  readonly directory: string;
}

/**
 * Runs a service's checks in its running container, which is faster than starting one. `stage` writes the files of the
 * job and its commands where the container can read them; it returns undefined when no container of the job's image
 * runs, and then `fallback` is used.
 */
export function execRunner(
  engine: Engine,
  stage: (job: CheckJob) => Promise<Staged | undefined>,
  fallback: OpenRunner,
): OpenRunner {
  return async (job) => {
    const staged = await stage(job);
    return staged === undefined ? fallback(job) : new ExecRunner(engine, staged, job, fallback);
  };
}

/** promtool's tests need a temporary database, and the rest of the container's file system is read-only. */
const env = { TMPDIR: '/dev/shm' };

class ExecRunner implements CheckRunner {
  readonly where: string;
  readonly #job: CheckJob;
  readonly #engine: Engine;
  readonly #staged: Staged;
  readonly #fallback: OpenRunner;

  constructor(engine: Engine, staged: Staged, job: CheckJob, fallback: OpenRunner) {
    this.where = job.image;
    this.#job = job;
    this.#engine = engine;
    this.#staged = staged;
    this.#fallback = fallback;
  }

  async run(command: CheckCommand, signal: AbortSignal): Promise<CheckRun> {
    // A second server must not use the memory and the ports of the running one.
    if (command.untilPrinted !== undefined) {
      await using runner = await this.#fallback({ ...this.#job, commands: [command] });
      return await runner.run(command, signal);
    }
    const { directory } = this.#staged;
    const exit = await this.#exec(runsOf(command, directory), signal).catch((error: unknown) => {
      throw toCheckError(this.#job.service, error);
    });
    return toRun(exit, directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** The shell merges stdout and stderr in printing order; without a shell stderr comes first. */
  async #exec(runs: readonly (readonly string[])[], signal: AbortSignal): Promise<Exit> {
    const { container } = this.#staged;
    try {
      const line = `${runs.length === 1 ? 'exec ' : ''}${shellLine(runs)} 2>&1`;
      const merged = await this.#engine.exec(container, ['sh', '-c', line], { signal, env });
      const output = merged.stdout + merged.stderr;
      if (merged.exitCode < 126 || !lacksShell(output)) return { exitCode: merged.exitCode, output };
    } catch (error) {
      if (!(error instanceof EngineError) || !lacksShell(error.message)) throw error;
    }
    const exits: Exit[] = [];
    for (const argv of runs) {
      const { exitCode, stdout, stderr } = await this.#engine.exec(container, argv, { signal, env });
      exits.push({ exitCode, output: stderr + stdout });
    }
    return combined(exits);
  }
}
