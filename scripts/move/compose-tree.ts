import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { isMap, isPair, isScalar, isSeq, type Node, Pair, type YAMLMap, YAMLSeq } from 'yaml';
import { expandVariables, readEnvFile } from '../config/env-file.ts';
import { readText } from '../util/read-text.ts';
import type { Findings } from './findings.ts';
import type { InputFile, InputFiles } from './input-files.ts';
import {
  childOf,
  eachScalar,
  itemsOf,
  keyOf,
  mapOf,
  pairOf,
  pairsOf,
  placedAs,
  placeOf,
  plainNode,
  stringNode,
  textOf,
} from './yaml-tree.ts';

export interface ComposeIo {
  readonly inputs: InputFiles;
  readonly findings: Findings;
  readonly env: NodeJS.ProcessEnv;
}

export type Lookup = (name: string) => string | undefined;

/** A compose file with what it includes and extends, without variables, and with absolute paths; `project` is its project directory. */
export async function readRoot(file: InputFile, get: Lookup, io: ComposeIo, project?: string): Promise<YAMLMap> {
  const root = isMap(file.tree?.root) ? file.tree.root : mapOf();
  interpolate(root, get, io.findings);
  // What is taken of it gets another key, and keeps the comment above.
  eachScalar(root, (scalar, _, holder) => {
    if (!isPair(holder) || !isScalar(holder.key)) return;
    scalar.commentBefore = [holder.key.commentBefore, scalar.commentBefore].filter(Boolean).join('\n') || null;
  });
  const folder = dirname(file.path);
  absolutePaths(root, project ?? folder);
  let whole = mapOf();
  for (const item of itemsOf(childOf(root, 'include'))) {
    const paths = isScalar(item)
      ? [item]
      : [childOf(item, 'path')].flatMap((path) => (isSeq(path) ? itemsOf(path) : path));
    const directory = textOf(childOf(item, 'project_directory'));
    const own = await includedVariables(childOf(item, 'env_file'), folder, get, io);
    for (const path of paths) {
      const text = textOf(path);
      const included = text === undefined ? undefined : await io.inputs.open(resolve(folder, text));
      if (included?.kind === 'compose') {
        const below = directory === undefined ? undefined : resolve(folder, directory);
        whole = merged(whole, await readRoot(included, own, io, below));
      } else io.findings.wrong(`the included file ${text ?? ''} is not a compose file that can be read`, placeOf(path));
    }
  }
  whole = merged(whole, root);
  const services = childOf(whole, 'services');
  for (const pair of pairsOf(services)) {
    if (isMap(pair.value)) pair.value = await extended(pair.value, whole, folder, get, io, [keyOf(pair)]);
  }
  return whole;
}

/** The variables of what is included: those of the project first, then those of the env files of the entry. */
async function includedVariables(
  files: unknown,
  folder: string,
  get: Lookup,
  { inputs, findings }: ComposeIo,
): Promise<Lookup> {
  const variables = new Map<string, string>();
  for (const item of isSeq(files) ? itemsOf(files) : [files]) {
    const path = textOf(item);
    if (path === undefined) continue;
    const text = await readText(resolve(folder, path));
    if (typeof text !== 'string') {
      const shown = inputs.shown(resolve(folder, path));
      findings.wrong(`the env file ${shown} ${text.because}`, placeOf(item), text.hint);
      continue;
    }
    const own = readEnvFile(text, inputs.shown(resolve(folder, path)), get);
    findings.problems.push(...own.diagnostics);
    for (const [name, { text: value }] of own.variables) variables.set(name, value);
  }
  return (name) => get(name) ?? variables.get(name);
}

function interpolate(root: Node, get: Lookup, findings: Findings): void {
  eachScalar(root, (scalar, keys) => {
    if (typeof scalar.value !== 'string' || !scalar.value.includes('$')) return;
    const expanded = expandVariables(scalar.value, get);
    if ('message' in expanded) {
      findings.wrong(expanded.message, placeOf(scalar), expanded.hint);
      return;
    }
    if (expanded.unset !== undefined) {
      const why = `the variable ${expanded.unset} is not set, so it is empty`;
      findings.changed(keys.join('.'), placeOf(scalar), undefined, why);
    }
    scalar.value = expanded.text;
    // An empty string, and no absent value.
    if (expanded.text === '') scalar.type = 'QUOTE_DOUBLE';
  });
}

const home = /^~(?=\/|$)/;

/** Paths of the host are relative to the file that has them. */
function absolutePaths(root: Node, folder: string): void {
  const toAbsolute = (node: unknown): void => {
    const text = textOf(node);
    if (text !== undefined && isScalar(node)) node.value = resolve(folder, text.replace(home, homedir()));
  };
  for (const { value: service } of pairsOf(childOf(root, 'services'))) {
    for (const item of itemsOf(childOf(service, 'volumes'))) {
      if (isMap(item)) {
        if (textOf(childOf(item, 'type')) === 'bind') toAbsolute(childOf(item, 'source'));
      } else if (isScalar(item) && /^(?:\.|~[/:])/.test(String(item.value))) {
        const [source = '', ...rest] = String(item.value).split(':');
        item.value = [resolve(folder, source.replace(home, homedir())), ...rest].join(':');
      }
    }
    const envFiles = childOf(service, 'env_file');
    for (const item of isSeq(envFiles) ? envFiles.items : [envFiles])
      toAbsolute(isMap(item) ? childOf(item, 'path') : item);
  }
  for (const kind of ['configs', 'secrets']) {
    for (const { value } of pairsOf(childOf(root, kind))) toAbsolute(childOf(value, 'file'));
  }
}

/** A service with what it extends, in its own file or another. */
async function extended(
  service: YAMLMap,
  root: YAMLMap,
  folder: string,
  get: Lookup,
  io: ComposeIo,
  chain: readonly string[],
): Promise<YAMLMap> {
  const extension = childOf(service, 'extends');
  if (extension === undefined) return service;
  const name = textOf(extension) ?? textOf(childOf(extension, 'service')) ?? '';
  const path = textOf(childOf(extension, 'file'));
  const id = `${path ?? ''}#${name}`;
  const own = mapOf(service.items.filter((pair) => keyOf(pair) !== 'extends'));
  if (chain.includes(id)) {
    io.findings.wrong(`the service ${name} extends itself`, placeOf(extension));
    return own;
  }
  const file = path === undefined ? undefined : await io.inputs.open(resolve(folder, path));
  const base = path === undefined ? root : file?.kind === 'compose' ? await readRoot(file, get, io) : undefined;
  const parent = childOf(base, 'services', name);
  if (!isMap(parent)) {
    io.findings.wrong(`the service ${name} that is extended here was not found`, placeOf(extension));
    return own;
  }
  return merged(await extended(parent, base ?? root, folder, get, io, [...chain, id]), own);
}

/** The values of later lists are added to those of earlier ones, except for these. */
const replaced = new Set(['command', 'entrypoint', 'test']);

/** A mapping over another one, as compose merges files and services. */
export function merged(base: YAMLMap, over: YAMLMap): YAMLMap {
  const whole = mapOf(base.items);
  for (const pair of over.items) {
    const key = keyOf(pair);
    const earlier = pairOf(whole, key);
    const { tag } = (pair.value ?? {}) as Partial<Node>;
    if (tag === '!reset') {
      whole.items = whole.items.filter((other) => other !== earlier);
      continue;
    }
    const [before, after] = [earlier?.value, pair.value].map((value) => alike(key, value));
    const value =
      tag === '!override'
        ? after
        : isMap(before) && isMap(after)
          ? merged(before, after)
          : isSeq(before) && isSeq(after) && !replaced.has(key)
            ? Object.assign(before.clone(), { items: [...before.items, ...after.items] })
            : after;
    whole.items = whole.items.filter((other) => other !== earlier);
    whole.items.push(Object.assign(new Pair(pair.key, value)));
  }
  return whole;
}

/** A value in the longer of the forms that compose takes for it, as which values are merged. */
function alike(key: string, value: unknown): unknown {
  if (['environment', 'labels', 'networks', 'depends_on'].includes(key)) return asMap(value);
  return key === 'env_file' && isScalar(value) ? Object.assign(new YAMLSeq(), { items: [value] }) : value;
}

/** `NAME=value` in a list as a mapping. */
export function asMap(node: unknown): unknown {
  if (!isSeq(node)) return node;
  return mapOf(
    node.items.map((item) => {
      const [, name = '', value] = /^([^=]*)(?:=([\s\S]*))?$/.exec(textOf(item) ?? '') ?? [];
      const scalar = placedAs(plainNode(value ?? ''), item);
      if (value !== undefined) scalar.type = 'QUOTE_DOUBLE';
      return new Pair(stringNode(name), scalar);
    }),
  );
}
