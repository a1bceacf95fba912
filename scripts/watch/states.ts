import { unreachable } from '../util/unreachable.ts';

/**
 * The states of a watch.
 *
 * ```
 *                    changed                    quiet
 *   idle ─────────────────────────▶ settling ─────────▶ syncing ──ended──▶ idle
 *    ▲                               ▲  ▲  ↻ changed     │    │
 *    │                               │  │                │    └─postponed─▶ waiting
 *    └── (nothing left to do)        │  │                │                   │    │
 *                            changed │  └─ended, postponed─ stale ◀─changed──┘    │
 *                                    │                      ↻ changed             │
 *                                    └────────────────────────────────────────────┤
 *                                                                  syncing ◀─quiet┘
 * ```
 *
 * - `idle`: nothing has changed since the last read of the files.
 * - `settling`: something has just changed, and more may follow: editors write in several steps.
 * - `syncing`: the files are being read, checked and applied.
 * - `stale`: like `syncing`, but something has changed since it began, so that it has to be repeated.
 * - `waiting`: the engine cannot be reached or another command holds the lock; retried after a pause, or at the next change.
 */
export type WatchState = 'idle' | 'settling' | 'syncing' | 'stale' | 'waiting';

export type WatchEvent =
  /** A file changed. */
  | 'changed'
  /** The requested time has passed without a change. */
  | 'quiet'
  /** The files were applied or rejected. */
  | 'ended'
  /** The engine or the lock was not available. */
  | 'postponed';

/** What to do when a state begins. */
export type WatchWork = 'none' | 'settle' | 'sync' | 'wait';

/** The next state, and what to do. */
export function next(state: WatchState, event: WatchEvent): { readonly state: WatchState; readonly work: WatchWork } {
  switch (state) {
    case 'idle':
      return event === 'changed' ? settling : { state, work: 'none' };
    case 'settling':
      if (event === 'changed') return settling;
      return event === 'quiet' ? syncing : { state, work: 'none' };
    case 'syncing':
      if (event === 'changed') return { state: 'stale', work: 'none' };
      if (event === 'postponed') return { state: 'waiting', work: 'wait' };
      return event === 'ended' ? { state: 'idle', work: 'none' } : { state, work: 'none' };
    case 'stale':
      return event === 'ended' || event === 'postponed' ? settling : { state, work: 'none' };
    case 'waiting':
      if (event === 'changed') return settling;
      return event === 'quiet' ? syncing : { state, work: 'none' };
    default:
      return unreachable(state);
  }
}

const settling = { state: 'settling', work: 'settle' } as const;
const syncing = { state: 'syncing', work: 'sync' } as const;
