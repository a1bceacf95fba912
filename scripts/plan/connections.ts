import { exporters } from '../../stack/exporters/exporters.ts';
import { exporterHost } from '../../stack/exporters/services.ts';
import { hostnameOf } from '../../stack/model.ts';
import { services } from '../../stack/services.ts';
import type { Connections, ContainerSummary } from '../engine/engine.ts';
import { names, specOf } from '../state/names.ts';
import type { Desired, DesiredService } from './desired.ts';
import type { Observed, ObservedService } from './observed.ts';

/** The networks that a service's container was connected to by hand, with `docker network connect`. */
export function manualConnections(container: ContainerSummary, own: string): readonly string[] {
  const spec = specOf(container);
  const created = [own, ...(spec?.networks ?? [])];
  return spec === undefined ? [] : container.networks.filter((network) => !created.includes(network));
}

/** The networks of a container's manual connections that were removed since; only a stopped one can have such. */
export function goneNetworks(current: ObservedService, own: string, networks: Observed['networks']): readonly string[] {
  return manualConnections(current.container, own).filter((manual) => !networks.some(({ name }) => name === manual));
}

export function whyGone(network: string): string {
  return `the network ${network}, which it was connected to by hand, no longer exists`;
}

/** What a new container of a service is connected to beside the stack's own network. */
export interface NewConnections {
  /** Those of stack.yml, and those that were made by hand. */
  readonly connections: Connections;
  /** Networks of manual connections that no longer exist. */
  readonly gone: readonly string[];
}

/** The connections of a service's new container: none that was made by hand is lost when it is recreated or rolled back. */
export function connectionsOf(
  { spec, connections: restored = {} }: DesiredService,
  current: ObservedService | undefined,
  { stack, networks }: Pick<Observed, 'stack' | 'networks'>,
): NewConnections {
  const own = names.network(stack);
  const planned = spec.networks ?? [];
  const manual = current === undefined ? [] : manualConnections(current.container, own);
  const kept = [...new Set([...Object.keys(restored), ...manual])].filter((name) => !planned.includes(name));
  const isGone = (wanted: string): boolean => !networks.some(({ name }) => name === wanted);
  const before: Connections = { ...current?.details?.networks, ...restored };
  const connections = [...planned, ...kept.filter((name) => !isGone(name))].map((name) => {
    const { aliases = [], settings } = before[name] ?? {};
    // The engine has made the host name of a container without further networks a name in those it was connected to by hand.
    const isName = (alias: string): boolean => !(planned.includes(name) && alias === hostnameOf(spec));
    return [name, { aliases: aliases.filter(isName), settings }] as const;
  });
  return { connections: Object.fromEntries(connections), gone: kept.filter(isGone) };
}

/** The containers of a stack by the names under which they find each other, also those that later changes may add. */
export function linksOf({
  stack,
  services: desired,
}: Pick<Desired, 'stack'> & { readonly services: readonly Pick<DesiredService, 'spec'>[] }): Readonly<
  Record<string, string>
> {
  const linked = [
    ...services.map(({ name }) => [name, name] as const),
    ...exporters.map(({ kind }) => [exporterHost(kind), kind] as const),
    ...desired.map(({ spec }) => [hostnameOf(spec), spec.service] as const),
  ];
  return Object.fromEntries(linked.map(([host, service]) => [host, names.container(stack, service)]));
}
