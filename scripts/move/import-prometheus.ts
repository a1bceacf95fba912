import { dirname } from 'node:path';
import { isMap, isSeq, type Node, Pair, type YAMLMap } from 'yaml';
import { prometheusSecrets } from '../../stack/prometheus/secret-fields.ts';
import type { Addresses } from './addresses.ts';
import { withCommentsOf } from './comment-places.ts';
import { Comments } from './comments.ts';
import { addExported, isExported } from './exported-parts.ts';
import { moveToExporter, moveToPage } from './exporter-jobs.ts';
import { type Forms, hasForm } from './forms.ts';
import type { ImportedExporter } from './import-exporters.ts';
import type { InputFile, InputFiles } from './input-files.ts';
import { moveRequests, moveTargets } from './job-targets.ts';
import { type FileView, filesAt, globBeside, placeBeside } from './mounted-files.ts';
import { moveReferences, type NativeConfig } from './native-config.ts';
import type { StackDraft } from './stack-draft.ts';
import {
  childOf,
  isEmpty,
  itemsOf,
  keyOf,
  mapOf,
  pairOf,
  pairsOf,
  placeOf,
  plainNode,
  stringNode,
  textOf,
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
    if (key === 'rule_files') {
      await importRuleFiles(value, { file, view, inputs, draft, addresses });
      takeListComments(pair, pairOf(section, 'rules'));
    } else if (key === 'alerting') await importAlerting(pair, section, native, addresses);
    else if (key === 'scrape_configs' && isSeq(value)) {
      const jobs: Node[] = [];
      for (const job of itemsOf(value)) {
        const name = textOf(childOf(job, 'job_name')) ?? 'job';
        await moveReferences(job, 'scrape_configs', name, native);
        moveRequests(job, name, addresses, draft);
        if (moveToExporter(job, name, exporters, draft)) continue;
        if (isExported(view) && (await moveToPage(job, name, view, draft))) continue;
        moveTargets(job, name, addresses, draft);
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
  if (others.items.length === 0) return;
  const isLast = pairsOf(pair?.value).at(-1) === others.items.at(-1);
  if (isLast && isMap(pair?.value)) others.comment = pair.value.comment ?? null;
  section.items.push(new Pair(stringNode('global'), others));
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
  const alertmanagers = pairOf(pair.value, 'alertmanagers');
  const list = alertmanagers?.value;
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
      const isServed = ['static_configs', 'scheme', 'path_prefix', 'tls_config'].includes(key);
      if (isServed || (key === 'api_version' && textOf(own.value) === 'v2')) continue;
      draft.findings.left(
        `alerting.alertmanagers.${key}`,
        placeOf(own.key),
        'the stack sets how it reaches its own Alertmanager',
      );
    }
  }
  const relabel = pairOf(pair.value, 'alert_relabel_configs');
  const isRelabelled = relabel !== undefined && !isEmpty(relabel.value);
  if (isRelabelled) {
    const what = 'alerting.alert_relabel_configs';
    draft.findings.taken(what, placeOf(relabel.key), `prometheus.${what}`);
  }
  if (!isMap(pair.value)) return;
  if (isSeq(list)) list.items = kept;
  const others = [...(kept.length > 0 ? [alertmanagers] : []), ...(isRelabelled ? [relabel] : [])];
  pair.value.items = pair.value.items.filter((own) => others.includes(own));
  if (pair.value.items.length > 0) section.items.push(pair);
}

/** Gives a list of stack.yml, and its key, the comments of the list that it is made from. */
export function takeListComments(from: Pair, to: Pair | undefined): void {
  if (to === undefined) return;
  withCommentsOf(to.key as Node, from.key);
  withCommentsOf(to.value as Node, from.value);
}
