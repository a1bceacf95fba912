import { httpClient, inlineClient, schemeOf } from '../access/access.ts';
import type { StackConfig } from '../config.ts';
import type { KeyPath } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import { prometheusSecrets } from '../prometheus/secret-fields.ts';
import { Secret } from '../secret.ts';
import { placeSecrets } from '../secrets/secret-files.ts';
import { withoutReplicaLabel } from '../swarm/replicas.ts';
import { configDir } from '../values/container.ts';
import { isMapping, type Mapping } from '../values/mapping.ts';

/** The name of the store's entry in `remote_write`, and the uid of its datasource. */
export const storeName = 'long-term';

/** The file by which promtool queries the store, beside prometheus.yml. */
export const clientPath = 'long-term-client.yml';

/** The store of `long_term`. */
export interface LongTermStore {
  /** For messages: `victoriametrics`, or the address of another. */
  readonly title: string;
  /** Whether it is a service of the stack. */
  readonly isOwn: boolean;
  readonly write: string;
  readonly read?: string | undefined;
  /** How both addresses are reached, in the syntax of Prometheus. */
  readonly client: Mapping;
  /** The same without files, for a client elsewhere. */
  readonly inline: Mapping;
  readonly remote?: NonNullable<NonNullable<StackConfig['long_term']>['remote']> | undefined;
}

export function longTermStore(config: StackConfig): LongTermStore | undefined {
  const { long_term: section, prometheus } = config;
  if (!prometheus.enabled) return undefined;
  if (section?.victoriametrics?.enabled === true) {
    const address = `${schemeOf(config, 'victoriametrics')}://victoriametrics:8428`;
    const { scheme: _, ...client } = httpClient(config, 'victoriametrics') ?? {};
    const inline = inlineClient(config, 'victoriametrics');
    return { title: 'victoriametrics', isOwn: true, write: `${address}/api/v1/write`, read: address, client, inline };
  }
  const remote = section?.remote;
  if (remote === undefined) return undefined;
  const { write, read, basic_auth, authorization, headers, tls_config } = remote;
  const named = Object.entries(headers).map(([name, value]) => [
    name,
    value instanceof Secret ? { secrets: [value] } : { values: [value] },
  ]);
  const settings = { basic_auth, authorization, tls_config };
  const client = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const whole = named.length === 0 ? client : { ...client, http_headers: Object.fromEntries(named) };
  return { title: write, isOwn: false, write, read, client: whole, inline: whole, remote };
}

/**
 * Samples wait at most 2 s for others, so that the store has them soon. A store that limits rates answers 429: without this setting
 * Prometheus would drop what it refuses.
 */
const queue = { batch_send_deadline: '2s', retry_on_http_429: true };

/** All of `remote_write`: that of stack.yml, then the entry of the store. */
export function remoteWrites(config: StackConfig): readonly Mapping[] {
  const store = longTermStore(config);
  const own = config.prometheus.remote_write;
  if (store === undefined) return own;
  const { queue_config } = store.remote ?? {};
  // Stores outside deduplicate by labels that only their users know: for them the replicas stay different.
  const write_relabel_configs = store.isOwn ? withoutReplicaLabel(config) : (store.remote?.write_relabel_configs ?? []);
  return [
    ...own,
    {
      name: storeName,
      url: store.write,
      ...store.client,
      queue_config: { ...queue, ...queue_config },
      ...(write_relabel_configs.length === 0 ? {} : { write_relabel_configs }),
    },
  ];
}

/** The file by which promtool in Prometheus's container queries the store; the secrets in it are files of Prometheus. */
export function storeFiles(config: StackConfig): readonly RenderedFile[] {
  const store = longTermStore(config);
  if (store?.read === undefined || !hasClientFile(store)) return [];
  // promtool reads relative paths from its own directory. JSON is YAML. With the address, a new one is a change that is confirmed.
  const placed = store.isOwn
    ? absolutePaths(store.client)
    : placeSecrets(store.client, ['prometheus', 'remote_write'], { ...prometheusSecrets, paths: 'absolute' });
  const content = `# How promtool queries ${store.read}\n${JSON.stringify(placed, undefined, 2)}\n`;
  return [{ service: 'prometheus', path: clientPath, content, mode: 0o444, origin: 'stack.yml' }];
}

/** A store of the stack may need neither TLS nor a login. */
const hasClientFile = ({ isOwn, client }: LongTermStore): boolean => !isOwn || Object.keys(client).length > 0;

/** The client of a store of the stack, whose files are relative to prometheus.yml. */
function absolutePaths(client: Mapping): Mapping {
  const entries = Object.entries(client).map(([key, value]): readonly [string, unknown] => {
    if (isMapping(value)) return [key, absolutePaths(value)];
    const isRelative = key.endsWith('_file') && !String(value).startsWith('/');
    return [key, isRelative ? `${configDir}/${value}` : value];
  });
  return Object.fromEntries(entries);
}

/** The config with all of `remote_write`, as it is rendered. */
export function withStore(config: StackConfig): StackConfig {
  const { prometheus } = config;
  return {
    ...config,
    prometheus: { ...prometheus, remote_write: [...remoteWrites(config)] as typeof prometheus.remote_write },
  };
}

/** The command that queries the store in Prometheus's container, which reaches it as Prometheus does. */
export function queryCommand(store: LongTermStore, expr: string): readonly string[] | undefined {
  const file = hasClientFile(store) ? [`--http.config.file=${configDir}/${clientPath}`] : [];
  const address = queryAddress(store);
  return address === undefined ? undefined : ['promtool', 'query', 'instant', '--format=json', ...file, address, expr];
}

/**
 * The same in a container of the same image that has no files of Prometheus. What the program reads from stdin has the secrets,
 * and is kept in memory only, as long as the command runs.
 */
export function queryElsewhere(
  store: LongTermStore,
  expr: string,
): { readonly argv: readonly string[]; readonly stdin: string } | undefined {
  const address = queryAddress(store);
  if (address === undefined) return undefined;
  const script = [
    'umask 077; file=/dev/shm/client-$$.yml; cat > $file',
    'promtool query instant --format=json --http.config.file=$file "$0" "$1"; code=$?',
    'rm -f $file; exit $code',
  ];
  return { argv: ['sh', '-c', script.join('\n'), address, expr], stdin: JSON.stringify(revealed(store.inline)) };
}

function queryAddress({ read }: LongTermStore): string | undefined {
  if (read === undefined) return undefined;
  // VictoriaMetrics leaves out samples of the last 30 s, unless asked not to.
  const url = new URL(read);
  url.searchParams.set('nocache', '1');
  return url.href;
}

/** A value with its secrets as strings. */
function revealed(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return value.map(revealed);
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
}

/** The key of stack.yml that a key of the rendered `remote_write` comes from. */
export function writtenKey(path: KeyPath, config: StackConfig): KeyPath {
  const [section, key, at, ...rest] = path;
  const isStore = section === 'prometheus' && key === 'remote_write' && at === config.prometheus.remote_write.length;
  const store = isStore ? longTermStore(config) : undefined;
  if (store === undefined) return path;
  if (store.isOwn) return ['long_term', 'victoriametrics'];
  const [first, ...others] = rest;
  const names: Readonly<Record<string, string>> = { url: 'write', http_headers: 'headers' };
  const written = names[String(first)] ?? first;
  return ['long_term', 'remote', ...(written === undefined ? [] : [written]), ...others];
}
