import type { Service } from '../../stack/service.ts';
import { keyOf } from '../../stack/services.ts';
import type { ContainerSummary, Engine } from '../engine/engine.ts';
import type { ServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import { StackError } from '../util/stack-error.ts';

const pauseMs = 20;
const inspectMs = 1_000;
/** How long a server that reports the progress of its start may go without any. */
const workingMs = 300_000;
/** How long the engine may take to report the exit code of a container whose state says that it has exited. */
const exitReportMs = 5_000;
const shownLogLines = 20;
/** The trace of a panic can put many lines after the cause. */
const readLogLines = 200;

/** Waits until a started service is ready; an exit of its container ends the wait. */
export async function waitReady(
  service: Service,
  container: string,
  options: {
    readonly engine: Engine;
    readonly client: ServiceClient;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    /** Its volumes, for messages. */
    readonly volumes?: readonly string[] | undefined;
    /** How long it may take without progress. */
    readonly deadlineMs: number;
    /** Resolves when the container exits; requested before its start so that no exit is missed. */
    readonly exit?: Promise<number> | undefined;
    /** Reports what a slow start is doing. */
    readonly onProgress: (detail: string) => void;
  },
): Promise<void> {
  const { engine, client, clock, signal, deadlineMs } = options;
  let exitCode: number | undefined;
  const ended = options.exit?.then(
    (code) => {
      exitCode = code;
    },
    // A failed wait is not an exit: the state below shows an exited container, too.
    () => undefined,
  );
  const toError = (why: string): Promise<StackError> => startError(service, container, options, why);
  let end = clock.now() + deadlineMs;
  let nextInspect = clock.now() + inspectMs;
  let last = 'it does not answer yet';
  let progress: string | undefined;
  for (;;) {
    signal.throwIfAborted();
    if (exitCode !== undefined)
      throw await toError(`${exitedWith(exitCode)} while starting${killed(service, exitCode)}`);
    try {
      const { status } = await client.request(service.name, service.ready, { timeoutMs: 2_000, signal });
      if (status === 200) return;
      if (refusals[status] !== undefined) throw refused(service, status);
      last = `it answers ${status}`;
    } catch (error) {
      if (error instanceof StackError) throw error;
      last = `it does not answer: ${(error as Error).message}`;
    }
    if (clock.now() >= nextInspect) {
      nextInspect = clock.now() + inspectMs;
      const state = (await engine.findContainer(container))?.state;
      if (state === undefined) throw await toError('its container was removed while starting');
      if (state !== 'running') {
        // The engine reports the exit code a moment after the state.
        if (options.exit !== undefined) await Promise.race([ended, clock.sleep(exitReportMs, signal)]);
        if (exitCode === undefined) throw await toError(`its container is ${state} while starting`);
        continue;
      }
      const doing = await slowStart(service, client, signal);
      options.onProgress(doing ?? last);
      // A server that reports progress may take its time.
      if (doing !== undefined && doing !== progress) end = clock.now() + workingMs;
      progress = doing;
    }
    if (clock.now() >= end)
      throw await toError(`it was not ready in time: ${progress === undefined ? last : `${progress}, and no further`}`);
    await clock.sleep(pauseMs, signal);
  }
}

/** Answers that do not change while a server starts, and what makes servers give them. */
const refusals: Readonly<Record<number, string>> = {
  401: 'a login, such as users in a --web.config.file',
  403: 'a restriction of access',
  404: 'a path prefix, such as --web.route-prefix',
};

function refused({ name, ready }: Service, status: number): StackError {
  return new StackError({
    doing: `starting ${name}`,
    why: `it answers ${status} to ${ready.method} ${ready.path}, by which promstack knows when it is ready`,
    tryThis: `remove ${refusals[status]}, from ${keyOf(name, 'extra_args')} or from the files of ${name}`,
  });
}

/** What a slow start is doing; undefined when the service does not report it. */
async function slowStart(
  { name, starting }: Service,
  client: ServiceClient,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (starting === undefined) return undefined;
  try {
    return starting.read(await client.request(name, starting.request, { timeoutMs: 1_000, signal }));
  } catch {
    return undefined;
  }
}

/** 128 + SIGKILL: during a start, only the kernel kills a container, when it runs out of memory. */
function killed({ name }: Service, exitCode: number): string {
  return exitCode === 137
    ? `, killed, most likely because it ran out of memory (see ${keyOf(name, 'resources.memory')})`
    : '';
}

/** The error for a container that exited or did not become ready, with the cause, or else the last lines of its log. */
async function startError(
  service: Service,
  container: string,
  { engine, volumes = [] }: { readonly engine: Engine; readonly volumes?: readonly string[] | undefined },
  why: string,
  doing = `starting ${service.name}`,
): Promise<StackError> {
  const lines: string[] = [];
  try {
    for await (const line of engine.logs(container, { tail: readLogLines })) lines.push(line.text);
  } catch {
    // The container was removed, and its log with it.
  }
  const cause = service.explainExit?.(lines, volumes);
  // The trace of a panic says nothing to a user.
  const trace = lines.findIndex((line) => /^goroutine \d+ .*\[/.test(line));
  const spoken = trace === -1 ? lines : lines.slice(0, trace);
  const log =
    spoken.length === 0 || cause !== undefined
      ? ''
      : `\n  its last log lines:\n${spoken
          .slice(-shownLogLines)
          .map((line) => `    ${line}`)
          .join('\n')}`;
  return new StackError({
    doing,
    why: `${why}${cause === undefined ? '' : `: ${cause}`}${log}`,
    brief: why,
    tryThis: `promstack logs ${service.name}`,
  });
}

/** `it exited with code 2`; without the code when the engine has already restarted it and reports 0 for the new run. */
function exitedWith(code: number): string {
  return code === 0 ? 'it exited' : `it exited with code ${code}`;
}

/** A server that has to keep running. */
interface RunningServer {
  readonly service: Service;
  readonly container: string;
  readonly engine: Engine;
  readonly clock: Clock;
  /** Resolves when the container exits; undefined when this run did not start it. */
  readonly exit: Promise<number> | undefined;
  readonly volumes?: readonly string[] | undefined;
  readonly signal: AbortSignal;
  /** What is being done, for messages: `reloading prometheus`. */
  readonly doing: string;
}

/**
 * Runs `work` with a server that is ready. If the server exits, rejects immediately with an error that shows its log: the
 * engine keeps restarting it, so the exit would go unnoticed. Rejects too once its container is paused, stopped or
 * removed: until then the server would only be silent.
 */
export async function whileAlive<T>(
  { service, container, engine, clock, exit, volumes, signal, doing }: RunningServer,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const end = AbortSignal.any([signal, done.signal]);
  const crash = async (): Promise<never> => {
    const code = await exit;
    if (code === undefined) return never();
    throw await startError(service, container, { engine, volumes }, `${exitedWith(code)} after it was ready`, doing);
  };
  const stop = async (): Promise<never> => {
    for (;;) {
      await clock.sleep(inspectMs, end);
      // The work itself reports an engine that does not respond.
      const found = await engine.findContainer(container).catch(() => 'unknown' as const);
      if (found === 'unknown' || found?.state === 'running') continue;
      if (found === undefined || found.state === 'paused') throw notRunning(doing, found);
      throw await startError(service, container, { engine, volumes }, 'it exited after it was ready', doing);
    }
  };
  try {
    // A wait that fails says nothing about the container.
    return await Promise.race([work(end), crash().catch(onlyStackErrors), stop().catch(onlyStackErrors)]);
  } finally {
    done.abort();
  }
}

const never = (): Promise<never> => new Promise(() => undefined);

const onlyStackErrors = (error: unknown): Promise<never> => {
  if (error instanceof StackError) throw error;
  return never();
};

function notRunning(doing: string, container: ContainerSummary | undefined): StackError {
  const retry = 'run the command again';
  if (container === undefined) return new StackError({ doing, why: 'its container was removed', tryThis: retry });
  const tryThis = `docker unpause ${container.name}, then ${retry}`;
  return new StackError({ doing, why: 'its container is paused', tryThis });
}
