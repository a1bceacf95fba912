import type { Node } from 'yaml';
import { isMap, Pair } from 'yaml';
import { exporters } from '../../stack/exporters/exporters.ts';
import { findExporter } from '../../stack/exporters/services.ts';
import { findService } from '../../stack/services.ts';
import { isPlainSecret } from '../config/plain-secrets.ts';
import { redactUrls } from '../util/redaction.ts';
import { imageNode, repositoryOf } from './compose-image.ts';
import type { ComposeService, Written } from './compose-project.ts';
import type { InputFiles } from './input-files.ts';
import { filesAt } from './mounted-files.ts';
import { listNode } from './native-config.ts';
import type { StackDraft } from './stack-draft.ts';
import {
  childOf,
  isEmpty,
  mapOf,
  pairOf,
  pairsOf,
  placedAs,
  placeOf,
  plainNode,
  stringNode,
  textOf,
} from './yaml-tree.ts';

/** An exporter that the stack runs in place of a service of compose. */
export interface ImportedExporter {
  /** The name of the job that scrapes it. */
  readonly job: string;
  /** The name that its job has without settings. */
  readonly jobName: string;
  /** Its address in the stack. */
  readonly address: string;
  /** Its section of stack.yml. */
  readonly path: readonly string[];
}

interface ExporterImport {
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
}

/** Moves a service of compose into the exporters of the stack; says why not when it stays with compose. */
export async function importExporter(
  service: ComposeService,
  context: ExporterImport,
): Promise<ImportedExporter | string> {
  const repository = repositoryOf(service.image);
  const exporter = exporters.find(({ defaultImage }) => repositoryOf(defaultImage) === repository);
  const move = exporter === undefined ? undefined : moves[exporter.kind];
  const { draft, job, target } = context;
  if (exporter !== undefined && move !== undefined) {
    const path = ['exporters', exporter.kind];
    if (childOf(draft.root, ...path) !== undefined) return `the stack has one ${exporter.title} already`;
    if (Number(target.split(':')[1]) !== exporter.port) return `it does not listen on port ${exporter.port}`;
    const section = draft.section(...path);
    const image = imageNode(service, draft, path.join('.'), exporter.defaultImage);
    if (image !== undefined) draft.set([...path, 'image'], image);
    const refusal = await move(new Flags(service.args), service, { ...context, path });
    if (refusal !== undefined) {
      const parent = draft.section('exporters');
      parent.items = parent.items.filter(({ value }) => value !== section);
      if (parent.items.length === 0) draft.root.items = draft.root.items.filter(({ value }) => value !== parent);
      return refusal;
    }
    if (section.items.length === 0) section.flow = true;
    const address = `${exporter.kind}-exporter:${exporter.port}`;
    return { job, jobName: exporter.kind, address, path };
  }
  return customExporter(service, context);
}

function customExporter(service: ComposeService, { draft, job, target }: ExporterImport): ImportedExporter | string {
  if (!/exporter/.test(repositoryOf(service.image))) return 'it is not a service of promstack';
  const tagged = /:[\w.-]+$|@sha256:/.test(service.image.replace(/^[^/]*:\d+\//, ''));
  if (!tagged) return 'its image has no tag';
  const reason = [
    'privileged',
    'devices',
    'cap_add',
    'user',
    'entrypoint',
    'pid',
    'network_mode',
    'configs',
    'secrets',
  ].find((key) => !isEmpty(childOf(service.node, key)));
  if (reason !== undefined) return `an exporter of promstack has no ${reason}`;
  if (service.mounts.length + service.volumes.length > 0) return 'it reads files of the host';
  const words = [...service.environment].map(([name, { text }]) => [name, text] as const);
  const isSecret = ([name, text]: readonly [string, string]): boolean =>
    isPlainSecret(text, name) || redactUrls(text) !== text;
  if (
    words.some(isSecret) ||
    service.args.some(({ text }) => redactUrls(text) !== text || /password|token/i.test(text))
  ) {
    return 'it has a secret in its environment or its arguments, which an exporter of promstack has in a file';
  }
  const plain = service.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .replace(/^-+/, '')
    .slice(0, 28);
  const isReserved = findService(plain) !== undefined || findExporter(plain) !== undefined;
  const name = isReserved ? `my-${plain}` : plain;
  const path = ['exporters', 'custom', name];
  const [, port = ''] = target.split(':');
  draft.set([...path, 'image'], placedAs(stringNode(service.image), childOf(service.node, 'image')));
  draft.set([...path, 'port'], plainNode(port));
  if (service.args.length > 0) draft.set([...path, 'args'], listNode(service.args.map(wordNode)));
  if (words.length > 0) {
    const pairs = [...service.environment].map(([key, value]) => new Pair(stringNode(key), wordNode(value)));
    draft.set([...path, 'env'], mapOf(pairs));
  }
  return { job, jobName: name, address: `${name}:${port}`, path };
}

const wordNode = ({ text, node }: Written): Node => placedAs(stringNode(text), node);

/** The flags of a program, each taken once; a value in a word of its own belongs to the flag before it. */
class Flags {
  readonly #words: Written[];

  constructor(words: readonly Written[]) {
    this.#words = [];
    for (const word of words) {
      const before = this.#words.at(-1);
      const isValue = before !== undefined && !word.text.startsWith('-') && /^-[^=]*$/.test(before.text);
      if (isValue) this.#words.splice(-1, 1, { text: `${before.text}=${word.text}`, node: before.node });
      else this.#words.push(word);
    }
  }

  /** Removes a flag and returns its value. */
  take(name: string): Written | undefined {
    const at = this.#words.findIndex(({ text }) => new RegExp(`^--?${name}(?:=|$)`).test(text));
    const word = this.#words[at];
    if (word === undefined) return undefined;
    const [, value] = /^[^=]*=([\s\S]*)$/.exec(word.text) ?? [];
    this.#words.splice(at, 1);
    return { text: value ?? '', node: word.node };
  }

  /** Removes the flags that match. */
  takeAll(pattern: RegExp): readonly Written[] {
    const taken = this.#words.filter(({ text }) => pattern.test(text));
    for (const word of taken) this.#words.splice(this.#words.indexOf(word), 1);
    return taken;
  }

  get rest(): readonly Written[] {
    return this.#words;
  }
}

function setRest(flags: Flags, { draft, path }: Moving): void {
  if (flags.rest.length > 0) draft.set([...path, 'extra_args'], listNode(flags.rest.map(wordNode)));
}

const inProcess = (name: string, { environment }: ComposeService): Written | undefined => environment.get(name);

/** How each exporter that promstack ships takes its flags and its environment. */
const moves: Readonly<Record<string, Move>> = {
  node: (flags, service, context) => {
    const { draft, path } = context;
    if (textOf(childOf(service.node, 'network_mode')) === 'host') return "it shares the host's network";
    if (service.mounts.some(({ target }) => /textfile/.test(target))) return 'it reads files of the host';
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
  redis: (flags, service, context) => {
    const { draft, path } = context;
    const address = flags.take('redis\\.addr') ?? inProcess('REDIS_ADDR', service);
    if (address === undefined || /@/.test(address.text)) return 'its address is not set, or has a password in it';
    draft.set([...path, 'address'], placedAs(stringNode(address.text.replace(/^redis:\/\//, '')), address.node));
    const user = flags.take('redis\\.user') ?? inProcess('REDIS_USER', service);
    if (user !== undefined && user.text !== '') draft.set([...path, 'user'], wordNode(user));
    const password = flags.take('redis\\.password') ?? inProcess('REDIS_PASSWORD', service);
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
  postgres: (flags, service, context) => {
    const { draft, path } = context;
    const [name, uri, user, pass] = ['NAME', 'URI', 'USER', 'PASS'].map((part) =>
      inProcess(`DATA_SOURCE_${part}`, service),
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
  mysqld: (flags, service, context) => {
    const { draft, path } = context;
    const source = inProcess('DATA_SOURCE_NAME', service);
    const [, user, password, host] = /^([^:]+):(.*)@\(?(?:tcp\()?([^)/]+)\)*\/?/.exec(source?.text ?? '') ?? [];
    const address = flags.take('mysqld\\.address');
    const username = flags.take('mysqld\\.username');
    const secret = inProcess('MYSQLD_EXPORTER_PASSWORD', service);
    const parts = source === undefined ? [username?.text, secret?.text, address?.text] : [user, password, host];
    if (parts.some((part) => part === undefined)) return 'its account is not set by DATA_SOURCE_NAME, nor by flags';
    const [login = '', word = '', server = ''] = parts;
    const dsn = `mysql://${encodeURIComponent(login)}:${encodeURIComponent(word)}@${server}`;
    const where = placeOf((source ?? secret)?.node);
    draft.set(
      [...path, 'dsn'],
      draft.secret(dsn, { name: 'mysqld-dsn', what: `services.${service.name} account`, where }),
    );
    setRest(flags, context);
    return undefined;
  },
};

/** The exporters of probes: its jobs have the targets, so it is no part of one. */
export async function importBlackbox(
  service: ComposeService,
  { draft, inputs }: Pick<ExporterImport, 'draft' | 'inputs'>,
): Promise<string | undefined> {
  const path = ['exporters', 'blackbox'];
  if (childOf(draft.root, ...path) !== undefined) return 'the stack has one blackbox_exporter already';
  const flags = new Flags(service.args);
  const config = flags.take('config\\.file');
  const image = imageNode(
    service,
    draft,
    path.join('.'),
    exporters.find(({ kind }) => kind === 'blackbox')?.defaultImage ?? '',
  );
  const view = { folder: '', inContainer: '/', mounts: service.mounts };
  const [file] = config === undefined ? [] : await filesAt(config.text, view);
  const tree = file === undefined ? undefined : (await inputs.open(file))?.tree;
  if (config !== undefined && tree?.root === undefined && service.mounts.length > 0)
    return 'its config file was not found';
  const section = draft.section(...path);
  if (image !== undefined) draft.set([...path, 'image'], image);
  const modules = pairOf(tree?.root, 'modules');
  if (modules !== undefined && isMap(modules.value)) {
    section.items.push(modules);
    draft.findings.taken('modules', placeOf(modules.key), 'exporters.blackbox.modules');
  }
  if (flags.rest.length > 0) draft.set([...path, 'extra_args'], listNode(flags.rest.map(wordNode)));
  if (pairsOf(section).length === 0) section.flow = true;
  return undefined;
}
