import { describe, expect, it } from 'vitest';
import { waitReady, whileAlive } from '../../../scripts/apply/ready.ts';
import type { ContainerState, ContainerSummary } from '../../../scripts/engine/engine.ts';
import type { LogLine } from '../../../scripts/engine/log-line.ts';
import type { ServiceClient } from '../../../scripts/state/service-client.ts';
import type { HttpResponse } from '../../../stack/model.ts';
import { findService } from '../../../stack/services.ts';
import { fakeEngine } from '../../support/engine.ts';
import { flyingClock } from '../../support/flying-clock.ts';

describe('a server that is reloaded', () => {
  const work = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

  it.each([
    ['paused', 'its container is paused\n  try: docker unpause demo-prometheus, then run the command again'],
    ['exited', 'it exited after it was ready\n  try: promstack logs prometheus'],
    ['restarting', 'it exited after it was ready\n  try: promstack logs prometheus'],
    [undefined, 'its container was removed'],
  ] as const)('must not be waited for once its container is %s', async (state, message) => {
    const { alive, clock } = setUp({ ready: [], state });
    await expect(alive(work)).rejects.toThrow(`reloading prometheus: ${message}`);
    expect(clock.sleptMs()).toBe(1_000);
  });

  it('must be waited for while it runs, and while the engine does not respond', async () => {
    let looks = 0;
    const { alive } = setUp({
      ready: [],
      get state() {
        looks += 1;
        if (looks % 2 === 0) throw new Error('no response');
        return 'running' as const;
      },
    });
    const untilLooked = async (): Promise<string> => {
      while (looks < 4) await new Promise((resolve) => setImmediate(resolve));
      return 'done';
    };
    expect(await alive(untilLooked)).toBe('done');
  });

  it('must stop being waited for when the user interrupts', async () => {
    const { alive } = setUp({ ready: [], state: 'running' }, AbortSignal.timeout(20));
    await expect(alive(work)).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('waiting for a server to be ready', () => {
  it('must end with the first response of 200', async () => {
    const { wait, clock } = setUp({ ready: [{ status: 503, body: '' }, 'ECONNREFUSED', { status: 200, body: '' }] });
    await wait();
    expect(clock.sleptMs()).toBe(40);
  });

  it('must end immediately when the container exits, with its code and the cause', async () => {
    const { wait } = setUp({
      ready: ['ECONNREFUSED'],
      exit: Promise.resolve(2),
      log: ['starting', 'open /prometheus/queries.active: permission denied', 'panic: no'],
    });
    await expect(wait()).rejects.toThrow(
      [
        'starting prometheus: it exited with code 2 while starting: its user may not write /prometheus/queries.active: the volume belongs to another user, for example after a change of image',
        '  try: promstack logs prometheus',
      ].join('\n'),
    );
  });

  it('must end with the last lines of a container that exits for an unknown cause', async () => {
    const { wait } = setUp({ ready: ['ECONNREFUSED'], exit: Promise.resolve(2), log: ['starting', 'bye'] });
    await expect(wait()).rejects.toThrow(
      [
        'starting prometheus: it exited with code 2 while starting',
        '  its last log lines:',
        '    starting',
        '    bye',
        '  try: promstack logs prometheus',
      ].join('\n'),
    );
  });

  it('must report that a killed container probably ran out of memory', async () => {
    const { wait } = setUp({ ready: ['ECONNREFUSED'], exit: Promise.resolve(137) });
    await expect(wait()).rejects.toThrow(
      'it exited with code 137 while starting, killed, most likely because it ran out of memory (see prometheus.resources.memory)',
    );
  });

  it('must detect a stopped or removed container without an exit event', async () => {
    await expect(setUp({ ready: ['ECONNREFUSED'], state: 'exited' }).wait()).rejects.toThrow(
      'its container is exited while starting',
    );
    await expect(setUp({ ready: ['ECONNREFUSED'], state: undefined }).wait()).rejects.toThrow(
      'its container was removed while starting',
    );
  });

  it('must wait a moment for the exit code of a stopped container', async () => {
    let tell: (code: number) => void = () => undefined;
    const exit = new Promise<number>((resolve) => {
      tell = resolve;
    });
    const { wait } = setUp({
      ready: ['ECONNREFUSED'],
      exit,
      get state() {
        tell(7);
        return 'restarting' as const;
      },
    });
    await expect(wait()).rejects.toThrow('it exited with code 7 while starting');
  });

  it.each([
    [401, 'remove a login, such as users in a --web.config.file'],
    [403, 'remove a restriction of access'],
    [404, 'remove a path prefix'],
  ])('must end with the first answer of %s, which does not change', async (status, hint) => {
    const { wait, clock } = setUp({ ready: ['ECONNREFUSED', { status, body: '' }] });
    await expect(wait()).rejects.toThrow(
      `starting prometheus: it answers ${status} to GET /-/ready, by which promstack knows when it is ready\n  try: ${hint}`,
    );
    expect(clock.sleptMs()).toBeLessThan(100);
  });

  it('must give up on a server without progress', async () => {
    const { wait, clock } = setUp({ ready: [{ status: 503, body: '' }] });
    await expect(wait()).rejects.toThrow('it was not ready in time: it answers 503');
    expect(clock.sleptMs()).toBe(60_000);
  });

  it('must wait while the write-ahead log is replayed, and report its progress', async () => {
    const { wait, clock, progress } = setUp({
      ready: [...Array<HttpResponse>(12_000).fill({ status: 503, body: '' }), { status: 200, body: '' }],
      starting: (elapsedMs) => Math.floor(elapsedMs / 60_000),
    });
    await wait();
    expect(clock.sleptMs()).toBe(240_000);
    expect([...new Set(progress)]).toEqual([
      'replaying the write-ahead log, segment 1 of 10',
      'replaying the write-ahead log, segment 2 of 10',
      'replaying the write-ahead log, segment 3 of 10',
      'replaying the write-ahead log, segment 4 of 10',
    ]);
  });

  it('must give up on a replay without progress', async () => {
    const { wait, clock } = setUp({ ready: [{ status: 503, body: '' }], starting: () => 3 });
    await expect(wait()).rejects.toThrow(
      'it was not ready in time: replaying the write-ahead log, segment 4 of 10, and no further',
    );
    expect(clock.sleptMs()).toBeGreaterThan(300_000);
  });

  it('must stop when it is aborted', async () => {
    const controller = new AbortController();
    const { wait } = setUp({ ready: [{ status: 503, body: '' }] }, controller.signal);
    controller.abort(new Error('enough'));
    await expect(wait()).rejects.toThrow('enough');
  });
});

interface Situation {
  /** The responses to the readiness check, the last one repeatedly; a string is an error. */
  readonly ready: readonly (HttpResponse | string)[];
  readonly exit?: Promise<number>;
  readonly log?: readonly string[];
  readonly state?: ContainerState | undefined;
  /** The current segment of the write-ahead log, out of 10, by time. */
  readonly starting?: (elapsedMs: number) => number;
}

function setUp(situation: Situation, signal: AbortSignal = new AbortController().signal) {
  const { ready, exit, log = [], starting } = situation;
  const service = findService('prometheus');
  if (service === undefined) throw new Error('there is a Prometheus');
  const clock = flyingClock();
  const progress: string[] = [];
  let asked = 0;
  const reach = {
    request: async (_: string, { path }: { path: string }): Promise<HttpResponse> => {
      if (path !== service.ready.path) {
        if (starting === undefined) throw new Error('ECONNREFUSED');
        const data = { min: 0, max: 9, current: starting(clock.sleptMs()) };
        return { status: 200, body: JSON.stringify({ data }) };
      }
      const answer = ready[Math.min(asked++, ready.length - 1)] ?? 'ECONNREFUSED';
      if (typeof answer === 'string') throw new Error(answer);
      return answer;
    },
  } as unknown as ServiceClient;
  const engine = fakeEngine({
    findContainer: async () => {
      const state = 'state' in situation ? situation.state : 'running';
      return state === undefined ? undefined : ({ state, name: 'demo-prometheus' } as ContainerSummary);
    },
    async *logs() {
      for (const text of log) yield { stream: 'stderr', time: '', text } satisfies LogLine;
    },
  });
  const wait = (): Promise<void> =>
    waitReady(service, 'its container', {
      engine,
      client: reach,
      clock,
      signal,
      deadlineMs: 60_000,
      exit,
      onProgress: (detail) => progress.push(detail),
    });
  const alive = <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    whileAlive(
      { service, container: 'its container', engine, clock, exit, signal, doing: 'reloading prometheus' },
      work,
    );
  return { wait, alive, clock, progress };
}
