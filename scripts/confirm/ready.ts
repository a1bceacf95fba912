import type { Service } from '../../stack/service.ts';
import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../util/clock.ts';
import { StackError } from '../util/stack-error.ts';
import type { Reach } from './reach.ts';

const pauseMs = 20;
const lookMs = 1_000;
const shownLogLines = 20;

/** Waits until a started service answers that it can work; a container that dies meanwhile ends the wait at once. */
export async function waitReady(
  service: Service,
  container: string,
  options: {
    readonly engine: Engine;
    readonly reach: Reach;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly deadlineMs: number;
    /** Resolves when the container ends; registered before its start so that no exit is missed. */
    readonly exit?: Promise<number>;
    /** Takes what a slow start is doing, in words. */
    readonly onProgress: (detail: string) => void;
  },
): Promise<void> {
  const { engine, reach, clock, signal, deadlineMs } = options;
  let exitCode: number | undefined;
  void options.exit?.then(
    (code) => {
      exitCode = code;
    },
    // A broken wait is no exit: the look at the container's state below finds a dead one too.
    () => undefined,
  );
  const end = clock.now() + deadlineMs;
  let nextLook = clock.now() + lookMs;
  let last = 'it does not answer yet';
  for (;;) {
    signal.throwIfAborted();
    if (exitCode !== undefined) throw await died(service, container, engine, `it exited with code ${exitCode} while starting`);
    try {
      const answer = await reach.request(service.name, service.ready, { timeoutMs: 2_000, signal });
      if (answer.status === 200) return;
      last = `it answers ${answer.status}`;
    } catch (error) {
      last = `it does not answer: ${(error as Error).message}`;
    }
    if (clock.now() >= nextLook) {
      nextLook = clock.now() + lookMs;
      const state = (await engine.findContainer(container))?.state;
      if (state === undefined) throw await died(service, container, engine, 'its container was removed while starting');
      if (state !== 'running') throw await died(service, container, engine, `its container is ${state} while starting`);
      options.onProgress(await slowStart(service, reach, signal, last));
    }
    if (clock.now() >= end) {
      throw await died(service, container, engine, `it was not ready after ${deadlineMs / 1000} s: ${last}`);
    }
    await clock.sleep(pauseMs, signal);
  }
}

async function slowStart(service: Service, reach: Reach, signal: AbortSignal, last: string): Promise<string> {
  const { starting } = service;
  if (starting === undefined) return last;
  try {
    return starting.read(await reach.request(service.name, starting.request, { timeoutMs: 1_000, signal })) ?? last;
  } catch {
    return last;
  }
}

async function died(service: Service, container: string, engine: Engine, why: string): Promise<StackError> {
  const lines: string[] = [];
  try {
    for await (const line of engine.logs(container, { tail: shownLogLines })) lines.push(line.text);
  } catch {
    // The container is gone, and its log with it.
  }
  const cause = service.explainExit?.(lines);
  const log = lines.length === 0 ? '' : `\n  its last log lines:\n${lines.map((line) => `    ${line}`).join('\n')}`;
  return new StackError({
    doing: `starting ${service.name}`,
    why: `${why}${cause === undefined ? '' : `: ${cause}`}${log}`,
    tryThis: `promstack logs ${service.name}`,
  });
}
