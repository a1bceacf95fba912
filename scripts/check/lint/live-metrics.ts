import * as z from 'zod';
import type { Engine } from '../../engine/engine.ts';
import { locateServices } from '../../state/locate.ts';
import { openReach } from '../../state/service-client.ts';

const port = 9090;
const askMs = 5_000;

const names = z.object({ data: z.array(z.string()) });
const targets = z.object({ data: z.object({ activeTargets: z.array(z.object({ health: z.string() })) }) });

/**
 * The names of all metrics that the stack's running Prometheus holds. Undefined when none runs, when it does not answer,
 * and while it has not yet scraped each of its targets once.
 */
export async function liveMetrics(
  engine: Engine,
  stack: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const reach = openReach(engine);
  const ask = async (path: string): Promise<unknown> => {
    const answer = await reach.request('prometheus', { method: 'GET', port, path }, { timeoutMs: askMs, signal });
    return answer.status === 200 ? JSON.parse(answer.body) : undefined;
  };
  try {
    const services = await locateServices(engine, stack, reach);
    if (services.get('prometheus')?.state !== 'running') return undefined;
    const { data } = targets.parse(await ask('/api/v1/targets?state=active'));
    if (data.activeTargets.some(({ health }) => health === 'unknown')) return undefined;
    return new Set(names.parse(await ask('/api/v1/label/__name__/values')).data);
  } catch {
    // It only adds to what is told: a check is none the worse without it.
    signal.throwIfAborted();
    return undefined;
  } finally {
    reach.close();
  }
}
