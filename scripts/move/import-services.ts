import { type Node, Pair } from 'yaml';
import { servicePorts, type UsedService } from '../../stack/own-items.ts';
import { defaultImages } from '../../stack/values/default-images.ts';
import { isPlainSecret } from '../config/plain-secrets.ts';
import { redactUrls } from '../util/redaction.ts';
import { imageNode, repositoryOf } from './compose-image.ts';
import type { ComposeService, Written } from './compose-project.ts';
import { listNode } from './native-config.ts';
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

const repositories: Readonly<Record<string, UsedService>> = {
  'prom/prometheus': 'prometheus',
  'prom/alertmanager': 'alertmanager',
  'prom/pushgateway': 'pushgateway',
  'grafana/grafana': 'grafana',
  'grafana/grafana-oss': 'grafana',
  'grafana/grafana-enterprise': 'grafana',
};

/** The service of a stack that runs an image. */
export const serviceOf = (image: string): UsedService | undefined => repositories[repositoryOf(image)];

/** Where a flag goes. */
interface FlagPlace {
  /** The key below the section of the service. */
  readonly key?: readonly string[];
  /** Why it is not in the stack. */
  readonly why?: string;
  /** The value of a key for a flag without a value. */
  readonly value?: string;
}

const itself = 'promstack sets it';
const inImage = 'its files are in the image, and later versions do not have the flag';
const alone = 'the stack has one Alertmanager, without a cluster';
const flags: Readonly<Record<UsedService, Readonly<Record<string, FlagPlace>>>> = {
  prometheus: {
    'config.file': { why: itself },
    'storage.tsdb.path': { why: itself },
    'storage.agent.path': { why: itself },
    'storage.tsdb.retention': { key: ['retention', 'time'] },
    'storage.tsdb.retention.time': { key: ['retention', 'time'] },
    'storage.tsdb.retention.size': { key: ['retention', 'size'] },
    'web.external-url': { key: ['external_url'] },
    'web.enable-lifecycle': { why: itself },
    'web.listen-address': { why: itself },
    'web.route-prefix': { why: 'a reverse proxy must strip the path of external_url' },
    'web.console.libraries': { why: inImage },
    'web.console.templates': { why: inImage },
    agent: { key: ['mode'], value: 'agent' },
  },
  alertmanager: {
    'config.file': { why: itself },
    'storage.path': { why: itself },
    'data.retention': { key: ['retention'] },
    'web.external-url': { key: ['external_url'] },
    'web.listen-address': { why: itself },
    'web.route-prefix': { why: 'a reverse proxy must strip the path of external_url' },
    'cluster.listen-address': { why: alone },
    'cluster.advertise-address': { why: alone },
    'cluster.peer': { why: alone },
  },
  pushgateway: {
    'persistence.file': { why: itself },
    'persistence.interval': { key: ['persistence', 'interval'] },
    'web.listen-address': { why: itself },
    'web.enable-admin-api': { key: ['admin_api'], value: 'true' },
  },
  grafana: {},
};

/** What a stack has in place of a key of a compose service. */
const ownWays: Readonly<Record<string, string>> = {
  container_name: 'the container is named after the stack and the service',
  depends_on: 'promstack starts the services in their order',
  expose: 'it has no effect',
  healthcheck: 'promstack asks the server itself',
  hostname: 'the service has its own name in the network of the stack',
  networks: 'the stack has a network of its own',
  network_mode: 'the stack has a network of its own',
  profiles: 'the service starts with the stack',
  restart: 'all containers restart unless they are stopped',
  stop_grace_period: itself,
  user: 'all services run as the users of their images',
};

/** Why a key of a compose service is not in the stack. */
const lost: Readonly<Record<string, string>> = {
  build: 'a stack runs images',
  cap_add: 'containers of a stack have no capabilities',
  entrypoint: 'a stack runs the program of the image',
  labels: 'labels in stack.yml are for all containers',
  logging: 'the containers log as the engine does by default',
};

const handled = new Set([
  'image',
  'command',
  'ports',
  'deploy',
  'mem_limit',
  'cpus',
  'volumes',
  'environment',
  'env_file',
  'extends',
  'secrets',
  'configs',
]);

/** Moves a service of compose into its section; its config file and its environment follow later. */
export function importService(service: ComposeService, name: UsedService, draft: StackDraft): void {
  const { findings } = draft;
  draft.section(name);
  const image = imageNode(service, draft, name, defaultImages[name]);
  if (image !== undefined) draft.set([name, 'image'], image);
  importPorts(service, name, draft);
  importResources(service, name, draft);
  importFlags(service, name, draft);
  importEnvironment(service, name, draft);
  for (const pair of pairsOf(service.node)) {
    const key = keyOf(pair);
    if (handled.has(key)) continue;
    const what = `services.${service.name}.${key}`;
    const ownWay = ownWays[key];
    if (ownWay !== undefined) findings.changed(what, placeOf(pair.key), undefined, ownWay);
    else findings.left(what, placeOf(pair.key), lost[key] ?? 'no key of stack.yml has it');
  }
}

/** Of variables, stack.yml has those of Grafana, which follow later, and the time zone of all containers. */
function importEnvironment(
  { name: own, environment, where }: ComposeService,
  name: UsedService,
  draft: StackDraft,
): void {
  for (const [variable, { text, node }] of environment) {
    const what = `services.${own}.environment.${variable}`;
    if (variable === 'TZ' && text !== '') {
      const zone = childOf(draft.root, 'timezone');
      if (zone === undefined) draft.set(['timezone'], placedAs(stringNode(text), node));
      if (zone === undefined || textOf(zone) === text) draft.findings.taken(what, placeOf(node) ?? where, 'timezone');
      else draft.findings.left(what, placeOf(node) ?? where, `all containers of a stack have one, ${textOf(zone)}`);
    } else if (name !== 'grafana') {
      draft.findings.left(what, placeOf(node) ?? where, 'stack.yml has no variables for this server');
    }
  }
}

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

function importFlags(service: ComposeService, name: UsedService, draft: StackDraft): void {
  const rest: Node[] = [];
  for (const { name: flag, value, written } of flagsOf(service)) {
    const what = `--${flag}`;
    const where = placeOf(written.node);
    const isAgent = flag === 'enable-feature' && value === 'agent';
    const place = flags[name][isAgent ? 'agent' : flag];
    if (value !== undefined && (redactUrls(value) !== value || isPlainSecret(value, flag))) {
      draft.findings.left(what, where, 'it has a secret, and a flag cannot read one from a file');
    } else if (place === undefined) {
      const isFile = flag === 'web.config.file';
      if (isFile)
        draft.findings.left(what, where, 'copy the file, name it in "files", and set the flag in "extra_args"');
      else {
        rest.push(placedAs(stringNode(value === undefined ? what : `${what}=${value}`), written.node));
        draft.findings.taken(what, where, `${name}.extra_args`);
      }
    } else if (place.key === undefined) {
      draft.findings.changed(what, where, undefined, place.why ?? itself);
    } else if (place.key[0] === 'external_url' && !/^https?:\/\/[^/]/.test(value ?? '')) {
      draft.findings.left(what, where, 'it is not a URL with a host');
    } else {
      draft.set([name, ...place.key], placedAs(stringNode(place.value ?? value ?? ''), written.node));
      draft.findings.taken(what, where, [name, ...place.key].join('.'));
    }
  }
  if (rest.length > 0) draft.set([name, 'extra_args'], listNode(rest));
}

/** The port on which a server of compose listens. */
export function listenPort(service: ComposeService, name: UsedService): number {
  const address = flagsOf(service).find((flag) => flag.name === 'web.listen-address')?.value;
  const port = address ?? service.environment.get('GF_SERVER_HTTP_PORT')?.text ?? '';
  return Number(/(\d+)$/.exec(port)?.[1] ?? servicePorts[name]);
}

interface PublishedPort {
  readonly host: string;
  readonly container: string;
  readonly address: string | undefined;
  readonly node: Node;
}

function publishedPorts(service: ComposeService): readonly PublishedPort[] {
  return itemsOf(childOf(service.node, 'ports')).flatMap((node): readonly PublishedPort[] => {
    const [, six, four, short, inside] =
      /^(?:(?:\[([^\]]+)\]|(\d+(?:\.\d+){3})):)?(?:(\d+):)?(\d+)(?:\/tcp)?$/.exec(textOf(node) ?? '') ?? [];
    const host = short ?? textOf(childOf(node, 'published'));
    const container = inside ?? textOf(childOf(node, 'target'));
    const address = six ?? four ?? textOf(childOf(node, 'host_ip'));
    return host === undefined || container === undefined ? [] : [{ host, container, address, node }];
  });
}

function importPorts(service: ComposeService, name: UsedService, draft: StackDraft): void {
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

function importResources({ name: own, node }: ComposeService, name: UsedService, draft: StackDraft): void {
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
    draft.findings.taken(`services.${own}.${key}`, placeOf(value), `${name}.resources.${key}`);
  }
  if (resources.items.length > 0) draft.set([name, 'resources'], resources);
  for (const pair of pairsOf(childOf(node, 'deploy'))) {
    const isLimits = keyOf(pair) === 'resources' && pairsOf(pair.value).every((inner) => keyOf(inner) === 'limits');
    if (!isLimits)
      draft.findings.left(`services.${own}.deploy.${keyOf(pair)}`, placeOf(pair.key), 'a stack runs on one engine');
  }
}
