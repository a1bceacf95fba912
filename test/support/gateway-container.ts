import type { ContainerState, ContainerSummary } from '../../scripts/engine/engine.ts';
import { serviceLabel, specLabel } from '../../scripts/engine/labels.ts';
import { stackSchema } from '../../stack/config.ts';
import { pushgateway } from '../../stack/pushgateway/service.ts';

/** The container of a stack's Pushgateway as an engine lists it. */
export function gatewayContainer({ port, state }: { port: number; state: ContainerState }): ContainerSummary {
  const spec = pushgateway.container(stackSchema.parse({ pushgateway: { port } }));
  return {
    id: 'c1',
    name: 'demo-pushgateway',
    image: spec.image,
    imageId: 'sha256:1',
    state,
    status: '',
    labels: { [serviceLabel]: spec.service, [specLabel]: JSON.stringify(spec) },
    createdAt: 0,
    hostPorts: [],
    networks: [],
  };
}
