import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../scripts/engine/engine-error.ts';
import { type Poll, Poller } from '../../../scripts/ui/poller.ts';
import { StackError } from '../../../scripts/util/stack-error.ts';

/** A poll that ends when the test says so. */
function steeredPoll(name: string, everyMs = 1_000) {
  let end: (error?: Error) => void = () => undefined;
  let runs = 0;
  const poll: Poll = {
    ...{ name, everyMs },
    run: () =>
      new Promise((resolve, reject) => {
        runs += 1;
        end = (error) => (error === undefined ? resolve() : reject(error));
      }),
  };
  return {
    poll,
    get runs() {
      return runs;
    },
    end: async (error?: Error) => {
      end(error);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

function pollerOf(...all: readonly Poll[]) {
  let now = 0;
  const poller = new Poller(all, { now: () => now, signal: new AbortController().signal });
  const startAt = (ms: number): void => {
    now = ms;
    poller.start();
  };
  return { poller, startAt };
}

describe('polls of a stack', () => {
  it('must not hold up each other, and never run twice at once', async () => {
    const [slow, quick] = [steeredPoll('slow'), steeredPoll('quick')];
    const { poller, startAt } = pollerOf(slow.poll, quick.poll);
    for (const second of [0, 1, 2, 3]) {
      startAt(second * 1_000);
      await quick.end();
    }
    expect({ slow: slow.runs, quick: quick.runs }).toEqual({ slow: 1, quick: 4 });
    expect(poller.look('slow')).toEqual({ runningMs: 3_000 });
    expect(poller.look('quick')).toEqual({ readAt: 3_000 });
    expect(poller.haveAllEnded).toBe(false);
  });

  it('must pause four times as long as they take', async () => {
    const slow = steeredPoll('slow');
    const { startAt } = pollerOf(slow.poll);
    startAt(0);
    startAt(2_000);
    await slow.end();
    startAt(9_999);
    expect(slow.runs).toBe(1);
    startAt(10_000);
    expect(slow.runs).toBe(2);
  });

  it('must be repeated soon after a change, also when one is running then', async () => {
    const slow = steeredPoll('slow', 60_000);
    const { poller, startAt } = pollerOf(slow.poll);
    startAt(0);
    poller.hurry('slow');
    startAt(2_000);
    await slow.end();
    startAt(3_999);
    expect(slow.runs).toBe(1);
    startAt(4_000);
    await slow.end();
    startAt(30_000);
    expect(slow.runs).toBe(2);
    poller.hurry('slow');
    startAt(30_001);
    expect(slow.runs).toBe(3);
  });

  it('must say when one succeeded last, and why those after it failed', async () => {
    const poll = steeredPoll('targets');
    const { poller, startAt } = pollerOf(poll.poll);
    startAt(0);
    await poll.end(new StackError({ doing: 'querying prometheus', why: 'it is stopped' }));
    expect(poller.look('targets')).toMatchObject({ readAt: undefined, failure: { why: 'it is stopped' } });
    startAt(1_000);
    await poll.end();
    expect(poller.look('targets')).toEqual({ readAt: 1_000 });
    startAt(2_000);
    await poll.end(new EngineError({ code: 'unreachable', doing: 'listing containers', message: 'refused' }));
    expect(poller.look('targets')).toMatchObject({ readAt: 1_000, failure: { why: 'refused' } });
  });

  it('must end the page on an error of this program', async () => {
    const poll = steeredPoll('targets');
    const { startAt } = pollerOf(poll.poll);
    startAt(0);
    await poll.end(new TypeError('a bug'));
    expect(() => startAt(1_000)).toThrow('a bug');
  });
});
