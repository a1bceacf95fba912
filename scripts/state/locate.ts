import type { ContainerSummary, Engine } from '../engine/engine.ts';
import { roleLabel, serviceLabel, stackLabel } from '../engine/labels.ts';
import { specOf } from './names.ts';
import { locationOf, type ServiceClient } from './service-client.ts';

/** Finds the containers of a stack's services, by service, and passes their locations to the client. */
export async function locateServices(
  engine: Pick<Engine, 'listContainers'>,
  stack: string,
  client: Pick<ServiceClient, 'locate'>,
): Promise<ReadonlyMap<string, ContainerSummary>> {
  const containers = await engine.listContainers({ [stackLabel]: stack, [roleLabel]: 'service' });
  const byService = new Map(containers.map((container) => [container.labels[serviceLabel] ?? '', container]));
  for (const [service, container] of byService) {
    client.locate(service, locationOf(container.id, specOf(container), stack));
  }
  return byService;
}
