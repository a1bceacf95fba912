import type { StackConfig } from '../config.ts';
import { joinedNetworks, networkEntry } from '../networks.ts';
import { andList, counted, listedNames, quoted } from '../values/words.ts';

type Labels = Readonly<Record<string, string>>;

/** A container of the engine, as far as it matters for scraping it. */
export interface ScrapableContainer {
  readonly name: string;
  readonly labels: Labels;
  readonly state: string;
  /** Names of the networks it is connected to; `host` for one that uses that of the engine's host. */
  readonly networks: readonly string[];
  /** The TCP ports of the host that it publishes; an empty address is every one. */
  readonly hostPorts: readonly { readonly address: string; readonly port: number; readonly containerPort: number }[];
  /** The TCP ports that it or its image exposes. */
  readonly exposedPorts: readonly number[];
  /** Its name in these networks: its own, or that of the container whose network it uses. */
  readonly hostname: string;
}

/** A group of a target file, with one target. */
interface TargetGroup {
  readonly targets: readonly [string];
  readonly labels: Labels;
}

/** Containers that ask to be scraped and are not; `why` is about each of them. */
export interface Unscraped {
  readonly containers: readonly string[];
  readonly why: string;
  readonly tryThis: string;
}

export interface Discovered {
  /** In the order of the containers' names. */
  readonly groups: readonly TargetGroup[];
  readonly unscraped: readonly Unscraped[];
}

const labelOf = (key: string): string => `prometheus.io/${key}`;
const scrape = labelOf('scrape');
const project = 'com.docker.compose.project';
const service = 'com.docker.compose.service';

/** Whether a container says that it is scraped, or not. */
export function isLabelled({ labels }: Pick<ScrapableContainer, 'labels'>): boolean {
  return scrape in labels;
}

/** The targets among containers, none of which is of the stack; `networks` are those of its Prometheus. */
export function discoverTargets(
  containers: readonly ScrapableContainer[],
  networks: readonly string[],
  config: StackConfig,
): Discovered {
  const { projects, networks: onlyIn } = config.discovery ?? {};
  const chosen = containers
    .filter(
      (container) =>
        isLabelled(container) &&
        container.labels[scrape] !== 'false' &&
        ['running', 'paused', 'restarting'].includes(container.state) &&
        (projects?.includes(container.labels[project] ?? '') ?? true) &&
        (onlyIn === undefined || container.networks.some((network) => onlyIn.includes(network))),
    )
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const results = chosen.map((container) => ({ container, result: targetOf(container, networks, config) }));
  const refused = new Map<string, Unscraped>();
  for (const { container, result } of results) {
    // One that restarts publishes no port at the moment.
    if ('targets' in result || container.state !== 'running') continue;
    const key = JSON.stringify(result);
    refused.set(key, { ...result, containers: [...(refused.get(key)?.containers ?? []), container.name] });
  }
  return {
    groups: results.flatMap(({ result }) => ('targets' in result ? [result] : [])),
    unscraped: [...refused.values()],
  };
}

/** `the container shop-app-1 is not scraped: it exposes no port`. */
export function explainUnscraped({ containers, why }: Unscraped): string {
  const names = listedNames(containers);
  return containers.length === 1
    ? `the container ${names} is not scraped: ${why}`
    : `${counted(containers.length, 'container')} (${names}) are not scraped: ${why}`;
}

type Refusal = Pick<Unscraped, 'why' | 'tryThis'>;

function targetOf(
  container: ScrapableContainer,
  networks: readonly string[],
  config: StackConfig,
): TargetGroup | Refusal {
  const settings = readLabels(container.labels);
  if ('why' in settings) return settings;
  const port = settings.port ?? portOf(container);
  if (typeof port === 'object') return port;
  const address = addressOf(container, port, networks);
  if (address === undefined) return unreachable(container, port, networks, config);
  const own = {
    // The same however it is reached.
    instance: `${container.name}:${port}`,
    job: settings.job,
    __scheme__: settings.scheme,
    __metrics_path__: settings.path,
    ...settings.params,
    compose_project: container.labels[project],
    compose_service: container.labels[service],
  };
  const labels = Object.entries(own).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return { targets: [address], labels: Object.fromEntries(labels) };
}

interface Settings {
  readonly port?: number | undefined;
  readonly scheme?: string | undefined;
  readonly path?: string | undefined;
  /** The parameters of the path, as labels. */
  readonly params: Labels;
  readonly job?: string | undefined;
}

/** What is wrong with a label's value, and what to write; by the label. */
const mistakes: Readonly<Record<string, { isValid(value: string): boolean; readonly hint: string }>> = {
  scrape: { isValid: (value) => value === 'true', hint: 'write "true" or "false"' },
  port: {
    isValid: (value) => /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535,
    hint: 'write the port in the container at which it serves metrics, from 1 to 65535',
  },
  scheme: { isValid: (value) => value === 'http' || value === 'https', hint: 'write http or https' },
  path: {
    isValid: (value) => /^\/[^\s#]*$/.test(value) && paramsOf(value).every(([name]) => /^[a-zA-Z_]\w*$/.test(name)),
    hint: 'write a path such as /metrics; the names of parameters after "?" are letters, digits and _',
  },
  job: { isValid: (value) => value.trim() !== '', hint: 'write a name, or remove the label' },
};

function readLabels(labels: Labels): Settings | Refusal {
  for (const [key, { isValid, hint }] of Object.entries(mistakes)) {
    const value = labels[labelOf(key)];
    if (value === undefined || isValid(value)) continue;
    return { why: `its label ${labelOf(key)} is ${quoted(value)}`, tryThis: `${hint}, and recreate the container` };
  }
  const [path, port] = [labels[labelOf('path')], labels[labelOf('port')]];
  return {
    port: port === undefined ? undefined : Number(port),
    scheme: labels[labelOf('scheme')],
    path: path?.split('?')[0],
    // A target has one value of each.
    params: Object.fromEntries(paramsOf(path ?? '').map(([name, value]) => [`__param_${name}`, value])),
    job: labels[labelOf('job')],
  };
}

function paramsOf(path: string): readonly (readonly [string, string])[] {
  return [...new URLSearchParams(path.split('?').slice(1).join('?'))];
}

/** The only port that a container exposes. */
function portOf({ exposedPorts }: ScrapableContainer): number | Refusal {
  const ports = exposedPorts.toSorted((a, b) => a - b);
  const [only] = ports;
  if (only !== undefined && ports.length === 1) return only;
  const why = only === undefined ? 'it exposes no port' : `it exposes the ports ${andList(ports.map(String), '')}`;
  const example = `${labelOf('port')}: "${only ?? 8080}"`;
  return { why: `${why}, and does not name the one with metrics`, tryThis: `add the label ${example} with that port` };
}

/** Networks in which names are not resolved. */
const withoutNames = ['bridge', 'podman', 'host', 'none'];
const hostGateway = 'host.docker.internal';

/** The address at which Prometheus reaches a port of a container; undefined when it does not. */
function addressOf(
  { hostname, networks: own, hostPorts }: ScrapableContainer,
  port: number,
  networks: readonly string[],
): string | undefined {
  if (own.some((network) => networks.includes(network) && !withoutNames.includes(network)))
    return `${hostname}:${port}`;
  if (own.includes('host')) return `${hostGateway}:${port}`;
  const published = hostPorts.filter(({ containerPort, address }) => containerPort === port && !isLoopback(address));
  const everywhere = published.find(({ address }) => ['', '0.0.0.0', '::'].includes(address));
  if (everywhere !== undefined) return `${hostGateway}:${everywhere.port}`;
  const [first] = published;
  if (first === undefined) return undefined;
  return `${first.address.includes(':') ? `[${first.address}]` : first.address}:${first.port}`;
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

function unreachable(
  { networks: own, hostPorts }: ScrapableContainer,
  port: number,
  networks: readonly string[],
  config: StackConfig,
): Refusal {
  const common = networks.find((candidate) => !withoutNames.includes(candidate)) ?? config.name;
  if (own.length === 0 || own.includes('none')) {
    return { why: 'it has no network', tryThis: `run it in a network of Prometheus, such as ${common}` };
  }
  const local = hostPorts.find(({ containerPort }) => containerPort === port);
  const publishes =
    local === undefined ? `publishes no port ${port}` : `publishes port ${port} on ${local.address} only`;
  const why = `Prometheus is in none of its networks (${own.toSorted().join(', ')}), and it ${publishes}`;
  const network = own.toSorted().find((candidate) => !withoutNames.includes(candidate));
  if (network !== undefined)
    return { why, tryThis: `in stack.yml, ${networksLine(network, config)}, then promstack up` };
  return { why, tryThis: `connect it to a network of Prometheus: docker network connect ${common} CONTAINER` };
}

/** The key `networks` of stack.yml with one more network for Prometheus. */
function networksLine(network: string, config: StackConfig): string {
  const entries = joinedNetworks(config);
  const present = entries.some(({ name }) => name === network);
  const all = present ? entries : [...entries, { name: network, services: [] }];
  const written = all.map(({ name, services }) =>
    networkEntry(name, name === network ? [...new Set([...services, 'prometheus'])] : services),
  );
  return `write \`networks: [${written.join(', ')}]\``;
}
