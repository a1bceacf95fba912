import type { ContainerSummary, Engine } from '../engine/engine.ts';
import { roleLabel, serviceLabel, stackLabel } from '../engine/labels.ts';
import { names, specOf } from '../state/names.ts';

/** A container that answers to the name of a service on a network of the stack. */
export interface NameClash {
  readonly service: string;
  /** The name that both answer to. */
  readonly alias: string;
  readonly container: string;
  readonly network: string;
}

/** The engines' default networks, which resolve no names. */
const withoutDns = ['bridge', 'podman', 'host', 'none'];

/**
 * Containers that are not of the stack and have the name of one of its services in the DNS of a network that the services
 * use: the servers of the stack then reach one or the other, as it happens.
 */
export async function nameClashes(
  engine: Pick<Engine, 'kind' | 'listContainers' | 'inspectContainer'>,
  stack: string,
): Promise<readonly NameClash[]> {
  const running = (await engine.listContainers({})).filter(({ state }) => state === 'running');
  const own = running.filter(
    ({ name, labels }) =>
      labels[stackLabel] === stack &&
      labels[roleLabel] === 'service' &&
      name === names.container(stack, labels[serviceLabel] ?? ''),
  );
  const services = new Map(
    own.map((container) => {
      const service = container.labels[serviceLabel] ?? '';
      return [specOf(container)?.hostname ?? service, service];
    }),
  );
  // In the networks of stack.yml a service finds the others by links, before any other container of these names.
  const linked = (container: ContainerSummary): readonly string[] =>
    engine.kind === 'podman' ? [] : (specOf(container)?.networks ?? []);
  const networks = new Set(
    own.flatMap((container) => container.networks.filter((network) => !linked(container).includes(network))),
  );
  for (const network of withoutDns) networks.delete(network);
  const strangers = running.filter(
    (container) => !own.includes(container) && container.networks.some((network) => networks.has(network)),
  );
  const clashes = strangers.map(async ({ id, name }): Promise<readonly NameClash[]> => {
    const details = await engine.inspectContainer(id);
    return Object.entries(details?.networks ?? {}).flatMap(([network, { aliases }]) =>
      networks.has(network)
        ? [...new Set([name, ...aliases].map((alias) => alias.toLowerCase()))].flatMap((alias) => {
            const service = services.get(alias);
            return service === undefined ? [] : [{ service, alias, container: name, network }];
          })
        : [],
    );
  });
  return (await Promise.all(clashes)).flat();
}

/** The problem in words, and what to try. */
export function explainClash({ alias, container, network }: NameClash): { why: string; tryThis: string } {
  return {
    why: `the container ${container}, which is not part of the stack, answers to the name ${alias} on the network ${network}: requests may reach either`,
    tryThis: `docker network disconnect ${network} ${container}, or give it another name and alias`,
  };
}
