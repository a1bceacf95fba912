import type { ContainerSummary } from '../../scripts/engine/engine.ts';
import { roleLabel, serviceLabel, specLabel, stackLabel } from '../../scripts/engine/labels.ts';
import { stackSchema } from '../../stack/config.ts';
import { findService } from '../../stack/services.ts';

/** The container of a service of the stack `shop`, as an engine lists it. */
export function serviceContainer(name: string, over: Partial<ContainerSummary> = {}): ContainerSummary {
  const spec = findService(name)?.container(stackSchema.parse({ name: 'shop' }));
  return {
    id: `c-${name}`,
    name: `shop-${name}`,
    image: spec?.image ?? '',
    imageId: 'sha256:1',
    state: 'running',
    status: 'Up 2 minutes',
    createdAt: 0,
    hostPorts: [],
    networks: [],
    ...over,
    labels: {
      [stackLabel]: 'shop',
      [roleLabel]: 'service',
      [serviceLabel]: name,
      [specLabel]: JSON.stringify(spec),
      ...over.labels,
    },
  };
}
