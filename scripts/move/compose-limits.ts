import { type Node, Pair } from 'yaml';
import { servicePorts, type UsedService } from '../../stack/own-items.ts';
import type { ComposeService, Written } from './compose-project.ts';
import type { StackDraft } from './stack-draft.ts';
import {
  childOf,
  itemsOf,
  keyOf,
  mapOf,
  pairsOf,
  placedAs,
  placeOf,
  plainNode,
  stringNode,
  textOf,
} from './yaml-tree.ts';

/** The flag of a command: its name and its value. */
export interface Flag {
  readonly name: string;
  readonly value: string | undefined;
  readonly written: Written;
}

/** The flags of a server's command line. */
export function flagsOf({ args }: Pick<ComposeService, 'args'>): readonly Flag[] {
  const all: Flag[] = [];
  for (let at = 0; at < args.length; at++) {
    const written = args[at] as Written;
    const [, name, value] = /^--?([\w.-]+)(?:=([\s\S]*))?$/.exec(written.text) ?? [];
    if (name === undefined) continue;
    const next = args[at + 1];
    const isNext = value === undefined && next !== undefined && !next.text.startsWith('-');
    if (isNext) at++;
    all.push({ name, value: value ?? (isNext ? next.text : undefined), written });
  }
  return all;
}

/** The port on which a server of compose listens. */
export function listenPort(service: ComposeService, name: UsedService): number {
  const address = flagsOf(service).find((flag) => flag.name === 'web.listen-address')?.value;
  const port = address ?? service.environment.get('GF_SERVER_HTTP_PORT')?.text ?? '';
  return Number(/(\d+)$/.exec(port)?.[1] ?? servicePorts[name]);
}

/** The path below which a server of compose answers. */
export function pathPrefix(service: ComposeService): string {
  const flag = (name: string): string | undefined => flagsOf(service).find((own) => own.name === name)?.value;
  const path = flag('web.route-prefix') ?? pathOf(flag('web.external-url'));
  return path.replace(/^\/*(?=.)/, '/').replace(/\/+$/, '');
}

/** The path of a URL; its host may have variables of Grafana, such as `%(domain)s`. */
export const pathOf = (url = ''): string =>
  /^[^:/?#]+:\/\/[^/?#]*([^?#]*)/.exec(url)?.[1] ?? (url.startsWith('/') ? url : '');

interface PublishedPort {
  readonly host: string;
  readonly container: string;
  readonly address: string | undefined;
  readonly node: Node;
}

export function publishedPorts(service: ComposeService): readonly PublishedPort[] {
  return itemsOf(childOf(service.node, 'ports')).flatMap((node): readonly PublishedPort[] => {
    const [, six, four, short, inside] =
      /^(?:(?:\[([^\]]+)\]|(\d+(?:\.\d+){3})):)?(?:(\d+):)?(\d+)(?:\/tcp)?$/.exec(textOf(node) ?? '') ?? [];
    const host = short ?? textOf(childOf(node, 'published'));
    const container = inside ?? textOf(childOf(node, 'target'));
    const address = six ?? four ?? textOf(childOf(node, 'host_ip'));
    return host === undefined || container === undefined ? [] : [{ host, container, address, node }];
  });
}

export function importPorts(service: ComposeService, name: UsedService, draft: StackDraft): void {
  const all = publishedPorts(service);
  const listen = listenPort(service, name);
  const port = all.find(({ container }) => Number(container) === listen);
  for (const node of itemsOf(childOf(service.node, 'ports'))) {
    if (node === port?.node) continue;
    draft.findings.left(
      `services.${service.name}.ports ${textOf(node) ?? ''}`,
      placeOf(node),
      'a service publishes one port',
    );
  }
  if (port === undefined) return;
  if (Number(port.host) !== servicePorts[name]) draft.set([name, 'port'], placedAs(plainNode(port.host), port.node));
  draft.findings.taken(`services.${service.name}.ports`, placeOf(port.node), `${name}.port`);
}

/** One address for the ports of all services: that of compose, when it publishes all of them on the same. */
export function importBind(services: readonly (readonly [ComposeService, UsedService])[], draft: StackDraft): void {
  const ports = services.map(([service, name]) => {
    const port = publishedPorts(service).find(({ container }) => Number(container) === listenPort(service, name));
    return { service, name, port, address: port === undefined ? '127.0.0.1' : (port.address ?? '0.0.0.0') };
  });
  const addresses = [...new Set(ports.map(({ address }) => address))];
  const [only] = addresses;
  if (addresses.length === 1 && only !== undefined && only !== '127.0.0.1') {
    draft.set(['bind'], stringNode(only));
    return;
  }
  for (const { service, name, port, address } of ports) {
    const where = placeOf(port?.node) ?? service.where;
    const what = `services.${service.name}.ports`;
    if (port === undefined) {
      draft.findings.changed(what, where, `${name}.port`, 'it was not published; the stack publishes it on 127.0.0.1');
    } else if (addresses.length > 1 && address !== '127.0.0.1') {
      const why = `it was published on ${address}; the stack publishes all ports on one address, 127.0.0.1 unless you set "bind"`;
      draft.findings.changed(what, where, 'bind', why);
    }
  }
}

/** The port and the limits of a service whose other keys of compose are those of all containers. */
export function importPublished(
  service: ComposeService,
  path: readonly string[],
  listen: number,
  draft: StackDraft,
): void {
  const port = publishedPorts(service).find(({ container }) => Number(container) === listen);
  if (port !== undefined) {
    draft.set([...path, 'port'], placedAs(plainNode(port.host), port.node));
    draft.findings.taken(`services.${service.name}.ports`, placeOf(port.node), `${path.join('.')}.port`);
  }
  importResources(service, path, draft);
}

export function importResources({ name: own, node }: ComposeService, path: readonly string[], draft: StackDraft): void {
  const limits = childOf(node, 'deploy', 'resources', 'limits');
  const resources = mapOf();
  for (const [key, value] of [
    ['memory', childOf(limits, 'memory') ?? childOf(node, 'mem_limit')],
    ['cpus', childOf(limits, 'cpus') ?? childOf(node, 'cpus')],
  ] as const) {
    const text = textOf(value);
    if (text === undefined) continue;
    resources.items.push(
      new Pair(stringNode(key), placedAs(key === 'cpus' ? plainNode(text) : stringNode(text), value)),
    );
    draft.findings.taken(`services.${own}.${key}`, placeOf(value), `${path.join('.')}.resources.${key}`);
  }
  if (resources.items.length > 0) draft.set([...path, 'resources'], resources);
  for (const pair of pairsOf(childOf(node, 'deploy'))) {
    const isLimits = keyOf(pair) === 'resources' && pairsOf(pair.value).every((inner) => keyOf(inner) === 'limits');
    if (!isLimits)
      draft.findings.left(`services.${own}.deploy.${keyOf(pair)}`, placeOf(pair.key), 'a stack runs on one engine');
  }
}
