import type { ContainerSummary, Engine } from '../engine/engine.ts';
import { roleLabel, serviceLabel, stackLabel } from '../engine/labels.ts';
import { specOf } from './names.ts';
import type { ServiceClient } from './service-client.ts';

/** Finds the containers of a stack's services and tells the client where they are; by service. */
export async function locateServices(
  engine: Pick<Engine, 'listContainers'>,
  stack: string,
  client: Pick<ServiceClient, 'locate'>,
): Promise<ReadonlyMap<string, ContainerSummary>> {
  const containers = await engine.listContainers({ [stackLabel]: stack, [roleLabel]: 'service' });
  const found = new Map(containers.map((container) => [container.labels[serviceLabel] ?? '', container]));
  for (const [service, container] of found) {
    client.locate(service, { container: container.id, ports: specOf(container)?.ports ?? [] });
  }
  return found;
}
