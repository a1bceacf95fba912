import { z } from 'zod';
import { openReach } from '../confirm/reach.ts';
import type { Engine } from '../engine/engine.ts';
import { locateServices } from '../status/locate.ts';

const port = 9090;
const askMs = 5_000;

const answer = z.object({ data: z.array(z.string()) });

/** The names of all metrics that the stack's running Prometheus holds; undefined when none runs or it does not answer. */
export async function liveMetrics(
  engine: Engine,
  stack: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const reach = openReach(engine, await engine.info(signal));
  try {
    const services = await locateServices(engine, stack, reach);
    if (services.get('prometheus')?.state !== 'running') return undefined;
    const request = { method: 'GET', port, path: '/api/v1/label/__name__/values' } as const;
    const { status, body } = await reach.request('prometheus', request, { timeoutMs: askMs, signal });
    return status === 200 ? new Set(answer.parse(JSON.parse(body)).data) : undefined;
  } catch {
    // It only adds to what is told: a check is none the worse without it.
    signal.throwIfAborted();
    return undefined;
  } finally {
    reach.close();
  }
}
