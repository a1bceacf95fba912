import type { Engine } from '../../scripts/engine/engine.ts';
import { ensureImages } from '../../scripts/engine/images/ensure.ts';
import { missingImages, missingImagesError } from '../../scripts/engine/images/outcome.ts';
import { setUpEngine } from '../../scripts/engine/setup.ts';
import type { Event } from '../../scripts/util/event.ts';
import { stackSchema } from '../../stack/config.ts';
import { enabledServices } from '../../stack/services.ts';

/** Called once before any test: ensures an engine and the images of all servers except Grafana. */
export async function setup(): Promise<void> {
  await using engine = await setUpEngine(tell, AbortSignal.timeout(240_000));
  await haveStackImages(engine);
}

/** The images of all servers except Grafana, pulled or built if absent. */
export function haveStackImages(engine: Engine): Promise<readonly string[]> {
  const config = stackSchema.parse({ grafana: { enabled: false } });
  const references = enabledServices(config).map((service) => service.container(config).image);
  return haveImages(engine, [...new Set(references)]);
}

/** The images for these references, in their order, pulled or built if absent. */
export async function haveImages(engine: Engine, references: readonly string[]): Promise<readonly string[]> {
  const wanted = references.map((reference) => ({ service: 'the tests', reference }));
  const outcomes = await ensureImages(engine, wanted, { source: 'auto' }, tell, AbortSignal.timeout(240_000));
  if (missingImages(outcomes).length > 0) throw missingImagesError(missingImages(outcomes));
  return outcomes.flatMap((one) => (one.kind === 'available' ? [one.ref] : []));
}

/** Reports slow work, so that it does not look like a hang. */
function tell(event: Event): void {
  if (event.kind === 'note') process.stderr.write(`${event.text}\n`);
  if (event.kind === 'done') process.stderr.write(`${event.what}: done in ${(event.tookMs / 1000).toFixed(1)} s\n`);
}
