import { openReach } from '../confirm/reach.ts';
import type { Engine } from '../engine/engine.ts';
import { type Desired, toDesired } from '../plan/desired.ts';
import { observe, observeBriefly } from '../plan/observe.ts';
import type { Observed } from '../plan/observed.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { reconcile } from '../plan/reconcile.ts';
import { type Stock, takeStock } from '../plan/stock.ts';
import type { Rendering } from '../render/rendering.ts';
import type { Report } from '../report/event.ts';
import type { Clock } from '../util/clock.ts';
import { StackError } from '../util/stack-error.ts';
import { carryOut } from './carry-out.ts';
import { formerState } from './former.ts';
import { takeLock } from './lock.ts';
import { preflight } from './preflight.ts';
import { proveValid } from './prove-valid.ts';
import { coldSession, type Session } from './session.ts';

/** What a change of a running stack needs. */
export interface ChangeOptions {
  readonly engine: Engine;
  readonly rendering: Rendering;
  /** The command as the lock and the history name it: `up`. */
  readonly command: string;
  /** Tells where the tools of this host and the cache of passed checks are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What changes of this stack share when there are many; a single one finds it out by itself. */
  readonly session?: Session;
  /** A look that was taken already, and may show without the lock that there is nothing to do. */
  readonly stock?: Stock | undefined;
  /** Make every container anew. */
  readonly recreate?: boolean;
  /** Only files may change: whatever else is needed is refused, with what it is. */
  readonly filesOnly?: boolean;
  readonly afterStep?: ((step: Step) => void) | undefined;
}

/** What a change came to. */
export interface Changed {
  readonly plan: Plan;
  readonly desired: Desired;
  /** Where each service is opened in a browser, in the order the data flows. */
  readonly urls: readonly { readonly service: string; readonly url: string }[];
}

/** Makes the engine run what was rendered: images, plan, proof that the files are valid, then all of it or none of it. */
export async function changeStack(options: ChangeOptions): Promise<Changed> {
  const { engine, rendering, report, clock, signal, command, env, afterStep } = options;
  const session = options.session ?? coldSession(engine);
  const images = await session.images(rendering, report, signal);
  const desired = toDesired(rendering, images);
  const reach = openReach(engine);
  const files = await session.files(desired);
  try {
    const decide = (observed: Observed): Plan => reconcile(desired, observed, { recreate: options.recreate === true });
    const stock = options.stock ?? (session.looksFirst ? await takeStock(engine, desired.stack, files) : undefined);
    if (stock !== undefined) {
      const plan = decide(await observeBriefly(stock, desired, reach));
      if (plan.steps.length === 0) return { plan, desired, urls: urlsOf(desired, reach.url) };
    }
    await using _lock = await takeLock(engine, desired.stack, command, report);
    // Whoever held the lock until now may have changed what was seen.
    const observed = await observe(engine, desired, reach, files);
    const plan = decide(observed);
    if (plan.steps.length === 0) return { plan, desired, urls: urlsOf(desired, reach.url) };
    if (options.filesOnly === true) refuseMoreThanFiles(plan);
    await preflight(plan, desired, observed, engine.place.isLocal);
    await proveValid({
      engine,
      desired,
      rendering,
      observed,
      plan,
      files,
      passed: session.passed,
      env,
      report,
      signal,
    });
    const former = await formerState(files, observed, desired);
    report({ kind: 'phase', name: 'applying' });
    await carryOut({
      engine,
      desired,
      reach,
      clock,
      report,
      signal,
      files,
      former,
      observed,
      plan,
      command,
      afterStep,
    });
    return { plan, desired, urls: urlsOf(desired, reach.url) };
  } finally {
    reach.close();
  }
}

function refuseMoreThanFiles(plan: Plan): void {
  const more = plan.changes.filter(({ action }) => action !== 'none' && action !== 'reload');
  if (more.length === 0) return;
  const lines = more.map(({ service, action, because }) => `\n    ${service}: ${action}, ${because.join('; ')}`);
  throw new StackError({
    doing: `reloading the stack ${plan.stack}`,
    why: `it takes more than new files, and a reload never makes or replaces a container:${lines.join('')}`,
    tryThis: 'promstack up does all of it',
  });
}

function urlsOf(desired: Desired, url: (service: string, port: number) => string | undefined): Changed['urls'] {
  return desired.services.flatMap(({ service }) => {
    const found = url(service.name, service.port);
    return found === undefined ? [] : [{ service: service.name, url: found }];
  });
}
