import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Engine, VolumeSummary } from '../../../scripts/engine/engine.ts';
import { baseLabels, lockLabel } from '../../../scripts/engine/labels.ts';
import {
  breakLock,
  findHolder,
  type Lock,
  type LockHolder,
  type LockOptions,
  takeLock,
} from '../../../scripts/state/lock.ts';
import { systemClock } from '../../../scripts/util/clock.ts';
import type { Event } from '../../../scripts/util/event.ts';
import { fakeEngine } from '../../support/engine.ts';
import { flyingClock } from '../../support/flying-clock.ts';

const nobody = (): void => {};
const dead: LockHolder = {
  nonce: 'dead',
  user: 'ann',
  host: 'build1',
  pid: 4711,
  command: 'up',
  since: '2026-01-02T03:04:05Z',
};

describe('the lock of a stack', () => {
  it('must exist while it is held, and be removed afterwards', async () => {
    const engine = withVolumes();
    {
      await using lock = await take(engine, 'up');
      expect(await findHolder(engine, 'demo')).toEqual(lock.holder);
      expect(lock.holder).toMatchObject({ command: 'up', pid: process.pid });
    }
    expect(await findHolder(engine, 'demo')).toBeUndefined();
  });

  it('must reject a second holder, and name the first', async () => {
    const engine = withVolumes({ 'demo-lock': dead });
    await expect(take(engine, 'reload', { isAlive: () => true })).rejects.toThrow(
      'taking the lock of the stack demo: ann@build1 (promstack up, pid 4711, since 2026-01-02T03:04:05Z) holds the lock',
    );
  });

  it('must be taken over from a dead holder, with a note', async () => {
    const events: Event[] = [];
    const engine = withVolumes({ 'demo-lock': dead });
    {
      await using lock = await take(engine, 'reload', { report: (event) => events.push(event), isAlive });
      expect((await findHolder(engine, 'demo'))?.nonce).toBe(lock.holder.nonce);
    }
    expect(events).toEqual([
      {
        kind: 'note',
        text: 'took over the lock of ann@build1 (promstack up, pid 4711, since 2026-01-02T03:04:05Z), which is no longer running',
      },
    ]);
    expect(await engine.listVolumes({})).toEqual([]);
  });

  it('must be taken over from a command that died while taking it over', async () => {
    const second = { ...dead, nonce: 'dead too' };
    const engine = withVolumes({ 'demo-lock': dead, 'demo-lock-dead': second });
    {
      await using lock = await take(engine, 'reload', { isAlive });
      expect((await findHolder(engine, 'demo'))?.nonce).toBe(lock.holder.nonce);
    }
    expect(await engine.listVolumes({})).toEqual([]);
  });

  it('must have one holder at a time, however many commands take it over concurrently', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 4 }), async (scheduler, takers) => {
        const engine = withVolumes({ 'demo-lock': dead }, scheduler);
        let holding = 0;
        let most = 0;
        let refused = 0;
        const takeAndHold = async (): Promise<void> => {
          try {
            await using _lock = await take(engine, 'up', { isAlive });
            holding += 1;
            most = Math.max(most, holding);
            await scheduler.schedule(Promise.resolve());
            holding -= 1;
          } catch {
            refused += 1;
          }
        };
        const all = Promise.all(Array.from({ length: takers }, takeAndHold));
        await scheduler.waitFor(all);
        expect(most).toBeLessThanOrEqual(1);
        expect(refused < takers || most === 0).toBe(true);
        expect(await engine.listVolumes({})).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('must not be released by a previous holder', async () => {
    const engine = withVolumes();
    const lock = await take(engine, 'up');
    expect(await breakLock(engine, 'demo')).toEqual(lock.holder);
    const other = await take(engine, 'down');
    await lock[Symbol.asyncDispose]();
    expect((await findHolder(engine, 'demo'))?.nonce).toBe(other.holder.nonce);
  });

  it('that could not be released must be reported, hide no error, and be taken over by the same process', async () => {
    const events: Event[] = [];
    const volumes = withVolumes();
    let isAway = false;
    const engine = fakeEngine({
      createVolume: volumes.createVolume,
      removeVolume: volumes.removeVolume,
      findVolume: async (name) => {
        if (isAway) throw new Error('connect ECONNREFUSED');
        return volumes.findVolume(name);
      },
    });
    const work = async (): Promise<void> => {
      await using _lock = await take(engine, 'watch', { report: (event) => events.push(event) });
      isAway = true;
      throw new Error('the work failed');
    };
    await expect(work()).rejects.toThrow(/^the work failed$/);
    expect(events).toEqual([
      {
        kind: 'warning',
        text: 'the lock of the stack demo could not be released: connect ECONNREFUSED\nthe next command on this machine takes it over; promstack unlock frees it for others',
      },
    ]);

    isAway = false;
    await using again = await take(engine, 'watch');
    expect((await findHolder(engine, 'demo'))?.nonce).toBe(again.holder.nonce);
    await expect(take(engine, 'up')).rejects.toThrow('holds the lock');
  });

  it('must neither take nor remove a volume that has its name but no label of promstack', async () => {
    const engine = withVolumes();
    await engine.createVolume('demo-lock', { owner: 'ann' });
    await expect(take(engine, 'up')).rejects.toThrow(
      /none of promstack's labels\n {2}try: .*docker volume rm demo-lock` .*promstack unlock/,
    );
    await expect(breakLock(engine, 'demo')).rejects.toThrow('docker volume rm demo-lock');
    expect(await engine.findVolume('demo-lock')).toBeDefined();
  });

  it.each([
    ['an unreadable holder', { [lockLabel]: '{"nonce":' }],
    ['no holder', baseLabels('demo', 'lock')],
  ])('with %s must be removable by unlock, and the message must say so', async (_, labels) => {
    const engine = withVolumes();
    await engine.createVolume('demo-lock', labels);
    await expect(take(engine, 'up')).rejects.toThrow(/is a lock of an unknown holder\n {2}try: .*promstack unlock/);
    expect(await breakLock(engine, 'demo')).toBe('unknown');
    await using _lock = await take(engine, 'up');
  });

  it('must be waited for as long as was asked, with a word about who holds it', async () => {
    const engine = withVolumes();
    const first = await take(engine, 'up');
    const clock = flyingClock();
    const events: Event[] = [];
    await expect(
      take(engine, 'down', { clock, waitMs: 60_000, report: (event) => events.push(event) }),
    ).rejects.toThrow(/\(promstack up, .*\) holds the lock, after 1 min 0 s of waiting/);
    expect(clock.sleptMs()).toBe(60_000);
    const id = 'lock';
    const what = 'wait for the lock of the stack demo';
    expect(events.slice(0, 2)).toEqual([
      { kind: 'started', id, what },
      { kind: 'progress', id, what, detail: expect.stringContaining('holds the lock') },
    ]);
    expect(events.at(-1)).toMatchObject({ kind: 'failed', id });
    await first[Symbol.asyncDispose]();
  });

  it('must be taken as soon as it is free', async () => {
    const engine = withVolumes();
    const first = await take(engine, 'up');
    const clock = flyingClock();
    const report = ({ kind }: Event): void => {
      if (kind === 'progress') void first[Symbol.asyncDispose]();
    };
    await using lock = await take(engine, 'down', { clock, waitMs: 60_000, report });
    expect((await findHolder(engine, 'demo'))?.nonce).toBe(lock.holder.nonce);
    expect(clock.sleptMs()).toBeLessThan(60_000);
  });

  it('must not be waited for any longer once the user interrupts', async () => {
    const engine = withVolumes();
    await using _lock = await take(engine, 'up');
    const interrupt = new AbortController();
    const waiting = take(engine, 'down', { clock: systemClock, waitMs: 60_000, signal: interrupt.signal });
    interrupt.abort(new Error('interrupted'));
    await expect(waiting).rejects.toThrow(/interrupted|abort/i);
  });
});

/** Takes the lock of the stack demo. */
function take(engine: Engine, command: string, options: Partial<LockOptions> = {}): Promise<Lock> {
  const { signal } = new AbortController();
  return takeLock({ engine, stack: 'demo', command, report: nobody, clock: flyingClock(), signal, ...options });
}

/** Every holder is alive except the named ones. */
const isAlive = (holder: LockHolder): boolean => !holder.nonce.startsWith('dead');

/** An engine with only volumes; a scheduler decides the order of concurrent calls. */
function withVolumes(locks: Readonly<Record<string, LockHolder>> = {}, scheduler?: fc.Scheduler): Engine {
  const volumes = new Map<string, VolumeSummary>(
    Object.entries(locks).map(([name, holder]) => [name, { name, labels: { [lockLabel]: JSON.stringify(holder) } }]),
  );
  const inTurn = async <T>(call: () => T): Promise<T> => {
    await scheduler?.schedule(Promise.resolve());
    return call();
  };
  return fakeEngine({
    findVolume: (name) => inTurn(() => volumes.get(name)),
    createVolume: (name, labels) =>
      inTurn(() => {
        const volume = volumes.get(name) ?? { name, labels };
        volumes.set(name, volume);
        return volume;
      }),
    removeVolume: (name) => inTurn(() => void volumes.delete(name)),
    listVolumes: async () => [...volumes.values()],
  });
}
