import type { Service } from '../../stack/service.ts';
import { isDistroless } from '../../stack/values/busybox.ts';
import type { CheckedCache } from '../check/checked-cache.ts';
import type { ContainerRequest, Engine } from '../engine/engine.ts';
import { baseLabels, stackLabel } from '../engine/labels.ts';
import { findWget, healthCheckBy, wgetPlaces } from '../state/wget.ts';
import { shortHash } from '../util/hash.ts';

type ImageRequest = Pick<ContainerRequest, 'name' | 'spec' | 'labels'>;

/** Where an image has wget, looked up in a container that is never started, and remembered by the image's id. */
export async function findWgetInImage(
  engine: Engine,
  request: ImageRequest,
  { imageId, cache }: Pick<ImageProbe, 'imageId' | 'cache'>,
): Promise<string | undefined> {
  if (imageId !== undefined) {
    for (const wget of wgetPlaces) if (await cache.has(keyOf(imageId, wget))) return wget;
  }
  const found = await lookInImage(engine, request);
  if (found !== undefined && imageId !== undefined) await cache.add(keyOf(imageId, found));
  return found;
}

const keyOf = (imageId: string, wget: string): string => `health-${shortHash(`${imageId} ${wget}`)}`;

interface ImageProbe {
  readonly service: Pick<Service, 'ready' | 'upkeep'>;
  readonly imageId: string | undefined;
  readonly cache: CheckedCache;
}

/**
 * Creates a service's container with a health check that its image can run: wget asks what shows that the server is ready.
 * Whether the image has wget is looked up in the container before it starts, and remembered by the image's id; without
 * wget it gets no health check, because the engine would call it unhealthy forever.
 */
export function createWithHealthCheck(engine: Engine, request: ContainerRequest, probe: ImageProbe): Promise<string> {
  // Podman runs health checks by systemd timers, and does not start a container with one where there is no systemd.
  const hasNone = engine.kind === 'podman' || isDistroless(request.spec.image);
  return hasNone ? engine.createContainer(request) : createWithWget(engine, request, probe);
}

async function createWithWget(
  engine: Engine,
  request: ContainerRequest,
  { service, imageId, cache }: ImageProbe,
): Promise<string> {
  const create = (wget: string | undefined) =>
    engine.createContainer({
      ...request,
      healthCheck: wget === undefined ? undefined : healthCheckBy(wget, service, request.spec),
    });
  if (imageId !== undefined) {
    for (const wget of wgetPlaces) if (await cache.has(keyOf(imageId, wget))) return create(wget);
  }
  const [expected] = wgetPlaces;
  const id = await create(expected);
  const found = await (request.spec.host === undefined ? findWget(engine, id) : lookInImage(engine, request));
  if (found !== undefined && imageId !== undefined) await cache.add(keyOf(imageId, found));
  if (found === expected) return id;
  await engine.removeContainer(id);
  return create(found);
}

/**
 * Looks in a container without mounts: to read a file of one that mounts the host's folders, the engine mounts all of them
 * again, those of the other containers included.
 */
async function lookInImage(engine: Engine, { name, spec, labels }: ImageRequest): Promise<string | undefined> {
  const helper = await engine.createHelper({
    name: `${name}-wget`,
    image: spec.image,
    user: spec.user,
    entrypoint: ['/bin/true'],
    args: [],
    labels: baseLabels(labels[stackLabel] ?? '', 'check'),
    mounts: [],
  });
  try {
    return await findWget(engine, helper);
  } finally {
    await engine.removeContainer(helper);
  }
}
