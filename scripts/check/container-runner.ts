import { randomBytes } from 'node:crypto';
import type { CheckCommand } from '../../stack/model.ts';
import { configDir } from '../../stack/values/container.ts';
import { type ArchiveEntry, type Engine, EngineError } from '../engine/engine.ts';
import { roleLabel, serviceLabel, stackLabel } from '../engine/labels.ts';
import { StackError } from '../util/stack-error.ts';
import { toEntries } from './archive.ts';
import { batchScript, type Ended, readBatch, together } from './batch.ts';
import {
  type CheckJob,
  type CheckRun,
  type CheckRunner,
  type FindImage,
  filesOf,
  lacksShell,
  type OpenRunner,
  outOfPlace,
  refused,
  runsOf,
} from './runner.ts';

/**
 * Runs a service's checks in a throw-away container of the image that will run it, where the files lie just as the
 * server will see them. All commands share one container, since starting one takes far longer than most checks.
 * An image that is not present is left to `otherwise`.
 */
export function containerRunner(
  engine: Engine,
  stack: string,
  findImage: FindImage,
  otherwise: OpenRunner,
): OpenRunner {
  return async (job) => {
    const image = await findImage(job.image);
    return image === undefined ? otherwise(job) : new ContainerRunner(engine, stack, { ...job, image: image.ref });
  };
}

class ContainerRunner implements CheckRunner {
  readonly where: string;
  readonly #engine: Engine;
  readonly #stack: string;
  readonly #job: CheckJob;
  readonly #entries: readonly ArchiveEntry[];
  #batch: Promise<ReadonlyMap<CheckCommand, CheckRun>> | undefined;

  constructor(engine: Engine, stack: string, job: CheckJob) {
    this.where = job.image;
    this.#engine = engine;
    this.#stack = stack;
    this.#job = job;
    this.#entries = toEntries(filesOf(job), configDir, job.user);
  }

  async run(command: CheckCommand, signal: AbortSignal): Promise<CheckRun> {
    this.#batch ??= this.#runAll(signal);
    const runs = await this.#batch.catch((error: unknown) => {
      throw refused(this.#job.service, error);
    });
    const run = runs.get(command);
    if (run === undefined) throw new Error(`${command.title} is no command of this job`);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Each container is gone with its own run.
    await this.#batch?.catch(() => undefined);
  }

  async #runAll(signal: AbortSignal): Promise<ReadonlyMap<CheckCommand, CheckRun>> {
    const { commands } = this.#job;
    const id = randomBytes(8).toString('hex');
    const script = batchScript(
      commands.map((command) => runsOf(command, configDir)),
      id,
    );
    const path = `${scriptPath}-${id}`;
    try {
      const { output } = await this.#inContainer(['/bin/sh', `/${path}`], [{ path, text: script }], signal);
      const runs = readBatch(output, id);
      return new Map(commands.map((command, at) => [command, toRun(runs[at] ?? cutShort(this.#job.service, output))]));
    } catch (error) {
      if (!(error instanceof EngineError) || !lacksShell(error.message)) throw error;
      const alone = commands.map(async (command): Promise<[CheckCommand, CheckRun]> => {
        return [command, toRun(await this.#eachAlone(runsOf(command, configDir), signal))];
      });
      return new Map(await Promise.all(alone));
    }
  }

  /** Each run in a container of its own, for want of a shell; the last exit code that is not 0 counts. */
  async #eachAlone(runs: readonly (readonly string[])[], signal: AbortSignal): Promise<Ended> {
    const ended: Ended[] = [];
    for (const argv of runs) ended.push(await this.#inContainer(argv, [], signal));
    return together(ended);
  }

  /** Runs one program in a container of its own and removes that whatever happens. */
  async #inContainer(
    argv: readonly string[],
    scripts: readonly { readonly path: string; readonly text: string }[],
    signal: AbortSignal,
  ): Promise<Ended> {
    const engine = this.#engine;
    const { image, user, service } = this.#job;
    const container = await engine.createHelper({
      name: `${this.#stack}-check-${service}-${randomBytes(4).toString('hex')}`,
      image,
      user,
      entrypoint: argv.slice(0, 1),
      args: argv.slice(1),
      labels: { [stackLabel]: this.#stack, [roleLabel]: 'check', [serviceLabel]: service },
      mounts: [],
    });
    const ended = new AbortController();
    try {
      const extra = scripts.map((script) => toScript(script, user));
      await engine.putFiles(container, '/', [...this.#entries, ...extra]);
      const exit = engine.nextExit(container, AbortSignal.any([signal, ended.signal]));
      exit.catch(() => undefined);
      await engine.startContainer(container);
      const exitCode = await exit;
      return { exitCode, output: await this.#logsOf(container, signal) };
    } finally {
      ended.abort();
      await engine.removeContainer(container);
    }
  }

  /** Problems before progress: tools print them on stderr, and two streams do not keep their order. */
  async #logsOf(container: string, signal: AbortSignal): Promise<string> {
    const lines = { stderr: [] as string[], stdout: [] as string[] };
    for await (const line of this.#engine.logs(container, { signal })) lines[line.stream].push(line.text);
    return [...lines.stderr, ...lines.stdout].join('\n');
  }
}

const scriptPath = 'etc/promstack/check';

function toScript({ path, text }: { path: string; text: string }, user: string): ArchiveEntry {
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  return { kind: 'file', path, content: Buffer.from(text), mode: 0o500, uid, gid };
}

function toRun({ exitCode, output }: Ended): CheckRun {
  return { kind: 'ran', exitCode, output: outOfPlace(output, configDir) };
}

/** The batch ended before this command did: killed, as when memory runs out. */
function cutShort(service: string, output: string): never {
  const said = output.trim().slice(-500);
  throw new StackError({
    doing: `checking the files of ${service}`,
    why: `the container ended before its checks did${said === '' ? '' : `; its last words: ${said}`}`,
    tryThis: 'look whether the host is short of memory',
  });
}
