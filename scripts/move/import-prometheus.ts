import { dirname } from 'node:path';
import { isMap, isSeq, type Node, Pair, type YAMLMap } from 'yaml';
import { prometheusSecrets } from '../../stack/prometheus/secret-fields.ts';
import type { Addresses } from './addresses.ts';
import { Comments } from './comments.ts';
import { addExported, isExported } from './exported-parts.ts';
import { moveToExporter, moveToPage } from './exporter-jobs.ts';
import { type Forms, hasForm } from './forms.ts';
import type { ImportedExporter } from './import-exporters.ts';
import type { InputFile, InputFiles } from './input-files.ts';
import { type FileView, filesAt, globBeside, placeBeside } from './mounted-files.ts';
import { listNode, moveReferences, type NativeConfig } from './native-config.ts';
import type { StackDraft } from './stack-draft.ts';
import {
  childOf,
  eachScalar,
  isEmpty,
  itemsOf,
  keyOf,
  mapOf,
  pairOf,
  pairsOf,
  placedAs,
  placeOf,
  plainNode,
  stringNode,
  takePair,
  textOf,
  toValue,
} from './yaml-tree.ts';

export interface ServerImport {
  readonly file: InputFile;
  readonly view: FileView;
  readonly inputs: InputFiles;
  readonly draft: StackDraft;
  readonly addresses: Addresses;
}

/** The settings of `global` that are keys of `prometheus` too, with the server's defaults where promstack has others. */
const globalKeys: Readonly<Record<string, string | undefined>> = {
  scrape_interval: '1m',
  scrape_timeout: undefined,
  evaluation_interval: '1m',
  external_labels: undefined,
};

const sections = ['remote_write', 'remote_read', 'storage', 'otlp', 'tracing', 'runtime'];

const forms: Forms = {
  global: 'mapping',
  alerting: 'mapping',
  rule_files: 'list',
  scrape_configs: 'list',
  scrape_config_files: 'list',
};

/** Moves a prometheus.yml into the section of Prometheus. */
export async function importPrometheus(
  { file, view, inputs, draft, addresses }: ServerImport,
  exporters: readonly ImportedExporter[],
): Promise<void> {
  const root = file.tree?.root;
  if (!isMap(root)) return;
  const { findings } = draft;
  const section = draft.section('prometheus');
  const native: NativeConfig = {
    section: ['prometheus'],
    prefix: '',
    secretFiles: prometheusSecrets,
    view,
    inputs,
    draft,
    reserved: ['rules', 'secrets'],
  };
  const comments = new Comments(root, draft);
  const global = pairOf(root, 'global');
  if (global !== undefined) hasForm(global, forms, file.shown, draft);
  importGlobal(global, section, draft);
  const moved = section.items.find((pair) => pairsOf(global?.value).includes(pair));
  for (const pair of [...root.items]) {
    const key = keyOf(pair);
    const value = pair.value as Node;
    const where = placeOf(pair.key);
    if (key === 'global' || isEmpty(value) || !hasForm(pair, forms, file.shown, draft)) continue;
    if (key === 'rule_files') await importRuleFiles(value, { file, view, inputs, draft, addresses });
    else if (key === 'alerting') await importAlerting(pair, section, native, addresses);
    else if (key === 'scrape_configs' && isSeq(value)) {
      const jobs: Node[] = [];
      for (const job of itemsOf(value)) {
        const name = textOf(childOf(job, 'job_name')) ?? 'job';
        await moveReferences(job, 'scrape_configs', name, native);
        if (moveToExporter(job, name, exporters, draft)) continue;
        if (isExported(view) && (await moveToPage(job, name, view, draft))) continue;
        moveTargets(job, addresses);
        addresses.inNode('prometheus', job);
        findings.taken(`scrape_configs ${name}`, placeOf(job), 'prometheus.scrape_configs');
        jobs.push(job);
      }
      value.items = jobs;
      if (jobs.length > 0) section.items.push(pair);
    } else if (key === 'scrape_config_files') {
      await moveReferences(mapOf([pair]), '', 'job', native);
      section.items.push(pair);
      findings.taken(key, where, `prometheus.${key}`);
    } else if (sections.includes(key)) {
      for (const item of isSeq(value) ? itemsOf(value) : [value]) {
        addresses.inNode('prometheus', item);
        await moveReferences(item, key, textOf(childOf(item, 'name')) ?? key, native);
      }
      section.items.push(pair);
      findings.taken(key, where, `prometheus.${key}`);
    } else {
      findings.left(key, where, 'no key of stack.yml has it, and Prometheus does not document it');
    }
  }
  comments.keep(section, { global: moved === undefined ? 'scrape_interval' : keyOf(moved), rule_files: 'rules' });
}

/** What prometheus.yml does not set has the defaults of the server, not those of stack.yml. */
function importGlobal(pair: Pair | undefined, section: YAMLMap, draft: StackDraft): void {
  const { findings } = draft;
  const others = mapOf();
  for (const own of pairsOf(pair?.value)) {
    const key = keyOf(own);
    const isShared = Object.hasOwn(globalKeys, key);
    if (isEmpty(own.value)) continue;
    (isShared ? section : others).items.push(own);
    findings.taken(`global.${key}`, placeOf(own.key), isShared ? `prometheus.${key}` : `prometheus.global.${key}`);
  }
  for (const [key, preset] of Object.entries(globalKeys)) {
    if (preset !== undefined && pairOf(section, key) === undefined) {
      section.items.push(new Pair(stringNode(key), plainNode(preset)));
      findings.changed(
        `global.${key}`,
        placeOf(pair?.key),
        `prometheus.${key}`,
        `${preset} is the default of Prometheus`,
      );
    }
  }
  if (others.items.length > 0) section.items.push(new Pair(stringNode('global'), others));
}

async function importRuleFiles(list: Node, { view, inputs, draft }: ServerImport): Promise<void> {
  for (const item of itemsOf(list)) {
    const pattern = textOf(item);
    if (pattern === undefined) continue;
    const paths = await filesAt(pattern, view);
    if (paths.length === 0 && !isExported(view))
      draft.findings.left(`rule_files ${pattern}`, placeOf(item), 'no file was found by this path');
    for (const path of paths) {
      const file = await inputs.open(path);
      if (file === undefined) continue;
      if (isExported(view)) addExported(file, 'rules', draft, item);
      else addRules(file, draft, item, { folder: view.folder, pattern });
    }
  }
}

/** Copies a rule file, byte for byte. */
export function addRules(
  file: InputFile,
  draft: StackDraft,
  original?: Node,
  { folder = dirname(file.path), pattern = '' }: { readonly folder?: string; readonly pattern?: string } = {},
): void {
  const below = placeBeside(file.path, folder, 'rules');
  // The server takes rules from files of any name, a stack from those of YAML.
  const named = /\.ya?ml$/.test(below) ? below : `${below}.yml`;
  const place = draft.copy(named.startsWith('rules/') ? named : `rules/${named}`, file);
  draft.addTo(['prometheus', 'rules'], globBeside(place, pattern), original);
  draft.findings.taken(file.shown, undefined, place);
}

/** The stack adds its own Alertmanager by itself; others stay. */
async function importAlerting(pair: Pair, section: YAMLMap, native: NativeConfig, addresses: Addresses): Promise<void> {
  const { draft } = native;
  const list = childOf(pair.value, 'alertmanagers');
  const kept: Node[] = [];
  for (const entry of itemsOf(list)) {
    const targets = itemsOf(childOf(entry, 'static_configs')).flatMap((group) => itemsOf(childOf(group, 'targets')));
    const isOwn =
      targets.length > 0 && targets.every((target) => addresses.taken(textOf(target) ?? '') === 'alertmanager:9093');
    if (!isOwn) {
      addresses.inNode('prometheus', entry);
      await moveReferences(entry, 'alerting.alertmanagers', 'alertmanagers', native);
      kept.push(entry);
      draft.findings.taken('alerting.alertmanagers', placeOf(entry), 'prometheus.alerting.alertmanagers');
      continue;
    }
    draft.findings.changed('alerting.alertmanagers', placeOf(entry), undefined, "it is the stack's own Alertmanager");
    for (const own of pairsOf(entry)) {
      const key = keyOf(own);
      const isUsual = key === 'static_configs' || (key === 'scheme' && textOf(own.value) === 'http');
      if (isUsual || (key === 'api_version' && textOf(own.value) === 'v2')) continue;
      draft.findings.left(
        `alerting.alertmanagers.${key}`,
        placeOf(own.key),
        'the stack sets how it reaches its own Alertmanager',
      );
    }
  }
  const others = mapOf();
  const relabel = takePair(pair.value, 'alert_relabel_configs');
  if (relabel !== undefined && !isEmpty(relabel.value)) {
    others.items.push(relabel);
    draft.findings.taken(
      'alerting.alert_relabel_configs',
      placeOf(relabel.key),
      'prometheus.alerting.alert_relabel_configs',
    );
  }
  if (kept.length > 0) others.items.push(new Pair(stringNode('alertmanagers'), listNode(kept)));
  if (others.items.length > 0) section.items.push(new Pair(pair.key, others));
}

/** Targets that have another address in the stack keep their label `instance`. */
function moveTargets(job: Node, addresses: Addresses): void {
  const list = childOf(job, 'static_configs');
  if (!isSeq(list)) return;
  list.items = itemsOf(list).flatMap((group): readonly Node[] => {
    const targets = childOf(group, 'targets');
    if (!isMap(group) || !isSeq(targets)) return [group];
    const moved = itemsOf(targets).filter((target) => {
      const text = textOf(target) ?? '';
      const taken = addresses.taken(text);
      return taken !== undefined && taken !== text;
    });
    if (moved.length === 0) return [group];
    targets.items = targets.items.filter((target) => !moved.includes(target as Node));
    const others = targets.items.length === 0 ? [] : [group];
    return [...others, ...moved.map((target) => movedGroup(group, target, addresses))];
  });
}

function movedGroup(group: YAMLMap, target: Node, addresses: Addresses): Node {
  const text = textOf(target) ?? '';
  const labels = childOf(group, 'labels');
  const own = pairsOf(labels).filter((pair) => keyOf(pair) !== 'instance');
  const instance = pairOf(labels, 'instance') ?? new Pair(stringNode('instance'), stringNode(text));
  const address = placedAs(stringNode(addresses.taken(text) ?? text), target);
  const targets = listNode([address]);
  targets.flow = true;
  return placedAs(
    mapOf([new Pair(stringNode('targets'), targets), new Pair(stringNode('labels'), mapOf([instance, ...own]))]),
    group,
  );
}

/** The jobs of a prometheus.yml by their only target; those with several targets or discovery are not in it. */
export function soleTargets(root: Node | undefined): ReadonlyMap<string, string> {
  const jobs = new Map<string, string>();
  for (const job of itemsOf(childOf(root, 'scrape_configs'))) {
    const groups = itemsOf(childOf(job, 'static_configs'));
    const targets = groups.flatMap((group) => itemsOf(childOf(group, 'targets')));
    const hasDiscovery = pairsOf(job).some((pair) => keyOf(pair).endsWith('_sd_configs'));
    const hasLabels = groups.some((group) => !isEmpty(childOf(group, 'labels')));
    const [target] = targets.map((node) => textOf(node) ?? '');
    if (target === undefined || targets.length !== 1 || hasDiscovery || hasLabels) continue;
    jobs.set(target, textOf(childOf(job, 'job_name')) ?? '');
  }
  return jobs;
}

/** The name of the job that has a target. */
export function jobWith(root: Node | undefined, target: string): string | undefined {
  const job = itemsOf(childOf(root, 'scrape_configs')).find((candidate) =>
    itemsOf(childOf(candidate, 'static_configs')).some((group) =>
      itemsOf(childOf(group, 'targets')).some((item) => textOf(item) === target),
    ),
  );
  return textOf(childOf(job, 'job_name'));
}

/** Every target and address that a prometheus.yml names. */
export function addressesIn(root: Node | undefined): readonly string[] {
  const addresses: string[] = [];
  eachScalar(root, (scalar) => {
    const text = String(toValue(scalar) ?? '');
    if (/^[\w.-]+:\d+$/.test(text)) addresses.push(text);
  });
  return addresses;
}
