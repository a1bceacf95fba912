import type { Node } from 'yaml';
import type * as z from 'zod';
import type { Exporter, ExporterConfig } from '../../stack/exporters/exporter.ts';
import { byProgram } from '../../stack/exporters/process/exporter.ts';
import { configDir } from '../../stack/values/container.ts';
import { redactUrls } from '../util/redaction.ts';
import type { ComposeService, Written } from './compose-project.ts';
import { type Flags, hasSecret, wordNode } from './exporter-flags.ts';
import type { InputFiles } from './input-files.ts';
import { contentAt, filesAt, mountOf } from './mounted-files.ts';
import { listNode } from './native-config.ts';
import type { StackDraft } from './stack-draft.ts';
import { childOf, isEmpty, keyOf, pairsOf, placedAs, placeOf, stringNode, textOf, toValue } from './yaml-tree.ts';

export interface ExporterImport {
  readonly draft: StackDraft;
  readonly inputs: InputFiles;
  /** The job that scrapes nothing but it. */
  readonly job: string;
  /** The address in that job. */
  readonly target: string;
}

/** Moves what is set of an exporter into its section; false when it needs something that the section does not have. */
type Move = (
  flags: Flags,
  service: ComposeService,
  context: Moving,
) => Promise<string | undefined> | string | undefined;

interface Moving extends ExporterImport {
  readonly path: readonly string[];
  readonly exporter: Exporter;
}

/** The flags that are left go to `extra_args`, without those that promstack sets. */
export function setRest(flags: Flags, { draft, path, exporter }: Pick<Moving, 'draft' | 'path' | 'exporter'>): void {
  const nameOf = (flag: string): string => flag.replace(/^--?/, '').replace(/=[\s\S]*$/, '');
  const own = exporter.args((exporter.schema as z.ZodType<ExporterConfig>).parse({})).map(nameOf);
  for (const { text, node } of flags.takeAll((flag) => own.includes(nameOf(flag)))) {
    draft.findings.changed(`--${nameOf(text)}`, placeOf(node), path.join('.'), 'promstack sets it');
  }
  for (const { text, node } of flags.takeAll((flag) =>
    /^web\.(?:telemetry-path|route-prefix|external-url)$/.test(nameOf(flag)),
  )) {
    draft.findings.changed(
      `--${nameOf(text)}`,
      placeOf(node),
      path.join('.'),
      'the stack reads its metrics at /metrics',
    );
  }
  for (const { text, node } of flags.takeAll((flag) => /^web\.config(?:\.file)?$/.test(nameOf(flag)))) {
    const why = 'in the network of the stack Prometheus reads it without TLS and without a login';
    draft.findings.left(`--${nameOf(text)}`, placeOf(node), why);
  }
  for (const { text, node } of flags.takeAll(hasSecret)) {
    const why = 'it has a secret, and a flag cannot read one from a file';
    draft.findings.left(`--${nameOf(text)}`, placeOf(node), why);
  }
  if (flags.rest.length > 0) draft.set([...path, 'extra_args'], listNode(flags.rest.map(wordNode)));
}

const inProcess = (name: string, { environment }: ComposeService): Written | undefined => environment.get(name);

/** The password of a server in the file of redis_exporter: JSON with passwords by URLs, which may have the user. */
function passwordIn(text: string | undefined, address: string): string | undefined {
  try {
    const entries = Object.entries(JSON.parse(text ?? '{}') as Readonly<Record<string, unknown>>);
    const hostOf = (url: string): string => url.replace(/^\w+:\/\//, '').replace(/^.*@/, '');
    const [, password] = entries.find(([url]) => hostOf(url) === hostOf(address)) ?? [];
    return typeof password === 'string' ? password : undefined;
  } catch {
    return undefined;
  }
}

/** A flag that names a folder below the root of the host, as the stack's exporter has it mounted. */
function inRoot(word: string, { mounts }: ComposeService, root: string): string {
  const [, flag, path = ''] = /^([^=]+=)(\/.*)$/s.exec(word) ?? [];
  const mount = mountOf(path, mounts);
  return mount?.source === '/' ? `${flag}${root}${path.slice(mount.target.replace(/\/$/, '').length)}` : word;
}

/** How each exporter that promstack ships takes its flags and its environment. */
export const moves: Readonly<Record<string, Move>> = {
  node: (flags, service, context) => {
    const { draft, path, exporter } = context;
    if (textOf(childOf(service.node, 'network_mode')) === 'host') return "it shares the host's network";
    const [root = ''] = (exporter.host?.mounts ?? []).map(({ target }) => target);
    flags.replace((word) => inRoot(word, service, root));
    const own = flags.takeAll(
      /^--(?:path\.|web\.listen-address|collector\.filesystem\.(?:ignored-mount-points|mount-points-exclude))/,
    );
    for (const { text, node } of own)
      draft.findings.changed(text.split('=')[0] ?? '', placeOf(node), path.join('.'), 'promstack sets it');
    const collectors = flags.takeAll(/^--collector\.[a-z_]+$/);
    if (collectors.length > 0) {
      const names = collectors.map(({ text, node }) => placedAs(stringNode(text.replace('--collector.', '')), node));
      draft.set([...path, 'collectors'], listNode(names));
    }
    setRest(flags, context);
    return undefined;
  },
  redis: async (flags, service, context) => {
    const { draft, path, inputs } = context;
    const address = flags.take('redis\\.addr') ?? inProcess('REDIS_ADDR', service);
    if (address === undefined || /@/.test(address.text)) return 'its address is not set, or has a password in it';
    draft.set([...path, 'address'], placedAs(stringNode(address.text.replace(/^redis:\/\//, '')), address.node));
    const user = flags.take('redis\\.user') ?? inProcess('REDIS_USER', service);
    if (user !== undefined && user.text !== '') draft.set([...path, 'user'], wordNode(user));
    const file = flags.take('redis\\.password-file') ?? inProcess('REDIS_PASSWORD_FILE', service);
    const inFile = file && passwordIn(await contentAt(file.text, service.mounts, inputs), address.text);
    if (file !== undefined && inFile === undefined) return 'its file of passwords has none for its address';
    const password =
      flags.take('redis\\.password') ??
      inProcess('REDIS_PASSWORD', service) ??
      (inFile === undefined ? undefined : { text: inFile, node: file?.node });
    if (password !== undefined && password.text !== '') {
      const secret = draft.secret(password.text, {
        name: 'redis-password',
        what: `services.${service.name} REDIS_PASSWORD`,
        where: placeOf(password.node),
      });
      draft.set([...path, 'password'], secret);
    }
    setRest(flags, context);
    return undefined;
  },
  postgres: async (flags, service, context) => {
    const { draft, path, inputs } = context;
    const [name, uri, user, pass] = await Promise.all(
      ['NAME', 'URI', 'USER', 'PASS'].map((part) => valueOrFile(`DATA_SOURCE_${part}`, service, inputs)),
    );
    const login = user === undefined ? '' : `${encodeURIComponent(user.text)}:${encodeURIComponent(pass?.text ?? '')}@`;
    const text = name?.text ?? (uri === undefined ? undefined : `postgresql://${login}${uri.text}`);
    if (text === undefined || !/^postgres(?:ql)?:\/\//.test(text)) return 'its DATA_SOURCE_NAME is not a URL';
    const where = placeOf((name ?? uri)?.node);
    draft.set(
      [...path, 'dsn'],
      draft.secret(text, { name: 'postgres-dsn', what: `services.${service.name} DATA_SOURCE_NAME`, where }),
    );
    setRest(flags, context);
    return undefined;
  },
  mysqld: async (flags, service, context) => {
    const { draft, path, inputs } = context;
    const source = inProcess('DATA_SOURCE_NAME', service);
    const address = flags.take('mysqld\\.address');
    const username = flags.take('mysqld\\.username');
    const file = flags.take('config\\.my-cnf');
    const secret = inProcess('MYSQLD_EXPORTER_PASSWORD', service);
    const options = file === undefined ? undefined : optionsIn(await contentAt(file.text, service.mounts, inputs));
    if (options === 'other') return 'its option file has more than user, password, host, port and tls of [client]';
    const [, user, password, host] = /^([^:]+):(.*)@\(?(?:tcp\()?([^)/]+)\)*\/?/.exec(source?.text ?? '') ?? [];
    const parts =
      options ?? (source === undefined ? [username?.text, secret?.text, address?.text] : [user, password, host]);
    if (parts.some((part) => part === undefined)) {
      return 'its account is not set by DATA_SOURCE_NAME, by flags, or by a file that --config.my-cnf names';
    }
    const [login = '', word = '', server = ''] = parts;
    const dsn = `mysql://${encodeURIComponent(login)}:${encodeURIComponent(word)}@${server}`;
    const where = placeOf((file ?? source ?? secret)?.node);
    draft.set(
      [...path, 'dsn'],
      draft.secret(dsn, { name: 'mysqld-dsn', what: `services.${service.name} account`, where }),
    );
    setRest(flags, context);
    return undefined;
  },
  process: async (flags, service, context) => {
    const { draft, path, inputs } = context;
    const groups = flags.takeAll(/^--?(?:procnames|namemapping)(?:=|$)/);
    if (groups.length > 0) return 'its groups of processes are set by flags, and not in a file';
    const config = flags.take('config\\.path');
    const names = await listIn('process_names', config, service, inputs);
    if (typeof names === 'string') return names;
    const own = flags.takeAll(/^--?(?:procfs|gather-smaps|threads|remove-empty-groups)(?:=|$)/);
    for (const { text, node } of own) {
      const flag = text.replace(/^--?([\w-]+).*$/s, '--$1');
      draft.findings.changed(flag, placeOf(node), path.join('.'), 'promstack sets it');
    }
    if (names !== undefined && JSON.stringify(toValue(names)) !== JSON.stringify(byProgram)) {
      draft.set([...path, 'names'], names);
    }
    setRest(flags, context);
    return undefined;
  },
  statsd: async (flags, service, context) => {
    const { draft, path, inputs } = context;
    const mappings = await listIn('mappings', flags.take('statsd\\.mapping-config'), service, inputs);
    if (typeof mappings === 'string') return mappings;
    if (mappings !== undefined) draft.set([...path, 'mappings'], mappings);
    setRest(flags, context);
    return undefined;
  },
  nginx: (flags, service, context) => moveUrl('nginx\\.scrape-uri', flags, service, context),
  apache: (flags, service, context) => moveUrl('scrape_uri', flags, service, context),
};

/** An exporter whose only setting is the page that it reads. */
function moveUrl(flag: string, flags: Flags, service: ComposeService, context: Moving): string | undefined {
  const url = flags.take(flag) ?? inProcess('SCRAPE_URI', service);
  if (url === undefined || redactUrls(url.text) !== url.text) return 'its page is not set, or has a login in it';
  context.draft.set([...context.path, 'url'], wordNode(url));
  setRest(flags, context);
  return undefined;
}

/** A variable, or the content of the file that the variable with _FILE at its end names. */
async function valueOrFile(
  name: string,
  { environment, mounts }: ComposeService,
  inputs: InputFiles,
): Promise<Written | undefined> {
  const file = environment.get(`${name}_FILE`);
  if (file === undefined) return environment.get(name);
  const text = await contentAt(file.text, mounts, inputs);
  return text === undefined ? undefined : { text, node: file.node };
}

/** Options of MySQL that promstack writes for parameters of a URL. */
const parameters: Readonly<Record<string, string>> = {
  tls: 'tls',
  enable_cleartext_plugin: 'allowCleartextPasswords',
  ssl_ca: 'ssl-ca',
  ssl_cert: 'ssl-cert',
  ssl_key: 'ssl-key',
};

/** User, password and server of an option file of MySQL, with the parameters of its URL; `other` when it has more. */
function optionsIn(text: string | undefined): readonly (string | undefined)[] | 'other' {
  const options = new Map<string, string>();
  let section = '';
  for (const line of (text ?? '').split('\n')) {
    section = /^\s*\[(.+)\]/.exec(line)?.[1] ?? section;
    const [, key = '', value = ''] = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (section !== 'client' || key === '') continue;
    options.set(key.replaceAll('-', '_'), value.replace(/^("""|[`"'])([\s\S]*)\1$/, '$2'));
  }
  const further = [...options].filter(([key]) => !['user', 'password', 'host', 'port'].includes(key));
  // A file of its own has its place in the config of the exporter only in an export.
  const isKnown = ([key, value]: readonly [string, string]): boolean =>
    parameters[key] !== undefined && (!key.startsWith('ssl_') || value.startsWith(`${configDir}/`));
  if (!further.every(isKnown)) return 'other';
  const [user, password, host = 'localhost', port = '3306'] = ['user', 'password', 'host', 'port'].map((key) =>
    options.get(key),
  );
  const query = further.map(([key, value]) => `${parameters[key]}=${value}`).join('&');
  const server = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return [user, password, `${server}${query === '' ? '' : `/?${query}`}`];
}

/** The list that a config file of an exporter is; undefined when there is none, and why not for any other file. */
async function listIn(
  key: string,
  flag: Written | undefined,
  { mounts }: ComposeService,
  inputs: InputFiles,
): Promise<Node | string | undefined> {
  if (flag === undefined) return undefined;
  const [path] = await filesAt(flag.text, { folder: '/nowhere', inContainer: '/', mounts });
  const root = path === undefined ? undefined : (await inputs.open(path))?.tree?.root;
  if (root === undefined) return 'its config file was not found';
  const further = pairsOf(root).find((pair) => keyOf(pair) !== key && !isEmpty(pair.value));
  if (further !== undefined) return `its config file has ${keyOf(further)}, which no key of stack.yml has`;
  const list = childOf(root, key);
  return isEmpty(list) ? undefined : list;
}
