import { addAbortSignal, type Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { type Engine, EngineError, type ExecOptions, type ExecResult } from '../engine.ts';
import { engineCall } from './call.ts';
import { framesOf } from './logs.ts';

/** How long the output may stay open after the container has exited. */
const graceMs = 1_000;
/** How long the engine may take to report the exit code after the end of the output. */
const exitCodeMs = 5_000;

export function execCalls(docker: Dockerode): Pick<Engine, 'exec'> {
  return {
    exec: (id, argv, options = {}) =>
      engineCall(
        `running ${argv[0]} in container ${id}`,
        () => run(docker.getContainer(id), argv, options),
        options.signal,
      ),
  };
}

async function run(container: Dockerode.Container, argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const abort = options.signal === undefined ? {} : { abortSignal: options.signal };
  const takesInput = options.stdin !== undefined;
  const exec = await container.exec({
    Cmd: [...argv],
    AttachStdin: takesInput,
    AttachStdout: true,
    AttachStderr: true,
    ...abort,
  });
  const connection: Duplex = await exec.start({ hijack: true, stdin: takesInput, ...abort });
  if (options.signal !== undefined) addAbortSignal(options.signal, connection);
  if (options.keepStdinOpen === true) connection.write(options.stdin ?? '');
  else if (takesInput) connection.end(options.stdin);
  const output = await collect(connection, container);
  return { exitCode: await exitCodeOf(exec), ...output };
}

/** Reads all output. The engine may leave it open when the container exits, so that is watched too. */
async function collect(connection: Duplex, container: Dockerode.Container): Promise<Omit<ExecResult, 'exitCode'>> {
  const ended = new AbortController();
  const containerEnd = closeWithContainer(connection, container, ended.signal);
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  try {
    for await (const frame of framesOf(connection)) chunks[frame.stream].push(frame.content);
  } finally {
    ended.abort();
    await containerEnd;
  }
  return { stdout: Buffer.concat(chunks.stdout).toString(), stderr: Buffer.concat(chunks.stderr).toString() };
}

async function closeWithContainer(
  connection: Duplex,
  container: Dockerode.Container,
  ended: AbortSignal,
): Promise<void> {
  try {
    await container.wait({ condition: 'not-running', abortSignal: ended });
    await sleep(graceMs, undefined, { signal: ended });
  } catch {
    // The output ended in time, or the connection to the engine broke, which `connection` reports.
    return;
  }
  const message = 'the container exited while the program was running';
  connection.destroy(new EngineError({ code: 'conflict', doing: `running a program in ${container.id}`, message }));
}

async function exitCodeOf(exec: Dockerode.Exec): Promise<number> {
  const deadline = Date.now() + exitCodeMs;
  for (let pauseMs = 1; ; pauseMs *= 2) {
    const { Running: isRunning, ExitCode: exitCode } = await exec.inspect();
    if (!isRunning && exitCode !== null) return exitCode;
    if (Date.now() > deadline) {
      const message = 'the program exited, but the engine does not report its exit code';
      throw new EngineError({ code: 'refused', doing: 'reading the exit code of a program', message });
    }
    await sleep(pauseMs);
  }
}
