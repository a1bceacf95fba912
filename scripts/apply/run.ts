import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';

/** The context of a command that works on a stack. */
export interface Run {
  readonly engine: Engine;
  /** Used to find tools on this host and the cache of passed checks. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long to wait for the stack's lock while another command holds it; not at all unless set. */
  readonly waitMs?: number | undefined;
}
