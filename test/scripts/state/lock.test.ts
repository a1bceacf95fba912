import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Engine, VolumeSummary } from '../../../scripts/engine/engine.ts';
import { lockLabel } from '../../../scripts/engine/labels.ts';
import { breakLock, findHolder, type LockHolder, takeLock } from '../../../scripts/state/lock.ts';
import type { Event } from '../../../scripts/util/event.ts';
import { fakeEngine } from '../../support/engine.ts';

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
  it('must be there while it is held and gone after', async () => {
    const engine = withVolumes();
    {
      await using lock = await takeLock(engine, 'demo', 'up', nobody);
      expect(await findHolder(engine, 'demo')).toEqual(lock.holder);
      expect(lock.holder).toMatchObject({ command: 'up', pid: process.pid });
    }
    expect(await findHolder(engine, 'demo')).toBeUndefined();
  });

  it('must refuse a second one, with who holds it', async () => {
    const engine = withVolumes({ 'demo-lock': dead });
    await expect(takeLock(engine, 'demo', 'reload', nobody, () => true)).rejects.toThrow(
      'taking the lock of the stack demo: ann@build1 (promstack up, pid 4711, since 2026-01-02T03:04:05Z) holds the lock',
    );
  });

  it('must be taken over from a dead holder, and say so', async () => {
    const events: Event[] = [];
    const engine = withVolumes({ 'demo-lock': dead });
    {
      await using lock = await takeLock(engine, 'demo', 'reload', (event) => events.push(event), isAlive);
      expect((await findHolder(engine, 'demo'))?.nonce).toBe(lock.holder.nonce);
    }
    expect(events).toEqual([
      {
        kind: 'note',
        text: 'took over the lock of ann@build1 (promstack up, pid 4711, since 2026-01-02T03:04:05Z), which is not running any more',
      },
    ]);
    expect(await engine.listVolumes({})).toEqual([]);
  });

  it('must be taken over from one who died while taking it over', async () => {
    const second = { ...dead, nonce: 'dead too' };
    const engine = withVolumes({ 'demo-lock': dead, 'demo-lock-dead': second });
    {
      await using lock = await takeLock(engine, 'demo', 'reload', nobody, isAlive);
      expect((await findHolder(engine, 'demo'))?.nonce).toBe(lock.holder.nonce);
    }
    expect(await engine.listVolumes({})).toEqual([]);
  });

  it('must have one holder at a time, however many take it over at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 4 }), async (scheduler, takers) => {
        const engine = withVolumes({ 'demo-lock': dead }, scheduler);
        let holding = 0;
        let most = 0;
        let refused = 0;
        const takeAndHold = async (): Promise<void> => {
          try {
            await using _lock = await takeLock(engine, 'demo', 'up', nobody, isAlive);
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

  it('must not be let go of by one from whom it was taken', async () => {
    const engine = withVolumes();
    const lock = await takeLock(engine, 'demo', 'up', nobody);
    expect(await breakLock(engine, 'demo')).toEqual(lock.holder);
    const other = await takeLock(engine, 'demo', 'down', nobody);
    await lock[Symbol.asyncDispose]();
    expect((await findHolder(engine, 'demo'))?.nonce).toBe(other.holder.nonce);
  });

  it('that could not be let go of must be told of, hide nothing, and be taken over by the same process', async () => {
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
      await using _lock = await takeLock(engine, 'demo', 'watch', (event) => events.push(event));
      isAway = true;
      throw new Error('the work failed');
    };
    await expect(work()).rejects.toThrow(/^the work failed$/);
    expect(events).toEqual([
      {
        kind: 'warning',
        text: 'the lock of the stack demo could not be let go of: connect ECONNREFUSED\nthe next command on this machine takes it over; promstack unlock frees it for others',
      },
    ]);

    isAway = false;
    await using again = await takeLock(engine, 'demo', 'watch', nobody);
    expect((await findHolder(engine, 'demo'))?.nonce).toBe(again.holder.nonce);
    await expect(takeLock(engine, 'demo', 'up', nobody)).rejects.toThrow('holds the lock');
  });

  it('must not take a volume for its own that promstack did not make', async () => {
    const engine = withVolumes();
    await engine.createVolume('demo-lock', {});
    await expect(takeLock(engine, 'demo', 'up', nobody)).rejects.toThrow(
      'there is a volume demo-lock that promstack did not make',
    );
  });
});

/** Everyone lives but those who are called dead. */
const isAlive = (holder: LockHolder): boolean => !holder.nonce.startsWith('dead');

/** An engine that has volumes and nothing else; a scheduler decides in which order calls made at once take place. */
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
