import type { Node } from 'yaml';
import type { UsedService } from '../../stack/own-items.ts';
import { defaultImages } from '../../stack/values/default-images.ts';
import { isPlainSecret } from '../config/plain-secrets.ts';
import { hardening, hostGateway } from '../engine/docker/create-options.ts';
import { redactUrls } from '../util/redaction.ts';
import { imageNode, repositoryOf } from './compose-image.ts';
import { flagsOf, importPorts, importResources } from './compose-limits.ts';
import type { ComposeService } from './compose-project.ts';
import { listNode } from './native-config.ts';
import type { StackDraft } from './stack-draft.ts';
import { childOf, keyOf, pairsOf, placedAs, placeOf, stringNode, textOf, toValue } from './yaml-tree.ts';

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
    'web.route-prefix': { why: itself },
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

/** What all containers of a stack have, as compose writes it. */
const usual: Readonly<Record<string, unknown>> = {
  cap_drop: hardening.CapDrop,
  security_opt: hardening.SecurityOpt,
  pids_limit: String(hardening.PidsLimit),
  read_only: 'true',
  extra_hosts: [`host.docker.internal:${hostGateway}`],
  logging: { driver: hardening.LogConfig.Type, options: hardening.LogConfig.Config },
};

/** Why a key of a compose service is not in the stack. */
const lost: Readonly<Record<string, string>> = {
  build: 'a stack runs images',
  cap_add: 'containers of a stack have no capabilities',
  entrypoint: 'a stack runs the program of the image',
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
  'labels',
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
  importResources(service, [name], draft);
  importFlags(service, name, draft);
  importEnvironment(service, name, draft);
  for (const pair of pairsOf(service.node)) {
    const key = keyOf(pair);
    if (handled.has(key)) continue;
    const what = `services.${service.name}.${key}`;
    const isUsual = JSON.stringify(toValue(pair.value)) === JSON.stringify(usual[key]);
    const ownWay = isUsual ? itself : ownWays[key];
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
    } else if (variable === 'GOMEMLIMIT') {
      const why = 'promstack sets it to 90 % of the memory limit';
      draft.findings.changed(what, placeOf(node) ?? where, `${name}.resources.memory`, why);
    } else if (name !== 'grafana') {
      draft.findings.left(what, placeOf(node) ?? where, 'stack.yml has no variables for this server');
    }
  }
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
