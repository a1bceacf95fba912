import { basename, resolve } from 'node:path';
import { Pair } from 'yaml';
import type { UsedService } from '../../stack/own-items.ts';
import { Addresses } from './addresses.ts';
import { repositoryOf } from './compose-image.ts';
import { importBind, pathPrefix } from './compose-limits.ts';
import { type ComposeProject, type ComposeService, readCompose } from './compose-project.ts';
import { describeRest } from './compose-rest.ts';
import { exportedMounts } from './exported-parts.ts';
import { exporterPlace, isProber } from './exporter-places.ts';
import { grafanaPrefix, importGrafanaSettings } from './grafana-settings.ts';
import { importAlertmanager } from './import-alertmanager.ts';
import { type ImportedExporter, importExporter, importProber } from './import-exporters.ts';
import { importGrafana } from './import-grafana.ts';
import { importLabels } from './import-labels.ts';
import { addRules, importPrometheus } from './import-prometheus.ts';
import { importService, serviceOf } from './import-services.ts';
import { type FileKind, fileStart, type InputFile, InputFiles } from './input-files.ts';
import { addressesIn, jobWith, soleTargets } from './job-targets.ts';
import { chooseCompose, configOf } from './main-files.ts';
import { filesAt } from './mounted-files.ts';
import { protectTexts } from './protect-texts.ts';
import { addAddresses } from './stack-addresses.ts';
import { StackDraft } from './stack-draft.ts';
import { childOf, isEmpty, mapOf, plainNode, stringNode } from './yaml-tree.ts';

export interface ImportOptions {
  /** Absolute paths of files and folders. */
  readonly paths: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The name of the stack; by default that of the compose project, or of the folder. */
  readonly name: string | undefined;
  /** Absolute path of the folder of the new stack. */
  readonly out: string;
}

/** The services that a stack has unless stack.yml disables them. */
const services: readonly UsedService[] = ['prometheus', 'alertmanager', 'pushgateway', 'grafana'];

/** Reads the files of other people's stacks, and builds a stack that does the same. */
export async function importStack({ paths, cwd, env, name, out }: ImportOptions): Promise<StackDraft> {
  const draft = new StackDraft();
  const { findings } = draft;
  const inputs = new InputFiles(cwd, findings);
  for (const path of paths) await inputs.add(path);
  const composeFiles = chooseCompose(inputs.ofKind('compose'));
  for (const file of composeFiles) await inputs.open(file.path);
  const project = await readCompose(composeFiles, { inputs, findings, env });
  const folder = basename(resolve(paths.length === 1 && paths[0] !== undefined ? paths[0] : out));
  draft.set(['name'], stringNode(name ?? nameFrom(project?.name ?? folder.replace(/\.ya?ml$/, ''))));

  const taken = takenServices(project, draft);
  const addresses = new Addresses(draft);
  const prometheusFile = await configOf('prometheus', taken, inputs, draft);
  const alertmanagerFile = await configOf('alertmanager', taken, inputs, draft);
  const exporters = await importExporters(project, taken, prometheusFile?.file, { draft, inputs, addresses });
  for (const [key, service] of taken) importService(service, key, draft);
  importBind(
    [...taken].map(([key, service]) => [service, key]),
    draft,
  );
  importLabels([...taken.values(), ...exporters.keys()], draft);
  const grafana = taken.get('grafana');
  const [ini] = grafana === undefined ? inputs.ofKind('grafanaSettings') : await settingsFile(grafana, inputs);
  const prefixes = new Map([...taken].map(([key, service]) => [key, pathPrefix(service)]));
  prefixes.set('grafana', grafanaPrefix(grafana, ini));
  addAddresses(project, taken, exporters, { prometheusFile, alertmanagerFile, addresses, inputs, prefixes });

  if (prometheusFile !== undefined) {
    await importPrometheus({ ...prometheusFile, inputs, draft, addresses }, [...exporters.values()]);
  }
  // What it probes may be anywhere that Prometheus reaches; an export says where that is.
  for (const [service, { isProber: asks, service: name }] of exporters) {
    if (asks !== true || exportedMounts(service).length > 0) continue;
    for (const joined of draft.networks.values()) if (joined.has('prometheus')) joined.add(name);
  }
  importLooseRules(inputs, prometheusFile !== undefined, draft);
  if (alertmanagerFile !== undefined) await importAlertmanager({ ...alertmanagerFile, inputs, draft, addresses });
  if (grafana !== undefined || project === undefined || !hasImage(project, 'grafana')) {
    await importGrafanaSettings(grafana, ini, draft, inputs);
    await importGrafana({ service: grafana, inputs, draft, addresses });
  }
  for (const key of services) {
    const section = childOf(draft.root, key);
    if (section === undefined) draft.set([key], flowMap('enabled', 'false'));
    else if (isEmpty(section)) draft.root.items = draft.root.items.filter(({ value }) => value !== section);
  }
  withoutShipped(draft);
  protectTexts(draft);
  reportUnused(inputs, project, draft);
  if (project !== undefined) describeRest(project, taken, exporters, draft);
  const hasProblems = findings.problems.some(({ severity }) => severity === 'error');
  if (!hasProblems && draft.root.items.every(({ value }) => !isImported(value))) {
    findings.wrong(
      'there is nothing to import',
      fileStart(paths.map((path) => path.slice(cwd.length + 1) || '.').join(' ')),
      readable,
    );
  }
  return draft;
}

const readable =
  'an import reads prometheus.yml, rule files, alertmanager.yml, compose.yaml, and the provisioning and dashboards of Grafana';

const isImported = (section: unknown): boolean =>
  section !== null &&
  typeof section === 'object' &&
  childOf(section, 'enabled') === undefined &&
  !isEmpty(section) &&
  !('value' in section);

function flowMap(key: string, value: string) {
  const map = mapOf([new Pair(stringNode(key), plainNode(value))]);
  map.flow = true;
  return map;
}

const nameFrom = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replace(/^[-_]+/, '')
    .slice(0, 41) || 'imported';

/** The services of compose that the stack runs, by their keys in stack.yml. */
function takenServices(project: ComposeProject | undefined, draft: StackDraft): Map<UsedService, ComposeService> {
  const taken = new Map<UsedService, ComposeService>();
  for (const service of project?.services ?? []) {
    const key = serviceOf(service.image);
    if (key === undefined) continue;
    const first = taken.get(key);
    if (first === undefined) taken.set(key, service);
    else draft.findings.left(`services.${service.name}`, service.where, `a stack has one ${key}: it is ${first.name}`);
  }
  return taken;
}

const hasImage = ({ services: all }: ComposeProject, key: UsedService): boolean =>
  all.some(({ image }) => serviceOf(image) === key);

interface Parts {
  readonly draft: StackDraft;
  readonly inputs: InputFiles;
  readonly addresses: Addresses;
}

/** The exporters that the stack runs, by their services in compose. */
async function importExporters(
  project: ComposeProject | undefined,
  taken: ReadonlyMap<UsedService, ComposeService>,
  prometheus: InputFile | undefined,
  { draft, inputs, addresses }: Parts,
): Promise<Map<ComposeService, ImportedExporter>> {
  const exporters = new Map<ComposeService, ImportedExporter>();
  const root = prometheus?.tree?.root;
  const jobs = soleTargets(root);
  const named = addressesIn(root);
  for (const service of project?.services ?? []) {
    if (serviceOf(service.image) !== undefined || ![...taken.keys()].includes('prometheus')) continue;
    const what = `services.${service.name}`;
    const place = exporterPlace(service, project?.name ?? '');
    const isExporter = place.exporter !== undefined || /exporter/.test(repositoryOf(service.image));
    let exporter: ImportedExporter | string;
    if (place.exporter !== undefined && isProber(place.exporter) && !service.networks.includes('host')) {
      exporter = await importProber(service, { draft, inputs }, { ...place, exporter: place.exporter });
      if (typeof exporter !== 'string') {
        addresses.addTaken(service.hosts, place.exporter.port, exporter.address, pathPrefix(service));
      }
    } else {
      const targets = place.isExported ? named : [...jobs.keys()];
      const target = targets.find((address) => service.hosts.includes(address.split(':')[0] ?? ''));
      const job = place.isExported ? jobWith(root, target ?? '') : jobs.get(target ?? '');
      if (target === undefined || job === undefined || named.filter((address) => address === target).length > 1) {
        if (isExporter)
          draft.findings.left(what, service.where, 'no job has it as its only target; it stays with compose');
        continue;
      }
      exporter = await importExporter(service, { draft, inputs, job, target }, place);
    }
    if (typeof exporter === 'string') {
      if (isExporter) draft.findings.left(what, service.where, `it stays with compose: ${exporter}`);
      continue;
    }
    exporters.set(service, exporter);
    draft.findings.taken(what, service.where, exporter.path.join('.'));
  }
  return exporters;
}

/** Rule files without a prometheus.yml that names them. */
function importLooseRules(inputs: InputFiles, hasPrometheus: boolean, draft: StackDraft): void {
  if (hasPrometheus) return;
  for (const file of inputs.ofKind('rules')) addRules(file, draft);
}

async function settingsFile(service: ComposeService, inputs: InputFiles): Promise<readonly InputFile[]> {
  const [path] = await filesAt(service.environment.get('GF_PATHS_CONFIG')?.text ?? '/etc/grafana/grafana.ini', {
    folder: '/nowhere',
    inContainer: '/',
    mounts: service.mounts,
  });
  const file = path === undefined ? undefined : await inputs.open(path);
  return file === undefined ? [] : [file];
}

/** A stack that is imported has the rules and dashboards that it had before. */
function withoutShipped(draft: StackDraft): void {
  const isOn = (key: string): boolean => childOf(draft.root, key, 'enabled') === undefined;
  if (isOn('prometheus') && !draft.shipped.has('rules')) {
    draft.set(
      ['prometheus', 'shipped_rules'],
      plainNode('false'),
      "promstack's own alerting rules would notify your receivers: remove this line to load them.",
    );
  }
  if (isOn('grafana') && !draft.shipped.has('dashboards')) {
    draft.set(
      ['grafana', 'shipped_dashboards'],
      plainNode('false'),
      "Remove this line to load promstack's own dashboards.",
    );
  }
}

const kindNames: Readonly<Partial<Record<FileKind, string>>> = {
  prometheus: 'config of Prometheus',
  alertmanager: 'config of Alertmanager',
  rules: 'rule file',
  datasources: 'file of datasources',
  dashboardProviders: 'file of dashboard providers',
  grafanaOther: 'provisioning file',
};

function reportUnused(inputs: InputFiles, project: ComposeProject | undefined, draft: StackDraft): void {
  const imported = new Set(draft.findings.all.flatMap(({ where, what }) => [where?.file, what]));
  for (const file of inputs.unused) {
    if (file.kind === 'compose' && project !== undefined) {
      draft.findings.left(file.shown, undefined, `${project.file} is imported; name this file too to merge it`);
    }
    const kind = kindNames[file.kind];
    if (kind === undefined || imported.has(file.shown)) continue;
    const why = project === undefined ? 'no config names it' : 'no service that is imported mounts it';
    draft.findings.left(file.shown, undefined, `this ${kind} is not used: ${why}`);
  }
}
