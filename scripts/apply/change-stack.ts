import { type Desired, toDesired } from '../plan/desired.ts';
import { observeBriefly } from '../plan/observe.ts';
import type { Plan } from '../plan/plan.ts';
import { reconcile } from '../plan/reconcile.ts';
import { snapshotEngine } from '../plan/snapshot.ts';
import { openServiceClient } from '../state/service-client.ts';
import { type ChangeOptions, coldSession } from './session.ts';

/** What a change came to. */
export interface Changed {
  readonly plan: Plan;
  readonly desired: Desired;
  /** Where each service is opened in a browser, in the order the data flows. */
  readonly urls: readonly { readonly service: string; readonly url: string }[];
}

/** Makes the engine run what was rendered: images, plan, proof that the files are valid, then all of it or none of it. */
export async function changeStack(options: ChangeOptions): Promise<Changed> {
  const { engine, rendering, report, signal } = options;
  const session = options.session ?? coldSession(engine);
  const desired = toDesired(rendering, await session.images(rendering, report, signal));
  const reach = openServiceClient(engine);
  const files = await session.files(desired);
  const changed = (plan: Plan): Changed => ({ plan, desired, urls: urlsOf(desired, reach.url) });
  try {
    const stock =
      options.stock ?? (session.looksFirst ? await snapshotEngine(engine, desired.stack, { files }) : undefined);
    if (stock !== undefined) {
      const observed = await observeBriefly(stock, desired, reach);
      const plan = reconcile(desired, observed, { recreate: options.recreate === true });
      if (plan.steps.length === 0) return changed(plan);
    }
    // Loaded only now: most often there is nothing to do.
    const { changeLocked } = await import('./change-locked.ts');
    return changed(await changeLocked({ ...options, session, desired, reach, files }));
  } finally {
    reach.close();
  }
}

function urlsOf(desired: Desired, url: (service: string, port: number) => string | undefined): Changed['urls'] {
  return desired.services.flatMap(({ service }) => {
    const found = url(service.name, service.port);
    return found === undefined ? [] : [{ service: service.name, url: found }];
  });
}
