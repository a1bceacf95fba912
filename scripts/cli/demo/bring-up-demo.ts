import { join } from 'node:path';
import { type Changed, changeStack } from '../../apply/change-stack.ts';
import type { Engine } from '../../engine/engine.ts';
import { ensureImages } from '../../engine/images/ensure.ts';
import { missingImages, sayMissing } from '../../engine/images/outcome.ts';
import { render } from '../../render/render.ts';
import { loadTemplates } from '../../render/templates.ts';
import type { Clock } from '../../util/clock.ts';
import type { Report } from '../../util/event.ts';
import type { Result } from '../../util/result.ts';
import { InputError } from '../../util/stack-error.ts';
import { demoFolder, loadDemo } from './demo-stack.ts';

/** Services the demo can do without when their image cannot be had. */
const optional: ReadonlySet<string> = new Set(['grafana']);

/** What bringing up the demo came to. */
export interface RunningDemo {
  readonly changed: Changed;
  /** Services that were left out, and why. */
  readonly leftOut: readonly { readonly service: string; readonly why: string }[];
}

/** Brings the demo's stack up, without the services whose image cannot be had anywhere. */
export async function bringUpDemo(options: {
  readonly engine: Engine;
  /** The name of the demo's stack. */
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<RunningDemo> {
  const { engine, name, env, report, clock, signal } = options;
  const loaded = take(await loadDemo(engine, env, name));
  const templates = await loadTemplates(join(demoFolder(), 'templates'));
  const whole = take(render(loaded, templates));
  const wanted = whole.services
    .filter(({ service }) => optional.has(service.name))
    .map(({ service, container }) => ({ service: service.name, reference: container.image }));
  const outcomes = await ensureImages(engine, wanted, whole.config.images, report, signal);
  const leftOut = missingImages(outcomes).map((missing) => ({ service: missing.service, why: sayMissing(missing) }));
  for (const { why } of leftOut) report({ kind: 'warning', text: `the demo goes on without it: ${why}` });
  const rendering =
    leftOut.length === 0 ? whole : take(render(loaded, templates, { without: leftOut.map(({ service }) => service) }));
  return { changed: await changeStack({ engine, rendering, command: 'demo', env, report, clock, signal }), leftOut };
}

/** The demo's own files are promstack's: a mistake in them is told like a person's, but should never be seen. */
function take<T>(result: Result<T>): T {
  if (!result.ok) throw new InputError(result.error);
  return result.value;
}
