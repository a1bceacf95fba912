import { findService } from '../../stack/services.ts';
import type { Engine } from '../engine/engine.ts';
import { carrierFor, type Desired, type DesiredService, hashSpec, volumesOf } from '../plan/desired.ts';
import type { Observed } from '../plan/observed.ts';
import { md5 } from '../util/hash.ts';
import { readRelease } from './release-files.ts';

/**
 * What the stack was before a change, as something to desire again: each container by the spec on its label, with the
 * release its link pointed at. Read before the change begins, while the containers that give access to it are there.
 */
export async function formerState(engine: Engine, observed: Observed, desired: Desired): Promise<Desired> {
  const services = await Promise.all(
    [...observed.services].map(async ([name, found]): Promise<DesiredService[]> => {
      const service = findService(name);
      if (service === undefined || found.spec === undefined || found.container.state !== 'running') return [];
      const files = found.linked === undefined ? undefined : await readRelease(engine, found.container.id, name, found.linked);
      return [
        {
          service,
          name: found.container.name,
          spec: found.spec,
          imageId: found.container.imageId,
          specHash: found.specHash ?? hashSpec(found.spec),
          labels: found.container.labels,
          volumes: volumesOf(desired.stack, found.spec),
          release:
            files === undefined || found.linked === undefined
              ? undefined
              : { config: desired.config, files, revision: found.linked, md5 },
        },
      ];
    }),
  );
  const kept = services.flat();
  return {
    stack: desired.stack,
    revision: observed.recorded ?? desired.revision,
    config: desired.config,
    services: kept,
    volumes: [],
    carrier: carrierFor(desired.stack, kept),
  };
}
