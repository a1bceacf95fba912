import { isDistroless } from '../../../stack/values/busybox.ts';
import type { Engine } from '../../engine/engine.ts';
import { EngineError } from '../../engine/engine-error.ts';
import { StackError } from '../../util/stack-error.ts';

/** Images of a stack that have busybox, the best first: the node of a manager may have any of them, or none. */
export type ClientImages = readonly string[];

/** Services whose images have busybox, by how surely they do. */
const withBusybox = ['prometheus', 'alertmanager', 'pushgateway', 'grafana', 'node'];

/** The images that can run busybox among those of services by their names; without such a service, any of them. */
export function clientImages(images: ReadonlyMap<string, string | undefined>): ClientImages {
  const found = withBusybox.flatMap((service) => images.get(service) ?? []).filter((image) => !isDistroless(image));
  return [...new Set(found.length > 0 ? found : [...images.values()].flatMap((image) => image ?? []))];
}

/** How long a pull may take in which a command waits for nothing else. */
const pullMs = 60_000;

/** The first of the images that the node of this engine has; pulls the best when it has none. */
export async function imageHere(engine: Engine, images: ClientImages, signal: AbortSignal): Promise<string> {
  for (const image of images) if ((await engine.findImage(image)) !== undefined) return image;
  const [best] = images;
  if (best === undefined) throw noImage('its services name no image', 'promstack up');
  const limited = AbortSignal.any([signal, AbortSignal.timeout(pullMs)]);
  try {
    await engine.pullImage(best, () => undefined, limited);
    return best;
  } catch (error) {
    signal.throwIfAborted();
    const isLate = limited.aborted;
    if (!isLate && !(error instanceof EngineError && error.code !== 'unreachable')) throw error;
    const why = isLate ? `it took more than ${pullMs / 1_000} s` : (error as EngineError).message;
    throw noImage(
      `the node of the engine at ${engine.location.address} has no image of the stack, and pulling ${best} failed: ${why}`,
      `docker pull ${best} there; or promstack images save FILE where the images are, and docker load -i FILE there; or use another manager: DOCKER_HOST=ssh://MANAGER`,
      error,
    );
  }
}

function noImage(why: string, tryThis: string, cause?: unknown): StackError {
  return new StackError({ doing: 'reaching the tasks of the stack from this manager', why, tryThis, cause });
}
