import type { Engine } from '../engine/engine.ts';
import { findImages } from '../engine/images/ensure.ts';
import { toDesired } from '../plan/desired.ts';
import { observe } from '../plan/observe.ts';
import { hasVisibleSteps } from '../plan/plan.ts';
import { reconcile } from '../plan/reconcile.ts';
import { forRunningImages } from '../plan/substitutes.ts';
import type { Rendering } from '../render/rendering.ts';
import { openServiceClient } from '../state/service-client.ts';

/** Why a service does not run as the rendering says, or is not ready. */
export interface PendingService {
  /** Absent for what concerns the whole stack. */
  readonly service?: string | undefined;
  readonly why: string;
}

const readyMs = 2_000;

/**
 * What is still to happen until the stack runs the rendering and its servers are ready: nothing means that `up` would have
 * nothing to do. `names` selects services; without names, all count and the change must be recorded.
 */
export async function findPending({
  engine,
  rendering,
  names,
  signal,
}: {
  readonly engine: Engine;
  readonly rendering: Rendering;
  readonly names: readonly string[];
  readonly signal: AbortSignal;
}): Promise<readonly PendingService[]> {
  const references = rendering.services.map(({ container: { service, image } }) => ({ service, reference: image }));
  const images = await findImages(engine, references, rendering.config.images);
  const desired = toDesired(
    forRunningImages(rendering, images),
    (reference) => images.get(reference) ?? { ref: reference, id: undefined },
  );
  const client = openServiceClient(engine);
  try {
    const observed = await observe(engine, desired, client);
    const plan = reconcile(desired, observed);
    const isChosen = (service: string): boolean => names.length === 0 || names.includes(service);
    const pending = plan.changes
      .filter(({ service, action }) => isChosen(service) && action !== 'none')
      .map(({ service, because }): PendingService => ({ service, why: because.join('; ') }));
    const unready = desired.services
      .filter(({ service: { name } }) => isChosen(name) && !pending.some(({ service }) => service === name))
      .map(async ({ service: { name, ready } }): Promise<PendingService[]> => {
        try {
          const { status } = await client.request(name, ready, { timeoutMs: readyMs, signal });
          return status === 200 ? [] : [{ service: name, why: `it is not ready: it answers ${status}` }];
        } catch (error) {
          signal.throwIfAborted();
          return [{ service: name, why: `it does not answer: ${(error as Error).message}` }];
        }
      });
    const all = [...pending, ...(await Promise.all(unready)).flat()];
    if (all.length > 0 || names.length > 0 || !hasVisibleSteps(plan)) return all;
    return [{ why: `revision ${plan.revision} is not confirmed yet` }];
  } finally {
    client.close();
  }
}
