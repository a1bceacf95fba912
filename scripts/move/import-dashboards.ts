import { basename, dirname, extname, join, relative } from 'node:path';
import type { Node } from 'yaml';
import type { Addresses } from './addresses.ts';
import type { ComposeService } from './compose-project.ts';
import { dashboardContent } from './dashboard-content.ts';
import { isExportedGrafana } from './exported-parts.ts';
import type { InputFile, InputFiles } from './input-files.ts';
import { type BindMount, filesAt, mountOf } from './mounted-files.ts';
import type { StackDraft } from './stack-draft.ts';
import { childOf, isEmpty, itemsOf, keyOf, pairsOf, placeOf, textOf } from './yaml-tree.ts';

export interface GrafanaImport {
  readonly service: ComposeService | undefined;
  readonly inputs: InputFiles;
  readonly draft: StackDraft;
  readonly addresses: Addresses;
}

/** The files of a provisioning folder that Grafana's container has; without a compose file, those of the input. */
export async function provisioningFiles(
  { service, inputs }: GrafanaImport,
  folder: string,
): Promise<readonly InputFile[]> {
  if (service === undefined) return inputs.all;
  const mounts = service.mounts;
  const root = service.environment.get('GF_PATHS_PROVISIONING')?.text ?? '/etc/grafana/provisioning';
  const paths = new Set<string>();
  for (const extension of ['yml', 'yaml']) {
    const pattern = `${root}/${folder}/*.${extension}`;
    for (const path of await filesAt(pattern, { folder: '/nowhere', inContainer: '/', mounts })) paths.add(path);
  }
  const files: InputFile[] = [];
  // Grafana reads them by their names.
  for (const path of [...paths].sort()) files.push(...[await inputs.open(path)].filter((file) => file !== undefined));
  return files;
}

/** Moves the dashboards that providers load into the stack. */
export async function importDashboards(context: GrafanaImport): Promise<void> {
  const { draft, inputs } = context;
  const loaded = new Set<string>();
  let providers = 0;
  for (const file of await provisioningFiles(context, 'dashboards')) {
    if (file.kind !== 'dashboardProviders') continue;
    for (const provider of itemsOf(childOf(file.tree?.root, 'providers'))) {
      providers++;
      for (const dashboard of await importProvider(provider, file, context)) loaded.add(dashboard);
    }
  }
  for (const file of inputs.ofKind('dashboard')) {
    if (loaded.has(file.path)) continue;
    if (providers === 0) addDashboard(file, '', draft);
    else draft.findings.left(file.shown, undefined, 'no provider loads this dashboard');
  }
}

const providerKeys = new Set(['name', 'folder', 'type', 'options', 'orgId']);

async function importProvider(provider: Node, file: InputFile, context: GrafanaImport): Promise<readonly string[]> {
  const { draft, inputs, service } = context;
  const name = textOf(childOf(provider, 'name')) ?? '';
  const options = childOf(provider, 'options');
  for (const pair of pairsOf(provider)) {
    const key = keyOf(pair);
    if (providerKeys.has(key) || isEmpty(pair.value)) continue;
    draft.findings.left(
      `providers ${name} ${key}`,
      placeOf(pair.key),
      providerReasons[key] ?? 'a stack has its own provider',
    );
  }
  const path = textOf(childOf(options, 'path')) ?? textOf(childOf(options, 'folder'));
  if (path === undefined) return [];
  const folder = (textOf(childOf(provider, 'folder')) ?? '').replaceAll('/', ' - ');
  const keepsFolders = textOf(childOf(options, 'foldersFromFilesStructure')) === 'true';
  const found =
    service === undefined ? besideProvider(path, file, inputs) : await dashboardsAt(path, service.mounts, inputs);
  if (found.files.length === 0) {
    draft.findings.left(`providers ${name}`, placeOf(provider), `no dashboard was found in ${path}`);
    return [];
  }
  for (const dashboard of found.files) {
    if (service !== undefined && isExportedGrafana(service) && isShipped(dashboard)) {
      draft.shipped.add('dashboards');
      continue;
    }
    const below = keepsFolders ? dirname(relative(found.root, dashboard.path)) : '.';
    addDashboard(dashboard, below === '.' ? folder : below.replaceAll('/', ' - '), draft);
  }
  draft.findings.taken(`providers ${name}`, placeOf(provider), 'grafana.dashboards');
  return found.files.map((dashboard) => dashboard.path);
}

/** Whether promstack ships a dashboard of an export. */
const isShipped = ({ path, bytes }: InputFile): boolean =>
  basename(dirname(path)) === 'promstack' && /"uid": "promstack-/.test(bytes.toString('utf8'));

const providerReasons: Readonly<Record<string, string>> = {
  allowUiUpdates: 'edits in the browser are replaced by the next change',
  disableDeletion: 'a dashboard without its file is deleted',
  editable: 'edits in the browser are replaced by the next change',
  folderUid: 'Grafana chooses the uid of a folder',
  updateIntervalSeconds: 'promstack loads the dashboards when they change',
};

interface FoundDashboards {
  readonly root: string;
  readonly files: readonly InputFile[];
}

async function dashboardsAt(path: string, mounts: readonly BindMount[], inputs: InputFiles): Promise<FoundDashboards> {
  const folder = path.replace(/\/+$/, '');
  const view = { folder: '/nowhere', inContainer: '/', mounts };
  const paths = new Set<string>();
  // A mount below the folder is a part of it.
  const inside = mounts.filter(({ target }) => target.startsWith(`${folder}/`));
  for (const pattern of [
    `${folder}/**/*.json`,
    ...inside.map(({ target }) => `${target.replace(/\/$/, '')}/**/*.json`),
  ]) {
    for (const file of await filesAt(pattern, view)) paths.add(file);
  }
  for (const { source, target } of inside) if (extname(target) === '.json') paths.add(source);
  const files: InputFile[] = [];
  for (const file of paths) {
    const opened = await inputs.open(file);
    if (opened?.kind === 'dashboard') files.push(opened);
  }
  return { root: rootOf(folder, mounts), files };
}

function rootOf(folder: string, mounts: readonly BindMount[]): string {
  const mount = mountOf(folder, mounts);
  return mount === undefined ? folder : join(mount.source, relative(mount.target, folder));
}

/** Without a compose file, the dashboards in a folder of the name that the provider has, else those beside it, else all. */
function besideProvider(path: string, file: InputFile, inputs: InputFiles): FoundDashboards {
  const all = inputs.ofKind('dashboard');
  const name = basename(path);
  const own = all.filter((dashboard) => dirname(dashboard.path).split('/').includes(name));
  const beside = all.filter((dashboard) => dashboard.path.startsWith(`${dirname(file.path)}/`));
  const [files = []] = [own, beside, all].filter((list) => list.length > 0);
  const [first] = files;
  const steps = first === undefined ? [] : dirname(first.path).split('/');
  const at = steps.lastIndexOf(name);
  return { root: at === -1 ? dirname(file.path) : steps.slice(0, at + 1).join('/'), files };
}

function addDashboard(file: InputFile, given: string, draft: StackDraft): void {
  const { folder = given, ...content } = dashboardContent(file, draft);
  const below = (given === '' ? folder : given).replaceAll('/', ' - ');
  const place = draft.copy(`dashboards/${below === '' ? '' : `${below}/`}${basename(file.path)}`, {
    ...file,
    ...content,
  });
  draft.addTo(['grafana', 'dashboards'], 'dashboards');
  draft.findings.taken(file.shown, undefined, place);
}
