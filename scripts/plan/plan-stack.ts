import { openReach } from '../confirm/reach.ts';
import type { Engine } from '../engine/engine.ts';
import { findImages } from '../engine/images/ensure.ts';
import type { Rendering } from '../render/rendering.ts';
import { toDesired } from './desired.ts';
import { observe } from './observe.ts';
import type { Plan } from './plan.ts';
import { reconcile } from './reconcile.ts';

/** Looks at the engine and decides what `up` would do; changes nothing, and pulls nothing. */
export async function planStack(options: {
  readonly engine: Engine;
  readonly rendering: Rendering;
  readonly signal: AbortSignal;
  readonly recreate: boolean;
}): Promise<Plan> {
  const { engine, rendering, signal, recreate } = options;
  const wanted = rendering.services.map(({ container }) => ({
    service: container.service,
    reference: container.image,
  }));
  const found = await findImages(engine, wanted, rendering.config.images);
  const desired = toDesired(rendering, (reference) => found.get(reference) ?? { ref: reference, id: undefined });
  const reach = openReach(engine, await engine.info(signal));
  try {
    return reconcile(desired, await observe(engine, desired, reach), { recreate });
  } finally {
    reach.close();
  }
}
