import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { next, type WatchEvent, type WatchState, type WatchWork } from '../../../scripts/watch/states.ts';

/** All edges of the diagram; any other event changes nothing. */
const edges: readonly (readonly [WatchState, WatchEvent, WatchState, WatchWork])[] = [
  ['idle', 'changed', 'settling', 'settle'],
  ['settling', 'changed', 'settling', 'settle'],
  ['settling', 'quiet', 'syncing', 'sync'],
  ['syncing', 'changed', 'stale', 'none'],
  ['syncing', 'ended', 'idle', 'none'],
  ['syncing', 'postponed', 'waiting', 'wait'],
  ['stale', 'ended', 'settling', 'settle'],
  ['stale', 'postponed', 'settling', 'settle'],
  ['waiting', 'changed', 'settling', 'settle'],
  ['waiting', 'quiet', 'syncing', 'sync'],
];
const states: readonly WatchState[] = ['idle', 'settling', 'syncing', 'stale', 'waiting'];
const events: readonly WatchEvent[] = ['changed', 'quiet', 'ended', 'postponed'];

describe('the states of a watch', () => {
  it.each(edges)('%s, %s: %s', (state, event, then, work) => {
    expect(next(state, event)).toEqual({ state: then, work });
  });

  it('must not change at any other event', () => {
    for (const state of states) {
      for (const event of events) {
        if (edges.some(([from, on]) => from === state && on === event)) continue;
        expect(next(state, event), `${state}, ${event}`).toEqual({ state, work: 'none' });
      }
    }
  });

  it('must never sync twice concurrently, and never be idle with an unread change', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events)), (happened) => {
        let state: WatchState = 'idle';
        let isSyncing = false;
        let isUnread = false;
        for (const event of happened) {
          // A sync or a timer can only end while it is running.
          if ((event === 'ended' || event === 'postponed') !== isSyncing && event !== 'changed' && event !== 'quiet')
            continue;
          if (event === 'quiet' && state !== 'settling' && state !== 'waiting') continue;
          if (event === 'changed') isUnread = true;
          if (event === 'ended' || event === 'postponed') isSyncing = false;
          const after = next(state, event);
          state = after.state;
          if (after.work === 'sync') {
            expect(isSyncing).toBe(false);
            isSyncing = true;
            isUnread = false;
          }
          if (state === 'idle') expect(isUnread).toBe(false);
        }
      }),
    );
  });
});
