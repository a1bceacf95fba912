import type { StackConfig } from '../../stack/config.ts';
import { formatLabels } from '../../stack/exposition/family.ts';
import { type Engine, EngineError } from '../engine/engine.ts';
import { openStackPushgateway } from '../servers/pushgateway/client.ts';
import { ageLimitOf, collectGroups, sweepEveryMs } from '../servers/pushgateway/collect.ts';
import type { Clock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import { StackError } from '../util/stack-error.ts';

/** How long to wait before the setting is looked at again when there is nothing to sweep. */
const idleMs = 2_000;
const timeoutMs = 10_000;

/**
 * Deletes the groups that have outlived `pushgateway.ttl`, again and again until the signal aborts; the setting is read
 * each time. A Pushgateway that does not answer is reported once, and tried again.
 */
export async function sweepGroups(options: {
  readonly engine: Engine;
  /** stack.yml as it was last good; undefined before it was read. */
  readonly config: () => StackConfig | undefined;
  readonly clock: Clock;
  readonly report: Report;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { engine, config: current, clock, report, signal } = options;
  let lastWhy: string | undefined;
  while (!signal.aborted) {
    const config = current();
    const ttl = config?.pushgateway.enabled === true ? config.pushgateway.ttl : undefined;
    const why = config === undefined || ttl === undefined ? undefined : await sweep(config, ttl);
    if (why !== undefined && why !== lastWhy)
      report({ kind: 'warning', text: `expired groups could not be deleted: ${why}` });
    lastWhy = why;
    await clock.sleep(ttl === undefined ? idleMs : sweepEveryMs(ttl), signal).catch(() => undefined);
  }

  async function sweep(
    config: StackConfig,
    ttl: NonNullable<StackConfig['pushgateway']['ttl']>,
  ): Promise<string | undefined> {
    try {
      await using gateway = await openStackPushgateway(engine, config.name, { timeoutMs, now: () => clock.now() });
      const { deleted } = await collectGroups({ gateway, limit: ageLimitOf(ttl), clock, signal });
      for (const group of deleted)
        report({ kind: 'note', text: `deleted the group ${formatLabels(group.labels)}: nobody pushed to it any more` });
      return undefined;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof StackError) return error.why;
      if (error instanceof EngineError) return error.message;
      throw error;
    }
  }
}
