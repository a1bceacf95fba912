import { describe, expect, it } from 'vitest';
import { Watch } from '../../../scripts/watch/watch.ts';
import { SteeredTime } from '../../support/steered-time.ts';

describe('a watch', () => {
  it('must sync immediately, and then be idle', async () => {
    const rig = setUp();
    expect(rig.syncs).toBe(1);
    expect(rig.idles).toBe(0);
    await rig.end('ended');
    expect(rig.idles).toBe(1);
    await rig.stop();
  });

  it('must treat many changes at once as one', async () => {
    const rig = setUp();
    await rig.end('ended');
    for (let at = 0; at < 10; at++) {
      rig.watch.changed();
      rig.time.pass(5);
    }
    await rig.settled();
    expect(rig.syncs).toBe(1);
    rig.time.pass(20);
    await rig.settled();
    expect(rig.syncs).toBe(2);
    await rig.stop();
  });

  it('must not be delayed forever by continuous changes', async () => {
    const rig = setUp();
    await rig.end('ended');
    for (let passedMs = 0; passedMs < 300; passedMs += 10) {
      rig.watch.changed();
      rig.time.pass(10);
      await rig.settled();
    }
    expect(rig.syncs).toBe(2);
    await rig.stop();
  });

  it('must sync again after changes during a sync, however many', async () => {
    const rig = setUp();
    for (let at = 0; at < 200; at++) rig.watch.changed();
    await rig.end('ended');
    expect(rig.idles).toBe(0);
    rig.time.pass(20);
    await rig.settled();
    expect(rig.syncs).toBe(2);
    await rig.end('ended');
    expect(rig.idles).toBe(1);
    await rig.stop();
  });

  it('must retry after a pause when the engine was not available', async () => {
    const rig = setUp();
    await rig.end('postponed');
    expect(rig.idles).toBe(0);
    rig.time.pass(999);
    await rig.settled();
    expect(rig.syncs).toBe(1);
    rig.time.pass(1);
    await rig.settled();
    expect(rig.syncs).toBe(2);
    await rig.end('ended');
    expect(rig.idles).toBe(1);
    await rig.stop();
  });

  it('must retry immediately when a file changes', async () => {
    const rig = setUp();
    await rig.end('postponed');
    rig.watch.changed();
    rig.time.pass(20);
    await rig.settled();
    expect(rig.syncs).toBe(2);
    rig.time.pass(5_000);
    await rig.settled();
    expect(rig.syncs).toBe(2);
    await rig.stop();
  });

  it.each([0, 1])('must finish a sync before it stops, even if %d files change', async (changes) => {
    const rig = setUp();
    rig.controller.abort(new Error('enough'));
    for (let at = 0; at < changes; at++) rig.watch.changed();
    let hasEnded = false;
    void rig.running.then(() => {
      hasEnded = true;
    });
    await rig.settled();
    expect(hasEnded).toBe(false);
    await rig.end('ended');
    await rig.running;
  });

  it('must stop immediately when it is idle, settling or waiting, and leave no timer running', async () => {
    for (const make of [async () => {}, async (rig: Rig) => rig.watch.changed()]) {
      const rig = setUp();
      await rig.end('ended');
      await make(rig);
      rig.controller.abort(new Error('enough'));
      await rig.running;
      expect(rig.syncs).toBe(1);
    }
    const rig = setUp();
    await rig.end('postponed');
    rig.controller.abort(new Error('enough'));
    await rig.running;
  });

  it('must reject with an internal error', async () => {
    const rig = setUp();
    rig.fail(new TypeError('a mistake'));
    await expect(rig.running).rejects.toThrow('a mistake');
  });

  it('must not treat an aborted sync as an internal error', async () => {
    const rig = setUp();
    rig.controller.abort(new Error('enough'));
    rig.fail(new Error('enough'));
    await expect(rig.running).resolves.toBeUndefined();
  });
});

type Rig = ReturnType<typeof setUp>;

function setUp() {
  const time = new SteeredTime();
  const controller = new AbortController();
  let pending: { resolve: (event: 'ended' | 'postponed') => void; reject: (error: unknown) => void } | undefined;
  const rig = {
    time,
    controller,
    syncs: 0,
    idles: 0,
    /** Lets pending promises settle. */
    settled: () => new Promise((resolve) => setImmediate(resolve)),
    async end(event: 'ended' | 'postponed'): Promise<void> {
      if (pending === undefined) throw new Error('no sync is under way');
      pending.resolve(event);
      pending = undefined;
      await rig.settled();
    },
    fail(error: unknown): void {
      if (pending === undefined) throw new Error('no sync is under way');
      pending.reject(error);
    },
    async stop(): Promise<void> {
      controller.abort(new Error('enough'));
      pending?.resolve('ended');
      await rig.running;
    },
    watch: new Watch({
      clock: time,
      signal: controller.signal,
      sync: () => {
        if (pending !== undefined) throw new Error('two syncs at once');
        rig.syncs += 1;
        return new Promise((resolve, reject) => {
          pending = { resolve, reject };
        });
      },
      onIdle: () => {
        rig.idles += 1;
      },
    }),
    running: Promise.resolve(),
  };
  rig.running = rig.watch.run();
  return rig;
}
