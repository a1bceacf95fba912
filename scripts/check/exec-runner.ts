import type { CheckCommand } from '../../stack/model.ts';
import { type Engine, EngineError } from '../engine/engine.ts';
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

/** A running container that already sees a job's files. */
export interface Staged {
  readonly container: string;
  /** Where the files are inside it: `/etc/promstack/releases/3f2a9c0d1e4b`. */
  readonly directory: string;
}

/**
 * Runs a service's checks inside its running container, which is faster than any new one. `stage` puts the job's
 * files (those the commands ask for too) where that container sees them, or answers undefined when there is no
 * container of the job's image: then `otherwise` takes over.
 */
export function execRunner(
  engine: Engine,
  stage: (job: CheckJob) => Promise<Staged | undefined>,
  otherwise: OpenRunner,
): OpenRunner {
  return async (job) => {
    const staged = await stage(job);
    return staged === undefined ? otherwise(job) : new ExecRunner(engine, staged, job);
  };
}

class ExecRunner implements CheckRunner {
  readonly where: string;
  readonly #service: string;
  readonly #engine: Engine;
  readonly #staged: Staged;

  constructor(engine: Engine, staged: Staged, { image, service }: CheckJob) {
    this.where = image;
    this.#service = service;
    this.#engine = engine;
    this.#staged = staged;
  }

  async run(command: CheckCommand, signal: AbortSignal): Promise<CheckRun> {
    const { directory } = this.#staged;
    const exit = await this.#exec(runsOf(command, directory), signal).catch((error: unknown) => {
      throw toCheckError(this.#service, error);
    });
    return toRun(exit, directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** The shell joins stdout and stderr in the order they are printed; without one, problems come before progress. */
  async #exec(runs: readonly (readonly string[])[], signal: AbortSignal): Promise<Exit> {
    const { container } = this.#staged;
    try {
      // promtool runs tests over a database of its own, and the rest of the running container cannot be written.
      const line = `export TMPDIR=/dev/shm; ${runs.length === 1 ? 'exec ' : ''}${shellLine(runs)} 2>&1`;
      const joined = await this.#engine.exec(container, ['sh', '-c', line], { signal });
      const output = joined.stdout + joined.stderr;
      if (joined.exitCode < 126 || !lacksShell(output)) return { exitCode: joined.exitCode, output };
    } catch (error) {
      if (!(error instanceof EngineError) || !lacksShell(error.message)) throw error;
    }
    const exits: Exit[] = [];
    for (const argv of runs) {
      const { exitCode, stdout, stderr } = await this.#engine.exec(container, argv, { signal });
      exits.push({ exitCode, output: stderr + stdout });
    }
    return combined(exits);
  }
}
