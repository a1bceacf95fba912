import type { Engine } from '../../scripts/engine/engine.ts';
import { ensureImages } from '../../scripts/engine/images/ensure.ts';
import { missingImages, missingImagesError } from '../../scripts/engine/images/outcome.ts';
import { setUpEngine } from '../../scripts/engine/setup.ts';
import type { Event } from '../../scripts/util/event.ts';
import { stackSchema } from '../../stack/config.ts';
import { enabledServices } from '../../stack/services.ts';

/** Called once before any test: makes sure of an engine and of the images of every server but Grafana. */
export async function setup(): Promise<void> {
  await using engine = await setUpEngine(tell, AbortSignal.timeout(240_000));
  await haveStackImages(engine);
}

/** The images of every server but Grafana, pulled or built where they are not present. */
export function haveStackImages(engine: Engine): Promise<readonly string[]> {
  const config = stackSchema.parse({ grafana: { enabled: false } });
  const references = enabledServices(config).map((service) => service.container(config).image);
  return haveImages(engine, [...new Set(references)]);
}

/** The images to use for these references on this machine, in their order: pulled or built where they are not present. */
export async function haveImages(engine: Engine, references: readonly string[]): Promise<readonly string[]> {
  const wanted = references.map((reference) => ({ service: 'the tests', reference }));
  const outcomes = await ensureImages(engine, wanted, { source: 'auto' }, tell, AbortSignal.timeout(240_000));
  if (missingImages(outcomes).length > 0) throw missingImagesError(missingImages(outcomes));
  return outcomes.flatMap((one) => (one.kind === 'available' ? [one.ref] : []));
}

/** What takes long is said, so that nobody takes it for a hang. */
function tell(event: Event): void {
  if (event.kind === 'note') process.stderr.write(`${event.text}\n`);
  if (event.kind === 'done') process.stderr.write(`${event.what}: done in ${(event.tookMs / 1000).toFixed(1)} s\n`);
}
