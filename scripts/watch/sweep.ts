import type { StackConfig } from '../../stack/config.ts';
import { formatLabels } from '../../stack/exposition/family.ts';
import { type Engine, EngineError } from '../engine/engine.ts';
import { openStackPushgateway } from '../servers/pushgateway/client.ts';
import { ageLimitOf, collectGroups, sweepEveryMs } from '../servers/pushgateway/collect.ts';
import type { Clock } from '../util/clock.ts';
import type { Report } from '../util/event.ts';
import { StackError } from '../util/stack-error.ts';

/** The pause before the setting is read again when there is no ttl. */
const idleMs = 2_000;
const timeoutMs = 10_000;

/**
 * Deletes groups older than `pushgateway.ttl` repeatedly until the signal aborts; the setting is read each time. An
 * unreachable Pushgateway is reported once, and tried again.
 */
export async function sweepGroups(options: {
  readonly engine: Engine;
  /** The last valid config; undefined before it was read. */
  readonly config: () => StackConfig | undefined;
  readonly clock: Clock;
  readonly report: Report;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { engine, config: currentConfig, clock, report, signal } = options;
  let lastWhy: string | undefined;
  while (!signal.aborted) {
    const config = currentConfig();
    const ttl = config?.pushgateway.enabled === true ? config.pushgateway.ttl : undefined;
    const why = config === undefined || ttl === undefined ? undefined : await sweep(config, ttl);
    if (why !== undefined && why !== lastWhy)
      report({ kind: 'warning', text: `expired groups of the Pushgateway could not be deleted: ${why}` });
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
        report({ kind: 'note', text: `deleted the group ${formatLabels(group.labels)}: its ttl has expired` });
      return undefined;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof StackError) return error.why;
      if (error instanceof EngineError) return error.message;
      throw error;
    }
  }
}
