import type { Service } from '../../stack/service.ts';
import type { Engine } from '../engine/engine.ts';
import type { ServiceClient } from '../state/service-client.ts';
import type { Clock } from '../util/clock.ts';
import { StackError } from '../util/stack-error.ts';

const pauseMs = 20;
const lookMs = 1_000;
/** How long a server that says what its start is doing may stay at one point. */
const workingMs = 300_000;
const toldMs = 1_000;
const shownLogLines = 20;
/** A panic's trace can push the line with the cause far up. */
const readLogLines = 200;

/** Waits until a started service answers that it is ready; a container that exits ends the wait at once. */
export async function waitReady(
  service: Service,
  container: string,
  options: {
    readonly engine: Engine;
    readonly client: ServiceClient;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    /** How long it may take without any sign of getting on. */
    readonly deadlineMs: number;
    /** Resolves when the container ends; registered before its start so that no exit is missed. */
    readonly exit?: Promise<number> | undefined;
    /** Takes what a slow start is doing, in words. */
    readonly onProgress: (detail: string) => void;
  },
): Promise<void> {
  const { engine, client, clock, signal, deadlineMs } = options;
  let exitCode: number | undefined;
  const ended = options.exit?.then(
    (code) => {
      exitCode = code;
    },
    // A failed wait is not an exit: an exited container is found by its state below too.
    () => undefined,
  );
  const die = (why: string): Promise<StackError> => died(service, container, engine, why);
  let end = clock.now() + deadlineMs;
  let nextLook = clock.now() + lookMs;
  let last = 'it does not answer yet';
  let progress: string | undefined;
  for (;;) {
    signal.throwIfAborted();
    if (exitCode !== undefined) throw await die(`${exitedWith(exitCode)} while starting${killed(service, exitCode)}`);
    try {
      const answer = await client.request(service.name, service.ready, { timeoutMs: 2_000, signal });
      if (answer.status === 200) return;
      last = `it answers ${answer.status}`;
    } catch (error) {
      last = `it does not answer: ${(error as Error).message}`;
    }
    if (clock.now() >= nextLook) {
      nextLook = clock.now() + lookMs;
      const state = (await engine.findContainer(container))?.state;
      if (state === undefined) throw await die('its container was removed while starting');
      if (state !== 'running') {
        // The engine reports an exit a moment after it shows the state.
        if (options.exit !== undefined) await Promise.race([ended, clock.sleep(toldMs, signal)]);
        if (exitCode === undefined) throw await die(`its container is ${state} while starting`);
        continue;
      }
      const doing = await slowStart(service, client, signal);
      options.onProgress(doing ?? last);
      // A server that says how far it is may take its time, as long as it gets on.
      if (doing !== undefined && doing !== progress) end = clock.now() + workingMs;
      progress = doing;
    }
    if (clock.now() >= end)
      throw await die(`it was not ready in time: ${progress === undefined ? last : `${progress}, and no further`}`);
    await clock.sleep(pauseMs, signal);
  }
}

/** What a slow start is doing; undefined when the service does not say. */
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

/** 128 + SIGKILL: a container that starts is killed by the kernel only, when it runs out of memory. */
function killed({ name }: Service, exitCode: number): string {
  return exitCode === 137 ? `, killed, most likely because it ran out of memory (see ${name}.resources.memory)` : '';
}

/** The error for a container that ended, or did not become what it should: why, with its last log lines and what they say. */
async function died(service: Service, container: string, engine: Engine, why: string): Promise<StackError> {
  const lines: string[] = [];
  try {
    for await (const line of engine.logs(container, { tail: readLogLines })) lines.push(line.text);
  } catch {
    // The container is gone, and its log with it.
  }
  const cause = service.explainExit?.(lines);
  const log =
    lines.length === 0
      ? ''
      : `\n  its last log lines:\n${lines
          .slice(-shownLogLines)
          .map((line) => `    ${line}`)
          .join('\n')}`;
  return new StackError({
    doing: `starting ${service.name}`,
    why: `${why}${cause === undefined ? '' : `: ${cause}`}${log}`,
    tryThis: `promstack logs ${service.name}`,
  });
}

/** `it exited with code 2`; without the code where the engine has started it again already, and answers 0 for the new run. */
function exitedWith(code: number): string {
  return code === 0 ? 'it exited' : `it exited with code ${code}`;
}

/** The server that has to stay alive. */
interface Alive {
  readonly service: Service;
  readonly container: string;
  readonly engine: Engine;
  /** Resolves when the container ends; undefined when it was not started just now. */
  readonly exit: Promise<number> | undefined;
  readonly signal: AbortSignal;
}

/**
 * Works with a server that is ready. When it exits anyway, the work ends at once with an error that shows its log: the
 * engine restarts it again and again, so that nothing else would show it.
 */
export async function whileAlive<T>(
  { service, container, engine, exit, signal }: Alive,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (exit === undefined) return work(signal);
  const done = new AbortController();
  const death = exit.then(
    async (code): Promise<never> => {
      throw await died(service, container, engine, `${exitedWith(code)} after it was ready`);
    },
    // A failed wait is not an exit.
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([work(AbortSignal.any([signal, done.signal])), death]);
  } finally {
    done.abort();
  }
}
