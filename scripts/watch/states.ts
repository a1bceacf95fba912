import { unreachable } from '../util/unreachable.ts';

/**
 * What a watch is doing.
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
 * - `idle`: the last read of the files is done; nothing has changed since.
 * - `settling`: something changed a moment ago, and more may follow: editors write in several steps.
 * - `syncing`: the files are being read, checked and made current.
 * - `stale`: as `syncing`, and something has changed since it began, so that it has to be done again.
 * - `waiting`: the engine does not answer or another command holds the lock; tried again after a pause, or at the next change.
 */
export type WatchState = 'idle' | 'settling' | 'syncing' | 'stale' | 'waiting';

/** What can happen to a watch. */
export type WatchEvent =
  /** A file changed. */
  | 'changed'
  /** The requested time has passed without another change. */
  | 'quiet'
  /** What was read was applied or refused. */
  | 'ended'
  /** The engine or the lock was not available. */
  | 'postponed';

/** What has to be done when a state begins. */
export type WatchWork = 'none' | 'settle' | 'sync' | 'wait';

/** The state that follows, and what has to be done now. */
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
