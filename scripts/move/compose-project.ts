import { basename, dirname, join, resolve } from 'node:path';
import { isMap, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import type { SourceRange } from '../../stack/diagnostic.ts';
import { readEnvFile } from '../config/env-file.ts';
import { readText } from '../util/read-text.ts';
import { asMap, type ComposeIo, type Lookup, merged, readRoot } from './compose-tree.ts';
import { type Forms, hasForm } from './forms.ts';
import type { InputFile } from './input-files.ts';
import type { BindMount } from './mounted-files.ts';
import {
  childOf,
  isEmpty,
  itemsOf,
  keyOf,
  mapOf,
  pairsOf,
  placedAt,
  placeOf,
  stringNode,
  textOf,
  toValue,
} from './yaml-tree.ts';

/** A string of a compose file and the node that it is from. */
export interface Written {
  readonly text: string;
  readonly node: Node | undefined;
}

/** A service of a compose project, with what it extends and without variables. */
export interface ComposeService {
  readonly name: string;
  readonly node: YAMLMap;
  readonly where: SourceRange | undefined;
  readonly image: string;
  /** The names by which other services reach it. */
  readonly hosts: readonly string[];
  /** What it has of the host: folders, files, configs and secrets. */
  readonly mounts: readonly BindMount[];
  /** Named volumes, by their names on the engine. */
  readonly volumes: readonly { readonly volume: string; readonly target: string }[];
  /** Configs and secrets whose content compose does not have, such as external ones of a swarm. */
  readonly unknown: readonly {
    readonly name: string;
    readonly target: string;
    readonly where: SourceRange | undefined;
  }[];
  readonly args: readonly Written[];
  readonly environment: ReadonlyMap<string, Written>;
  /** Names on the engine; `host` for one that shares the network of the host. */
  readonly networks: readonly string[];
  /** Those of them that exist without this project, so that containers of others may be in them. */
  readonly externalNetworks: readonly string[];
}

export interface ComposeProject {
  readonly name: string;
  /** The main file, as the user would type it. */
  readonly file: string;
  readonly services: readonly ComposeService[];
}

/** Reads compose files, of which the later ones are merged over the earlier ones. */
export async function readCompose(files: readonly InputFile[], io: ComposeIo): Promise<ComposeProject | undefined> {
  const [main] = files;
  if (main === undefined) return undefined;
  const folder = dirname(main.path);
  const get = await variablesOf(folder, io);
  let root = mapOf();
  for (const file of files) root = merged(root, await readRoot(file, get, io));
  const given = textOf(childOf(root, 'name')) ?? get('COMPOSE_PROJECT_NAME') ?? basename(resolve(folder));
  const name = given
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
  const services: ComposeService[] = [];
  for (const pair of pairsOf(childOf(root, 'services'))) {
    if (isMap(pair.value))
      services.push(await readService(keyOf(pair), pair, root, { folder, project: name, get, io }));
  }
  return { name, file: main.shown, services };
}

/** The variables of the environment, and of `.env` beside the compose file. */
async function variablesOf(folder: string, { env, findings, inputs }: ComposeIo): Promise<Lookup> {
  const text = await readText(join(folder, '.env'));
  if (typeof text !== 'string') return (name) => env[name];
  const { variables, diagnostics } = readEnvFile(text, inputs.shown(join(folder, '.env')), (name) => env[name]);
  findings.problems.push(...diagnostics);
  return (name) => env[name] ?? variables.get(name)?.text;
}

interface ServiceContext {
  readonly folder: string;
  readonly project: string;
  readonly get: Lookup;
  readonly io: ComposeIo;
}

const forms: Forms = {
  image: 'string',
  container_name: 'string',
  command: 'string or list',
  ports: 'list',
  volumes: 'list',
  environment: 'list or mapping',
  env_file: 'string or list',
  networks: 'list or mapping',
  configs: 'list',
  secrets: 'list',
  deploy: 'mapping',
};

async function readService(name: string, pair: Pair, root: YAMLMap, context: ServiceContext): Promise<ComposeService> {
  const node = pair.value as YAMLMap;
  for (const own of node.items) hasForm(own, forms, `the service ${name}`, context.io);
  const { mounts, volumes, unknown } = mountsOf(name, node, root, context);
  const networks = childOf(node, 'networks');
  const aliases = pairsOf(networks).flatMap(({ value }) => itemsOf(childOf(value, 'aliases')));
  const mode = textOf(childOf(node, 'network_mode'));
  const names = isSeq(networks) ? networks.items.flatMap((item) => textOf(item) ?? []) : pairsOf(networks).map(keyOf);
  const hosts = [
    name,
    ...[childOf(node, 'container_name'), childOf(node, 'hostname'), ...aliases].flatMap((host) => textOf(host) ?? []),
  ];
  return {
    name,
    node,
    where: placeOf(pair.key) ?? placeOf(node),
    image: textOf(childOf(node, 'image')) ?? '',
    hosts: [...new Set(hosts)],
    mounts,
    volumes,
    unknown,
    args: wordsOf(childOf(node, 'command')),
    environment: await environmentOf(node, context),
    networks:
      mode !== undefined
        ? [mode]
        : (names.length === 0 ? ['default'] : names).map((network) =>
            engineName(root, 'networks', network, context.project),
          ),
    externalNetworks: names
      .filter((network) => !isEmpty(childOf(root, 'networks', network, 'external')))
      .filter((network) => textOf(childOf(root, 'networks', network, 'external')) !== 'false')
      .map((network) => engineName(root, 'networks', network, context.project)),
  };
}

/** The name on the engine of a network or a volume. */
function engineName(root: YAMLMap, kind: 'networks' | 'volumes', name: string, project: string): string {
  const declared = childOf(root, kind, name);
  const external = childOf(declared, 'external');
  const given = textOf(childOf(declared, 'name')) ?? textOf(childOf(external, 'name'));
  return given ?? (textOf(external) === 'true' ? name : `${project}_${name}`);
}

function mountsOf(
  service: string,
  node: YAMLMap,
  root: YAMLMap,
  { project, io, folder, get }: ServiceContext,
): Pick<ComposeService, 'mounts' | 'volumes' | 'unknown'> {
  let mounts: BindMount[] = [];
  let volumes: ComposeService['volumes'][number][] = [];
  const unknown: ComposeService['unknown'][number][] = [];
  for (const item of itemsOf(childOf(node, 'volumes'))) {
    const long = isMap(item);
    const [source = '', target] = long
      ? [textOf(childOf(item, 'source')) ?? '', textOf(childOf(item, 'target'))]
      : (textOf(item) ?? '').split(':');
    if (target === undefined || source === '') continue;
    // Of two at one place, compose takes the last, such as one of an override.
    mounts = mounts.filter((mount) => mount.target !== target);
    volumes = volumes.filter((mount) => mount.target !== target);
    if (source.startsWith('/')) mounts.push({ source, target });
    else volumes.push({ volume: engineName(root, 'volumes', source, project), target });
  }
  for (const kind of ['configs', 'secrets'] as const) {
    for (const item of itemsOf(childOf(node, kind))) {
      const name = textOf(item) ?? textOf(childOf(item, 'source')) ?? '';
      const declared = childOf(root, kind, name);
      const target = textOf(childOf(item, 'target')) ?? (kind === 'secrets' ? name : `/${name}`);
      const variable = textOf(childOf(declared, 'environment'));
      const content = variable === undefined ? textOf(childOf(declared, 'content')) : get(variable);
      const path = textOf(childOf(declared, 'file'));
      const inContainer = target.startsWith('/') ? target : `/run/secrets/${target}`;
      if (path !== undefined) mounts.push({ source: path, target: inContainer });
      else if (content !== undefined) {
        const source = join(folder, `${kind}.${name}`);
        io.inputs.addContent(source, content, placeOf(childOf(declared, 'content') ?? declared), basename(target));
        mounts.push({ source, target: inContainer });
      } else {
        const where = placeOf(item);
        unknown.push({ name, target: inContainer, where });
        io.findings.left(`services.${service}.${kind}.${name}`, where, 'its content is not in the compose file');
      }
    }
  }
  return { mounts, volumes, unknown };
}

async function environmentOf(node: YAMLMap, { folder, get, io }: ServiceContext): Promise<Map<string, Written>> {
  const environment = new Map<string, Written>();
  const files = childOf(node, 'env_file');
  for (const item of isSeq(files) ? files.items : files === undefined ? [] : [files]) {
    const path = textOf(isMap(item) ? childOf(item, 'path') : item);
    if (path === undefined) continue;
    const text = await readText(resolve(folder, path));
    if (typeof text === 'string') {
      const { variables, diagnostics } = readEnvFile(text, io.inputs.shown(path), get);
      io.findings.problems.push(...diagnostics);
      for (const [name, { text: value, where }] of variables) {
        environment.set(name, { text: value, node: placedAt(stringNode(value), where) });
      }
    } else if (textOf(childOf(item, 'required')) !== 'false') {
      io.findings.wrong(
        `the env file ${io.inputs.shown(resolve(folder, path))} ${text.because}`,
        placeOf(isMap(item) ? childOf(item, 'path') : item),
        text.hint,
      );
    }
  }
  for (const pair of pairsOf(asMap(childOf(node, 'environment')))) {
    const value = pair.value as Node | undefined;
    const text = textOf(value) ?? get(keyOf(pair));
    if (text !== undefined) environment.set(keyOf(pair), { text, node: value });
  }
  return environment;
}

/** A command as a list, or as a string with the quotes of a shell. */
function wordsOf(node: Node | undefined): readonly Written[] {
  if (isSeq(node)) return itemsOf(node).flatMap((item) => ({ text: String(toValue(item) ?? ''), node: item }));
  const text = textOf(node) ?? '';
  const words = text.matchAll(/(?:[^\s"'\\]|\\[\s\S]|"(?:\\[\s\S]|[^"\\])*"|'[^']*')+/g);
  return [...words].map(([word]) => ({
    text: word.replaceAll(/"((?:\\[\s\S]|[^"\\])*)"|'([^']*)'|\\([\s\S])/g, (_, double, single, escaped) =>
      String(double?.replaceAll(/\\(["\\$`])/g, '$1') ?? single ?? escaped ?? ''),
    ),
    node,
  }));
}
