import { withAccess } from './access/access.ts';
import type { StackConfig } from './config.ts';
import type { KeyPath, Problem } from './diagnostic.ts';
import { metricsPages } from './exporters/exporters.ts';
import type { ContainerSpec } from './model.ts';
import { type Service, sectionPath } from './service.ts';
import { enabledServices, servicesOf } from './services.ts';
import { closest } from './values/closest.ts';
import { quoted } from './values/words.ts';

/** A network of the engine that services join beside the stack's own. */
export interface JoinedNetwork {
  readonly name: string;
  /** Names of services. */
  readonly services: readonly string[];
  /** The key of stack.yml that names the network. */
  readonly path: KeyPath;
  /** The key that lists the services; undefined when they are the default. */
  readonly servicesPath?: KeyPath | undefined;
}

/** What joins a network for which stack.yml names no services. */
const joining = ['prometheus'];

/** The networks that stack.yml names, in its order. */
export function joinedNetworks({ networks }: StackConfig): readonly JoinedNetwork[] {
  return networks.map((entry, at): JoinedNetwork => {
    if (typeof entry === 'string') return { name: entry, services: joining, path: ['networks', at] };
    const { name, services: listed } = entry;
    const servicesPath = listed && ['networks', at, 'services'];
    return { name, services: listed ?? joining, path: ['networks', at, 'name'], servicesPath };
  });
}

/** The container of a service, with its `access`, and connected to the networks that stack.yml names for it. */
export function containerOf(service: Service, config: StackConfig): ContainerSpec {
  const joined = joinedNetworks(config).filter((network) => network.services.includes(service.name));
  const container = withAccess(service.container(config), config);
  // Absent without any: it is part of the hash by which the containers of running stacks are compared.
  return joined.length === 0 ? container : { ...container, networks: joined.map(({ name }) => name).sort() };
}

/** How an entry for these services is written. */
export function networkEntry(name: string, joined: readonly string[]): string {
  return joined.join() === joining.join() ? name : `{name: ${name}, services: [${joined.join(', ')}]}`;
}

/** Networks that no service can join: why, and what to do. */
const refused: Readonly<Record<string, { readonly why: string; readonly hint: string }>> = {
  host: {
    why: 'a container that uses the network of the host cannot join another one',
    hint: 'remove it: services reach the ports of the host at host.docker.internal',
  },
  none: { why: 'it means that a container has no network', hint: 'remove it' },
  ...Object.fromEntries(['bridge', 'default'].map((name) => [name, defaultNetwork()])),
};

/** Why the engine's default network cannot be joined. */
export function defaultNetwork(): { readonly why: string; readonly hint: string } {
  return {
    why: "it is the engine's default network, in which names are not resolved and addresses change",
    hint: 'connect the containers to a network that you create: docker network create NAME; docker network connect NAME CONTAINER',
  };
}

/** Problems of the networks that stack.yml names, as far as they are known without the engine. */
export function networkProblems(config: StackConfig): readonly Problem[] {
  const networks = joinedNetworks(config);
  return networks.flatMap((network, at) => [
    ...nameProblems(network, networks.slice(0, at), config.name),
    ...serviceProblems(network, config),
  ]);
}

function nameProblems(
  { name, path }: JoinedNetwork,
  before: readonly JoinedNetwork[],
  stack: string,
): readonly Problem[] {
  const first = before.find((network) => network.name === name);
  if (first !== undefined) {
    return [
      {
        code: 'network-twice',
        path,
        message: `the network ${quoted(name)} is listed twice`,
        hint: 'one entry lists all services that join it',
        related: [{ path: first.path, message: 'first listed here' }],
      },
    ];
  }
  const reason = Object.hasOwn(refused, name) ? refused[name] : undefined;
  if (reason !== undefined) {
    const message = `no service can join the network ${quoted(name)}: ${reason.why}`;
    return [{ code: 'network-refused', path, message, hint: reason.hint }];
  }
  if (name !== stack) return [];
  return [
    {
      code: 'network-refused',
      path,
      message: `${quoted(name)} is the stack's own network, which all its services are in`,
      hint: 'remove it; list only networks that the stack does not create',
    },
  ];
}

function serviceProblems(network: JoinedNetwork, config: StackConfig): readonly Problem[] {
  const known = servicesOf(config);
  const names = known.map(({ name }) => name);
  const enabled = enabledServices(config).map(({ name }) => name);
  const { name, servicesPath } = network;
  return network.services.flatMap((service, at): readonly Problem[] => {
    if (enabled.includes(service)) return [];
    const path = servicesPath === undefined ? network.path : [...servicesPath, at];
    const disabled = known.find((candidate) => candidate.name === service);
    if (disabled === undefined) {
      const near = closest(service, names);
      const isPage = metricsPages.some(({ kind }) => kind === service);
      const hint = isPage
        ? `${service} has no container: name prometheus, which scrapes it`
        : near === undefined
          ? `the services are ${names.join(', ')}`
          : `did you mean ${quoted(near)}?`;
      return [{ code: 'unknown-service', path, message: `unknown service ${quoted(service)}`, hint }];
    }
    const message = `${service} is disabled, so it cannot join the network ${quoted(name)}`;
    const hint =
      servicesPath === undefined
        ? `name the services that join it: ${networkEntry(name, enabled.slice(0, 1))}`
        : `remove it here, or set \`enabled: true\` for ${service}`;
    return [{ code: 'service-disabled', path, message, hint, dependsOn: [[...sectionPath(disabled), 'enabled']] }];
  });
}
