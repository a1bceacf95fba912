import { isDistroless } from '../../../stack/values/busybox.ts';
import { checkedCache } from '../../check/checked-cache.ts';
import type { Engine } from '../../engine/engine.ts';
import { stackLabel } from '../../engine/labels.ts';
import type { Rendering } from '../../render/rendering.ts';
import { healthCheckBy } from '../../state/wget.ts';
import { findWgetInImage } from '../health-check.ts';

/** The health check of each service, undefined for an image that cannot run one: then its tasks count as running once they start. */
export async function findHealthChecks(
  engine: Engine,
  { config, services }: Pick<Rendering, 'config' | 'services'>,
  imageOf: (reference: string) => { readonly ref: string; readonly id: string | undefined },
  env: Readonly<Record<string, string | undefined>>,
): Promise<ReadonlyMap<string, readonly string[] | undefined>> {
  const cache = checkedCache(env);
  const found = await Promise.all(
    services.map(async ({ service, container }) => {
      const { ref, id } = imageOf(container.image);
      // An image that only other nodes have can be looked into on none of them.
      if (id === undefined || isDistroless(ref)) return [service.name, undefined] as const;
      const spec = { ...container, image: ref };
      const name = `${config.name}-${service.name}`;
      const wget = await findWgetInImage(
        engine,
        { name, spec, labels: { [stackLabel]: config.name } },
        { imageId: id, cache },
      );
      return [service.name, wget === undefined ? undefined : healthCheckBy(wget, service, spec)] as const;
    }),
  );
  return new Map(found);
}
