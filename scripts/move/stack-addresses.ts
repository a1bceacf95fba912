import { servicePorts, type UsedService } from '../../stack/own-items.ts';
import type { Addresses } from './addresses.ts';
import { listenPort, publishedPorts } from './compose-limits.ts';
import type { ComposeProject, ComposeService } from './compose-project.ts';
import type { ImportedExporter } from './import-exporters.ts';
import type { InputFiles } from './input-files.ts';
import { soleTargets } from './job-targets.ts';
import type { FoundConfig } from './main-files.ts';
import { childOf, itemsOf, textOf } from './yaml-tree.ts';

/** Where each server and each service of compose is from now on. */
export function addAddresses(
  project: ComposeProject | undefined,
  taken: ReadonlyMap<UsedService, ComposeService>,
  exporters: ReadonlyMap<ComposeService, ImportedExporter>,
  {
    prometheusFile,
    alertmanagerFile,
    addresses,
    inputs,
    prefixes,
  }: {
    readonly prometheusFile: FoundConfig | undefined;
    readonly alertmanagerFile: FoundConfig | undefined;
    readonly addresses: Addresses;
    readonly inputs: InputFiles;
    /** The paths below which the servers answered. */
    readonly prefixes: ReadonlyMap<UsedService, string>;
  },
): void {
  const here = ['localhost', '127.0.0.1'];
  const prometheus = taken.get('prometheus');
  if (prometheusFile !== undefined && prometheus === undefined) addresses.addTaken(here, 9090, 'prometheus:9090');
  for (const [key, service] of taken) {
    const address = `${key}:${servicePorts[key]}`;
    const listen = listenPort(service, key);
    const beside = (project?.services ?? []).filter((other) => isBeside(service, other));
    const hosts = [service, ...beside].flatMap((other) => other.hosts);
    const isHere = prometheus !== undefined && (service === prometheus || beside.includes(prometheus));
    addresses.addTaken(isHere ? [...hosts, ...here] : hosts, listen, address, prefixes.get(key));
    const published = publishedPorts(service).find(({ container }) => Number(container) === listen);
    if (published !== undefined) addresses.addTaken(hostNames, Number(published.host), address, prefixes.get(key));
  }
  if (project === undefined) {
    if (prometheusFile !== undefined) addresses.addTaken(['prometheus'], 9090, 'prometheus:9090');
    if (alertmanagerFile !== undefined) addresses.addTaken(['alertmanager', ...here], 9093, 'alertmanager:9093');
    addNamesakes(inputs, prometheusFile, addresses);
    addresses.takeLocalhost();
  }
  const left = (project?.services ?? []).filter(
    (service) => ![...taken.values()].includes(service) && !exporters.has(service),
  );
  if (taken.get('prometheus')?.networks.includes('host') === true) addresses.takeLocalhost();
  for (const service of left) addresses.addLeft(service.hosts, service.networks);
  const moved = [...taken, ...[...exporters].map(([service, exporter]) => [exporter.service, service] as const)];
  for (const [key, { externalNetworks }] of moved) for (const network of externalNetworks) addresses.join(key, network);
  const hosts = left.flatMap((service) => service.hosts);
  for (const [service, exporter] of exporters) {
    const words = [...service.args, ...service.environment.values()].flatMap(({ text }) => text.split(/[^\w.-]+/));
    for (const host of hosts) {
      if (words.includes(host)) addresses.from(exporter.service, host);
    }
  }
}

/** The names of the host in containers of Docker and Podman. */
const hostNames = ['host.docker.internal', 'gateway.docker.internal', 'host.containers.internal', '172.17.0.1'];

/** Whether two services share one network stack, and with it their names and ports. */
function isBeside(service: ComposeService, other: ComposeService): boolean {
  if (service === other) return false;
  const stackOf = ({ name, networks }: ComposeService): string => {
    const [mode = ''] = networks;
    return mode === 'host' ? mode : (/^service:(.+)$/.exec(mode)?.[1] ?? name);
  };
  return stackOf(service) === stackOf(other);
}

/** Without a compose file, a job or a datasource with the name and the port of a server of the stack is about that server. */
function addNamesakes(inputs: InputFiles, prometheus: FoundConfig | undefined, addresses: Addresses): void {
  const add = (name: string, address: string): void => {
    const key = (Object.keys(servicePorts) as UsedService[]).find((service) => service === name.toLowerCase());
    const [, host, port] = /^(?:https?:\/\/)?([\w.-]+):(\d+)\/?$/.exec(address) ?? [];
    if (key === undefined || host === undefined || Number(port) !== servicePorts[key]) return;
    addresses.addTaken([host], servicePorts[key], `${key}:${servicePorts[key]}`);
  };
  for (const [target, job] of soleTargets(prometheus?.file.tree?.root)) add(job, target);
  for (const { tree } of inputs.ofKind('datasources')) {
    for (const item of itemsOf(childOf(tree?.root, 'datasources'))) {
      const [name, url] = ['name', 'url'].map((key) => textOf(childOf(item, key)) ?? '') as [string, string];
      if (prometheus !== undefined) add(name, url);
    }
  }
}
