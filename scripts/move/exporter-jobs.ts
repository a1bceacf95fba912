import { join } from 'node:path';
import { isScalar, isSeq, type Node, Pair } from 'yaml';
import { metricsPages } from '../../stack/exporters/exporters.ts';
import { moduleJobs } from '../../stack/exporters/targets-by-module.ts';
import { pathExists } from '../util/path-exists.ts';
import { linesIn, linesOf } from './comments.ts';
import type { ImportedExporter } from './import-exporters.ts';
import type { FileView } from './mounted-files.ts';
import { listNode } from './native-config.ts';
import type { StackDraft } from './stack-draft.ts';
import { childOf, itemsOf, keyOf, mapOf, pairOf, pairsOf, placeOf, stringNode, textOf, toValue } from './yaml-tree.ts';

/** Makes a job whose only target is an exporter of the stack the job of that exporter. */
export function moveToExporter(
  job: Node,
  name: string,
  exporters: readonly ImportedExporter[],
  draft: StackDraft,
): boolean {
  const prober = exporters.find((candidate) => candidate.isProber === true && isAskedBy(candidate, job));
  if (prober !== undefined) {
    moveTargetLists(job, prober, draft);
    draft.findings.taken(`scrape_configs ${name}`, placeOf(job), prober.path.join('.'));
    return true;
  }
  const exporter = exporters.find((candidate) => candidate.job === name);
  if (exporter === undefined) return false;
  const target = textOf(itemsOf(childOf(itemsOf(childOf(job, 'static_configs'))[0], 'targets'))[0]) ?? '';
  if (exporter.isProber === true) {
    if (!target.endsWith(exporter.address.replace(/.*:/, ':'))) return false;
    const why = 'the stack has this job itself';
    keepComments(job, [], exporter.path, draft);
    draft.findings.changed(`scrape_configs ${name}`, placeOf(job), exporter.path.join('.'), why);
    return true;
  }
  const settings = mapOf();
  if (name !== exporter.jobName) settings.items.push(new Pair(stringNode('job_name'), stringNode(name)));
  for (const pair of pairsOf(job)) {
    const key = keyOf(pair);
    // An exporter that promstack ships has no TLS, and its metrics at /metrics.
    const isPath = key === 'metrics_path' && textOf(pair.value) === exporter.metricsPath;
    const isServed = exporter.path[1] !== 'custom' && (isPath || ['scheme', 'tls_config'].includes(key));
    const isDefault = key === 'metrics_path' && textOf(pair.value) === '/metrics';
    if (['job_name', 'static_configs'].includes(key) || isServed || isDefault) continue;
    settings.items.push(pair);
  }
  if (!exporters.some(({ address }) => address === target)) {
    const relabel = pairOf(settings, 'relabel_configs') ?? new Pair(stringNode('relabel_configs'), listNode([]));
    const instance = mapOf([
      new Pair(stringNode('target_label'), stringNode('instance')),
      new Pair(stringNode('replacement'), stringNode(target)),
    ]);
    instance.flow = true;
    if (isSeq(relabel.value)) relabel.value.items.unshift(instance);
    if (!settings.items.includes(relabel)) settings.items.push(relabel);
  }
  const scrape = [...exporter.path, 'scrape'];
  if (settings.items.length > 0) draft.set(scrape, settings);
  keepComments(job, settings.items, exporter.path, draft);
  draft.findings.taken(`scrape_configs ${name}`, placeOf(job), exporter.path.join('.'));
  return true;
}

/** Makes the job of a page of metrics its section, in an export that has the rules of that page. */
export async function moveToPage(job: Node, name: string, { folder }: FileView, draft: StackDraft): Promise<boolean> {
  const page = metricsPages.find(({ kind }) => kind === name);
  const [group, second] = itemsOf(childOf(job, 'static_configs'));
  const targets = childOf(group, 'targets');
  if (page === undefined || targets === undefined || second !== undefined) return false;
  if (!(await pathExists(join(folder, 'rules', `${page.kind}.yml`)))) return false;
  const path = ['exporters', page.kind];
  draft.set([...path, page.targetsKey], targets);
  const isDefault = (pair: Pair): boolean => keyOf(pair) === 'metrics_path' && textOf(pair.value) === '/metrics';
  const settings = pairsOf(job).filter((p) => !['job_name', 'static_configs'].includes(keyOf(p)) && !isDefault(p));
  if (settings.length > 0) draft.set([...path, 'scrape'], mapOf(settings));
  keepComments(job, settings, path, draft);
  draft.findings.taken(`scrape_configs ${name}`, placeOf(job), path.join('.'));
  return true;
}

/** Puts the comments of a job before the section that it becomes, but for those of the pairs that the section has. */
function keepComments(job: Node, kept: readonly Pair[], path: readonly string[], draft: StackDraft): void {
  const key = pairOf(draft.section(...path.slice(0, -1)), path.at(-1) ?? '')?.key;
  const lost = pairsOf(job).flatMap((pair) => (kept.includes(pair) ? [] : linesIn(pair)));
  const lines = [...linesOf(job.commentBefore), ...lost, ...linesOf(job.comment)];
  if (isScalar(key)) key.commentBefore = [...lines, ...linesOf(key.commentBefore)].join('\n') || null;
}

/** The paths at which exporters are asked for a target. */
const askedAt: Readonly<Record<string, string>> = { blackbox: '/probe', snmp: '/snmp' };

/** Whether a job has the form of those that promstack writes for the targets of an exporter. */
function isAskedBy({ jobName: kind, address }: ImportedExporter, job: Node): boolean {
  const path = askedAt[kind] ?? '';
  const [model] = moduleJobs({ kind, path, targets: [['any', ['any']]], address, more: {} });
  const relabel = itemsOf(childOf(job, 'relabel_configs')).map(toValue);
  const own = (model?.['relabel_configs'] ?? []) as readonly unknown[];
  const groups = itemsOf(childOf(job, 'static_configs'));
  return (
    textOf(childOf(job, 'metrics_path')) === path &&
    JSON.stringify(relabel.slice(0, own.length)) === JSON.stringify(own) &&
    groups.length > 0 &&
    groups.every((group) => pairsOf(childOf(group, 'labels')).map(keyOf).join() === 'module')
  );
}

/** Makes a job with targets by module the lists of an exporter. */
function moveTargetLists(job: Node, { jobName, path }: ImportedExporter, draft: StackDraft): void {
  for (const group of itemsOf(childOf(job, 'static_configs'))) {
    const [module, targets] = [textOf(childOf(group, 'labels', 'module')), childOf(group, 'targets')];
    if (module !== undefined && targets !== undefined) draft.set([...path, module], targets);
  }
  const settings = mapOf();
  for (const pair of pairsOf(job)) {
    const key = keyOf(pair);
    if (['metrics_path', 'static_configs'].includes(key) || (key === 'job_name' && textOf(pair.value) === jobName)) {
      continue;
    }
    if (key === 'relabel_configs') {
      const further = itemsOf(pair.value).slice(4);
      if (further.length > 0) settings.items.push(new Pair(pair.key, listNode(further)));
    } else if (key === 'params' && jobName === 'snmp') {
      const [auth] = itemsOf(childOf(pair.value, 'auth'));
      if (auth !== undefined && textOf(auth) !== 'public_v2') draft.set([...path, 'auth'], auth);
      const others = pairsOf(pair.value).filter((param) => keyOf(param) !== 'auth');
      if (others.length > 0) settings.items.push(new Pair(pair.key, mapOf(others)));
    } else settings.items.push(pair);
  }
  if (settings.items.length > 0) draft.set([...path, 'scrape'], settings);
  const inLists = pairOf(job, 'static_configs');
  keepComments(job, [...settings.items, ...(inLists === undefined ? [] : [inLists])], path, draft);
}
