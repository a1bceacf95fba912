import { addAbortSignal, Duplex, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import type { Engine, ExecResult } from '../engine.ts';
import { EngineError } from '../engine-error.ts';
import type { DockerApi } from './api.ts';
import { framesOf } from './logs.ts';
import { idOf } from './response.ts';

/** How long the output may stay open after the container has exited. */
const graceMs = 1_000;
/** How long the engine may take to report the exit code after the end of the output. */
const exitCodeMs = 5_000;

/** How long a program may run, beyond the limit of other calls that transfer data: a check of many rules is silent for minutes. */
const programMs = 300_000;

export function execCalls(api: DockerApi): Pick<Engine, 'exec' | 'execStream'> {
  return {
    exec: (id, argv, options = {}) => {
      const doing = `running ${argv[0]} in container ${id}`;
      const { signal } = options;
      const takesInput = options.stdin !== undefined;
      const Env = Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`);
      const request = { Cmd: [...argv], Env, AttachStdin: takesInput, AttachStdout: true, AttachStderr: true };
      return api.call(
        doing,
        async (docker, limits) => {
          // The limits of these two calls are those of any other.
          const exec = await api.call(doing, async (bound) => idOf(await bound.getContainer(id).exec(request)), {
            signal,
          });
          const start = { hijack: true, stdin: takesInput };
          const connection: Duplex = await api.call(doing, (bound) => bound.getExec(exec).start(start), { signal });
          addAbortSignal(limits.signal, connection);
          if (options.keepStdinOpen === true) connection.write(options.stdin ?? '');
          else if (takesInput) connection.end(options.stdin);
          const output = await collect(connection, docker.getContainer(id));
          return { exitCode: await exitCodeOf(docker.getExec(exec)), ...output };
        },
        { kind: 'transfer', extraMs: programMs, signal },
      );
    },
    execStream: async (id, argv, signal) => {
      const doing = `running ${argv[0]} in container ${id}`;
      const request = { Cmd: [...argv], AttachStdin: true, AttachStdout: true, AttachStderr: true };
      const exec = await api.call(doing, async (docker) => idOf(await docker.getContainer(id).exec(request)), {
        signal,
      });
      const start = { hijack: true, stdin: true };
      const connection: Duplex = await api.call(doing, (docker) => docker.getExec(exec).start(start), { signal });
      addAbortSignal(signal, connection);
      return Duplex.from({
        readable: Readable.from(stdoutOf(connection), { objectMode: false }),
        writable: connection,
      });
    },
  };
}

async function* stdoutOf(connection: Duplex): AsyncGenerator<Buffer> {
  for await (const { stream, content } of framesOf(connection)) if (stream === 'stdout') yield content;
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
