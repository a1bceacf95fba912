import { currentEngine } from '../../scripts/dev/current-engine.ts';
import { up } from '../../scripts/dev/engine.ts';
import { connect } from '../../scripts/engine/connect.ts';
import { haveStackImages } from './images.ts';

/** Called once before the tests of the project `current engine`: starts that engine, with the images of this host's. */
export async function setup(): Promise<void> {
  await up();
  await using engine = await connect({ env: process.env });
  await using current = await connect({ env: { DOCKER_HOST: currentEngine } });
  const images = await haveStackImages(engine);
  const isPresent = await Promise.all(images.map((image) => current.findImage(image)));
  const missing = images.filter((_, at) => isPresent[at] === undefined);
  if (missing.length > 0) await current.loadImages(await engine.saveImages(missing));
}
