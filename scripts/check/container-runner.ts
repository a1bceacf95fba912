import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import type { CheckCommand, RenderedFile } from '../../stack/model.ts';
import { configDir, configMount } from '../../stack/values/container.ts';
import type { ArchiveEntry, Engine } from '../engine/engine.ts';
import { EngineError } from '../engine/engine-error.ts';
import { roleLabel, serviceLabel, stackLabel } from '../engine/labels.ts';
import { toBytes } from '../util/file-bytes.ts';
import { StackError } from '../util/stack-error.ts';
import {
  type CheckJob,
  type CheckRun,
  type CheckRunner,
  combined,
  type Exit,
  type FindImage,
  filesOf,
  lacksShell,
  type OpenRunner,
  runsOf,
  shellLine,
  toCheckError,
  toRun,
} from './runner.ts';

/**
 * Runs a service's checks in a temporary container of the service's image, with the files at the paths of the server.
 * All commands share one container, since starting one takes longer than most checks; a server gets one of its own. `fallback`
 * runs them when the image is not present.
 */
export function containerRunner(engine: Engine, stack: string, findImage: FindImage, fallback: OpenRunner): OpenRunner {
  return async (job) => {
    const image = await findImage(job.image);
    return image === undefined ? fallback(job) : new ContainerRunner(engine, stack, { ...job, image: image.ref });
  };
}

/** How long a server may take to start, and how long after that a background task of it may still crash it, in milliseconds. */
const startMs = 20_000;
const crashMs = 500;
/** With what a program in Go begins to report its crash: it exits soon after, and the engine says so later still. */
const crashLine = /^(?:panic|fatal error)\b/;
/** In place of the exit code of a server that does neither. */
const stillStarting = -1;

class ContainerRunner implements CheckRunner {
  readonly where: string;
  readonly #engine: Engine;
  readonly #stack: string;
  readonly #job: CheckJob;
  readonly #entries: readonly ArchiveEntry[];
  readonly #batched: readonly CheckCommand[];
  #batch: Promise<ReadonlyMap<CheckCommand, CheckRun>> | undefined;

  constructor(engine: Engine, stack: string, job: CheckJob) {
    this.where = job.image;
    this.#engine = engine;
    this.#stack = stack;
    this.#job = job;
    this.#batched = job.commands.filter(({ untilPrinted }) => untilPrinted === undefined);
    this.#entries = toEntries(filesOf(job), posix.relative(configMount, configDir), job.user);
  }

  async run(command: CheckCommand, signal: AbortSignal): Promise<CheckRun> {
    const runs = await this.#runsWith(command, signal).catch((error: unknown) => {
      throw toCheckError(this.#job.service, error);
    });
    const run = runs.get(command);
    if (run === undefined) throw new Error(`${command.title} is not a command of this job`);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Each run removes its own container.
    await this.#batch?.catch(() => undefined);
  }

  async #runsWith(command: CheckCommand, signal: AbortSignal): Promise<ReadonlyMap<CheckCommand, CheckRun>> {
    const { untilPrinted } = command;
    if (untilPrinted === undefined) {
      this.#batch ??= this.#runAll(signal);
      return this.#batch;
    }
    const [argv = []] = runsOf(command, configDir);
    const exit = await this.#inContainer(argv, [], signal, untilPrinted);
    const why = `it was not ready within ${startMs / 1_000} s`;
    return new Map([[command, exit.exitCode === stillStarting ? { kind: 'notRun', why } : toRun(exit, configDir)]]);
  }

  async #runAll(signal: AbortSignal): Promise<ReadonlyMap<CheckCommand, CheckRun>> {
    const commands = this.#batched;
    const id = randomBytes(8).toString('hex');
    const script = batchScript(
      commands.map((command) => runsOf(command, configDir)),
      id,
    );
    const path = `check-${id}`;
    try {
      const { output } = await this.#inContainer(
        ['/bin/sh', `${configMount}/${path}`],
        [{ path, text: script }],
        signal,
      );
      const runs = readBatch(output, id);
      return new Map(
        commands.map((command, at) => [
          command,
          toRun(runs[at] ?? throwInterrupted(this.#job.service, output), configDir),
        ]),
      );
    } catch (error) {
      if (!(error instanceof EngineError) || !lacksShell(error.message)) throw error;
      const separate = commands.map(async (command): Promise<[CheckCommand, CheckRun]> => {
        return [command, toRun(await this.#runSeparately(runsOf(command, configDir), signal), configDir)];
      });
      return new Map(await Promise.all(separate));
    }
  }

  /** One container per run, for an image without a shell. */
  async #runSeparately(runs: readonly (readonly string[])[], signal: AbortSignal): Promise<Exit> {
    const exits: Exit[] = [];
    for (const argv of runs) exits.push(await this.#inContainer(argv, [], signal));
    return combined(exits);
  }

  /** Runs one program in a new container, which is always removed, until it exits; a server until it has `started`. */
  async #inContainer(
    argv: readonly string[],
    scripts: readonly { readonly path: string; readonly text: string }[],
    signal: AbortSignal,
    started?: RegExp,
  ): Promise<Exit> {
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
      scratch: configMount,
    });
    const ended = new AbortController();
    try {
      const extra = scripts.map((script) => toScript(script, user));
      await engine.putFiles(container, configMount, [...this.#entries, ...extra]);
      const exit = engine.nextExit(container, AbortSignal.any([signal, ended.signal]));
      exit.catch(() => undefined);
      await engine.startContainer(container);
      const exitCode = await (started === undefined ? exit : this.#exitUnless(started, container, exit, signal));
      return { exitCode, output: await this.#logsOf(container, signal) };
    } finally {
      ended.abort();
      await engine.removeContainer(container);
    }
  }

  /** The exit code of a server that exits before or soon after it has started, at least 1; 0 for one that runs. */
  async #exitUnless(started: RegExp, container: string, exit: Promise<number>, signal: AbortSignal): Promise<number> {
    const failed = exit.then((code) => Math.max(1, code));
    const isRunning = async (): Promise<number> => {
      const enough = new AbortController();
      const stop = (): void => enough.abort();
      let timer = setTimeout(stop, startMs);
      // The order between stdout and stderr is lost.
      let [hasStarted, mayCrash] = [false, false];
      try {
        // Its log ends with it, and, without an error, when enough of it was read.
        const options = { follow: true, signal: AbortSignal.any([signal, enough.signal]) };
        for await (const { text } of this.#engine.logs(container, options)) {
          const isCrash = crashLine.test(text);
          const isStart = !hasStarted && started.test(text);
          mayCrash ||= isCrash;
          hasStarted ||= isStart;
          if (!isCrash && !isStart) continue;
          clearTimeout(timer);
          timer = setTimeout(stop, mayCrash ? startMs : crashMs);
        }
      } finally {
        clearTimeout(timer);
      }
      signal.throwIfAborted();
      if (!enough.signal.aborted) return failed;
      return hasStarted ? 0 : stillStarting;
    };
    return Promise.race([failed, isRunning()]);
  }

  /** stderr first, where tools print errors: the order between the two streams is lost. */
  async #logsOf(container: string, signal: AbortSignal): Promise<string> {
    const lines = { stderr: [] as string[], stdout: [] as string[] };
    for await (const line of this.#engine.logs(container, { signal })) lines[line.stream].push(line.text);
    return [...lines.stderr, ...lines.stdout].join('\n');
  }
}

function toScript({ path, text }: { path: string; text: string }, user: string): ArchiveEntry {
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  return { kind: 'file', path, content: Buffer.from(text), mode: 0o500, uid, gid };
}

/** The batch was killed before this command ended, for example for lack of memory. */
function throwInterrupted(service: string, output: string): never {
  const lastOutput = output.trim().slice(-500);
  throw new StackError({
    doing: `checking the files of ${service}`,
    why: `the container exited before its checks finished${lastOutput === '' ? '' : `; last output: ${lastOutput}`}`,
    tryThis: 'check whether the host is out of memory',
  });
}

/** A shell script that runs commands in sequence and prints a line with `id` and the exit code after the output of each. */
function batchScript(commands: readonly (readonly (readonly string[])[])[], id: string): string {
  const lines = commands.flatMap((runs) => [
    `${shellLine(runs)} 2>&1`,
    // The line break ends an output without one.
    `printf '\\n%s %d\\n' 'end-${id}' $?`,
  ]);
  return ['#!/bin/sh', ...lines, 'exit 0', ''].join('\n');
}

/** The exit code and output of each command that ended, in order. */
function readBatch(output: string, id: string): readonly Exit[] {
  const pieces = output.split(new RegExp(`^end-${id} (\\d+)$`, 'm'));
  const runs: Exit[] = [];
  for (let at = 0; at + 1 < pieces.length; at += 2) {
    runs.push({ exitCode: Number(pieces[at + 1]), output: pieces[at] ?? '' });
  }
  return runs;
}

/** Archive entries, relative to `/`, for files in a directory of a container: folders first, all owned by `uid:gid`. */
export function toEntries(files: readonly RenderedFile[], directory: string, user: string): readonly ArchiveEntry[] {
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  const base = directory.replace(/^\//, '');
  const folders = new Set<string>([base]);
  for (const file of files) {
    for (let folder = posix.dirname(file.path); folder !== '.'; folder = posix.dirname(folder))
      folders.add(`${base}/${folder}`);
  }
  return [
    ...[...folders].sort().map((path): ArchiveEntry => ({ kind: 'directory', path, mode: 0o755, uid, gid })),
    ...files.map(
      (file): ArchiveEntry => ({
        kind: 'file',
        path: `${base}/${file.path}`,
        content: toBytes(file),
        mode: file.mode,
        uid,
        gid,
      }),
    ),
  ];
}
