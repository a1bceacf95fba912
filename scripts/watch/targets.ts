import type { StackConfig } from '../../stack/config.ts';
import { explainUnscraped } from '../../stack/discovery/targets.ts';
import { counted, listedNames } from '../../stack/values/words.ts';
import type { Engine } from '../engine/engine.ts';
import { EngineError } from '../engine/engine-error.ts';
import { discoveringService, type FoundTargets, findTargets, writeTargets } from '../state/discovery.ts';
import type { Clock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';

/** Containers are listed after this time without an event. */
const settleMs = 250;
/** They are listed after this time even if events continue. */
const maxSettleMs = 1_000;
/** They are listed without an event too, since a connection may be lost unnoticed. */
const idleMs = 30_000;
/** The pause after an engine that cannot be reached. */
const retryMs = 1_000;

interface FollowOptions {
  readonly engine: Engine;
  /** The config that the stack runs; undefined before it is known. */
  readonly config: () => StackConfig | undefined;
  readonly clock: Clock;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Keeps the discovered targets up to date, by the events of the engine. */
export interface TargetFollower {
  /** The config has changed. */
  changed(): void;
  /** Resolves once the signal has aborted. */
  readonly ended: Promise<void>;
}

export function followTargets(options: FollowOptions): TargetFollower {
  const { engine, config, clock, signal } = options;
  const reportNew = reporter(options.report);
  let events = 0;
  let listedAt = -1;
  let idle = new AbortController();
  let stream = new AbortController();
  const changed = (): void => {
    events += 1;
    idle.abort();
  };
  const pause = (ms: number, ...signals: readonly AbortSignal[]): Promise<void> =>
    clock.sleep(ms, AbortSignal.any([signal, ...signals])).catch(() => undefined);

  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      stream = new AbortController();
      try {
        for await (const _ of engine.containerEvents(AbortSignal.any([signal, stream.signal]))) changed();
      } catch (error) {
        if (!(error instanceof EngineError || signal.aborted || stream.signal.aborted)) throw error;
      }
      await pause(retryMs);
    }
  };

  const settle = async (): Promise<void> => {
    const since = clock.now();
    for (let seen = -1; seen !== events && clock.now() - since < maxSettleMs && !signal.aborted; ) {
      seen = events;
      await pause(settleMs);
    }
  };

  const update = async (): Promise<void> => {
    const current = config();
    listedAt = events;
    try {
      const found = current && (await findTargets(engine, current));
      if (current !== undefined && found !== undefined) await writeTargets(engine, current, found);
      reportNew(found);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof EngineError)) throw error;
      reportNew(error);
      stream.abort();
      await pause(retryMs);
      listedAt = -1;
    }
  };

  const run = async (): Promise<void> => {
    let following: Promise<void> | undefined;
    while (!signal.aborted) {
      const current = config();
      if (current !== undefined && discoveringService(current) !== undefined) following ??= follow();
      if (listedAt !== events) {
        await settle();
        await update();
      } else {
        idle = new AbortController();
        await pause(idleMs, idle.signal);
        listedAt = -1;
      }
    }
    await following;
  };
  return { changed, ended: run() };
}

/** Reports changes of the targets, and each problem once while it persists. */
function reporter(report: Report): (found: FoundTargets | EngineError | undefined) => void {
  let reported = new Set<string>();
  return (found) => {
    if (found === undefined) return;
    const problems = new Set(
      found instanceof EngineError
        ? [`the discovered targets cannot be updated: ${found.message}`]
        : found.unscraped.map((refusal) => `${explainUnscraped(refusal)}\n  try: ${refusal.tryThis}`),
    );
    for (const text of problems) if (!reported.has(text)) report({ kind: 'warning', text });
    reported = problems;
    if (found instanceof EngineError) return;
    const { added, removed } = found;
    if (added.length > 0)
      report({ kind: 'note', text: `discovered ${counted(added.length, 'target')}: ${listedNames(added)}` });
    if (removed.length > 0)
      report({ kind: 'note', text: `${counted(removed.length, 'target')} gone: ${listedNames(removed)}` });
  };
}
