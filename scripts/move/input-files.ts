import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { isMap, isSeq } from 'yaml';
import type { SourceRange } from '../../stack/diagnostic.ts';
import { knownSettings } from '../../stack/grafana/known-settings.ts';
import { displayPath } from '../util/display-path.ts';
import { conversionHint, isFolder, notFound, readBytes } from '../util/read-text.ts';
import type { Findings } from './findings.ts';
import { childOf, itemsOf, keyOf, pairsOf, readTree, type Tree, textOf } from './yaml-tree.ts';

/** What a file is, by its content. */
export type FileKind =
  | 'compose'
  | 'prometheus'
  | 'alertmanager'
  | 'rules'
  | 'dashboard'
  | 'datasources'
  | 'dashboardProviders'
  | 'grafanaOther'
  | 'grafanaSettings'
  | 'other';

export interface InputFile {
  /** Absolute. */
  readonly path: string;
  /** As the user would type it. */
  readonly shown: string;
  readonly kind: FileKind;
  readonly bytes: Buffer;
  /** Whether the user named it, rather than a folder that it is in. */
  readonly isNamed: boolean;
  /** Of a YAML or JSON file that is not a dashboard. */
  readonly tree?: Tree | undefined;
}

/** The limit for a file, as for those that stack.yml names. */
const maxBytes = 8 * 2 ** 20;
/** The limit for the files below the folders that the user names. */
const maxFiles = 20_000;

const skippedFolders = new Set(['node_modules', '.git', '.github', 'vendor', '__pycache__', '.venv']);
const readExtensions = new Set(['.yml', '.yaml', '.json', '.rules', '.rule', '.ini']);

/** The files of an import: those that the user named, and those that these refer to. */
export class InputFiles {
  readonly #cwd: string;
  readonly #findings: Findings;
  readonly #known = new Map<string, InputFile>();
  readonly #used = new Set<string>();
  readonly #unreadable = new Set<string>();

  constructor(cwd: string, findings: Findings) {
    this.#cwd = cwd;
    this.#findings = findings;
  }

  /** A path as the user would type it. */
  shown(path: string): string {
    return displayPath(path, this.#cwd);
  }

  get all(): readonly InputFile[] {
    return [...this.#known.values()];
  }

  ofKind(kind: FileKind): readonly InputFile[] {
    return this.all.filter((file) => file.kind === kind);
  }

  /** Reads a file or a folder that the user named. */
  async add(path: string): Promise<void> {
    const shown = displayPath(path, this.#cwd);
    const stats = await stat(path).catch(() => undefined);
    if (stats?.isDirectory() === true) {
      const { files: paths, unreadable } = await filesBelow(path);
      for (const { folder, code } of unreadable) {
        const why = `this folder cannot be read (${code})`;
        if (folder === path)
          this.#findings.wrong(`${shown} cannot be read (${code})`, undefined, 'check its owner and mode');
        else this.#findings.left(displayPath(folder, this.#cwd), undefined, why);
      }
      if (paths.length > maxFiles) {
        this.#findings.wrong(`${shown} has more than ${maxFiles} files`, undefined, 'name the folder of the stack');
        return;
      }
      for (const file of paths) await this.#read(file, false);
    } else {
      await this.#read(path, true);
    }
  }

  /** Adds a file that is written in another one, such as a config in a compose file. */
  addContent(path: string, text: string, where: SourceRange | undefined, name: string): void {
    const shown = where === undefined ? name : where.file;
    this.#known.set(path, recognise(path, shown, Buffer.from(text), false, this.#findings));
  }

  /** The file that a config refers to; undefined for one that does not exist or cannot be read. */
  async open(path: string): Promise<InputFile | undefined> {
    this.#used.add(path);
    return this.#read(path, false);
  }

  /** The files that no config refers to. */
  get unused(): readonly InputFile[] {
    return this.all.filter(({ path }) => !this.#used.has(path));
  }

  async #read(path: string, isNamed: boolean): Promise<InputFile | undefined> {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const shown = displayPath(path, this.#cwd);
    const stats = await stat(path).catch(() => undefined);
    // Opening a pipe would wait for whoever writes to it.
    const isSpecial = stats !== undefined && !stats.isFile() && !stats.isDirectory();
    const bytes = isSpecial
      ? { because: 'is a pipe, a socket or a device', hint: 'name a file' }
      : await readBytes(path, { limit: maxBytes });
    if ('because' in bytes) {
      const isKnown = this.#unreadable.has(path);
      this.#unreadable.add(path);
      if (!isKnown && (isNamed || ![notFound, isFolder].includes(bytes.because))) {
        const hint = bytes.hint ?? 'it is no config of a server: name the files of the stack without it';
        this.#findings.wrong(`${shown} ${bytes.because}`, { ...fileStart(shown), isHidden: true }, hint);
      }
      return undefined;
    }
    const file = recognise(path, shown, bytes, isNamed, this.#findings);
    this.#known.set(path, file);
    return file;
  }
}

export const fileStart = (file: string) => ({ file, line: 1, column: 1, offset: 0, length: 1 });

/** What is below a folder: its files, and the folders that cannot be read. */
interface Below {
  readonly files: string[];
  readonly unreadable: { readonly folder: string; readonly code: string }[];
}

/** Follows links, each folder once. */
async function filesBelow(
  folder: string,
  below: Below = { files: [], unreadable: [] },
  seen: Set<string> = new Set(),
): Promise<Below> {
  const own = await realpath(folder).catch(() => folder);
  if (seen.has(own)) return below;
  seen.add(own);
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    below.unreadable.push({ folder, code: error.code ?? error.message });
    return [];
  });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    const kind = entry.isSymbolicLink() ? await stat(path).catch(() => entry) : entry;
    if (kind.isDirectory() && !skippedFolders.has(entry.name)) await filesBelow(path, below, seen);
    else if (kind.isFile() && readExtensions.has(extname(entry.name))) below.files.push(path);
    if (below.files.length > maxFiles) break;
  }
  return below;
}

function recognise(path: string, shown: string, bytes: Buffer, isNamed: boolean, findings: Findings): InputFile {
  const file = { path, shown, bytes, isNamed };
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  // The folders above those of the stack say nothing of it.
  const near = path.split('/').slice(-2).join('/');
  if (extname(path) === '.ini') {
    const sections = [...text.matchAll(/^\s*\[([^\]\n]+)\]/gm)].map(([, section = '']) => section);
    const isGrafana = /graf|custom/.test(near) && sections.some((section) => knownSettings.has(section));
    return { ...file, kind: isGrafana ? 'grafanaSettings' : 'other' };
  }
  const isBinary = bytes.subarray(0, 8000).includes(0) || text.includes('\uFFFD');
  if (isBinary) {
    if (isNamed || mainName.test(path)) {
      const where = { ...fileStart(shown), isHidden: true };
      findings.wrong(`${shown} is not UTF-8 text`, where, conversionHint(bytes));
    }
    return { ...file, kind: 'other' };
  }
  if (extname(path) === '.json') return { ...file, kind: isDashboard(text) ? 'dashboard' : 'other' };
  if (text.trim() === '' && (isNamed || mainName.test(path))) {
    const message = `${shown} is empty`;
    if (isNamed) findings.wrong(message, fileStart(shown), 'name a file of the stack');
    else findings.left(shown, fileStart(shown), 'it is empty');
    return { ...file, kind: 'other', tree: readTree(text, shown) };
  }
  const tree = readTree(text, shown);
  const isValid = tree.root !== undefined || tree.diagnostics.length === 0;
  // A template of a chart is not YAML; a config may have templates of notifications.
  const isTemplate = !isValid && /^\s*(?:\{\{|\{%)/m.test(text);
  if (isTemplate || (/^apiVersion:\s*\S*[a-z/]/m.test(text) && /^kind:/m.test(text))) {
    if (isNamed) findings.wrong(`${shown} is not the config of a server`, fileStart(shown), kubernetes);
    return { ...file, kind: 'other' };
  }
  if (!isValid) {
    if (isNamed || /prometheus|alert|grafana|compose|rules/.test(near)) findings.problems.push(...tree.diagnostics);
    return { ...file, kind: 'other' };
  }
  const kind = kindOf(tree);
  const isOldCompose = kind === 'other' && pairsOf(tree.root).some(({ value }) => textOf(childOf(value, 'image')));
  if (isOldCompose && (isNamed || /compose/.test(basename(path)))) {
    findings.wrong(
      `${shown} has no "services"`,
      fileStart(shown),
      'write its services below "services:", as compose reads them',
    );
    return { ...file, kind };
  }
  if (isNamed && kind === 'other' && !/\.env|env$/.test(basename(path))) {
    findings.wrong(`${shown} is none of the files that an import reads`, fileStart(shown), readable);
  }
  return { ...file, kind, tree };
}

/** The usual names of the main files of a stack. */
const mainName = /(?:^|\/)(?:prometheus|alertmanager|(?:docker-)?compose)\.ya?ml$/;

const kubernetes = 'an object of Kubernetes or a template of a chart: render it, and name the config in it';
const readable =
  'these are prometheus.yml, rule files, alertmanager.yml, compose.yaml, and the provisioning and dashboards of Grafana';

function isDashboard(text: string): boolean {
  return /"(?:panels|rows|schemaVersion)"\s*:/.test(text) && !/"mappings"\s*:\s*\{/.test(text);
}

const prometheusKeys = [
  'scrape_configs',
  'rule_files',
  'remote_write',
  'remote_read',
  'alerting',
  'scrape_config_files',
];

/** Keys of the collector of OpenTelemetry, of Promtail and of Grafana Agent. */
const collectorKeys = ['exporters', 'processors', 'service', 'clients', 'positions', 'logs', 'metrics', 'traces'];

/** By the keys at the top of the file. */
function kindOf({ root }: Tree): FileKind {
  const keys = new Set(pairsOf(root).map(keyOf));
  const has = (...names: readonly string[]): boolean => names.some((name) => keys.has(name));
  if (isMap(childOf(root, 'services')) || has('include')) return 'compose';
  if (has('datasources') && itemsOf(childOf(root, 'datasources')).some((item) => childOf(item, 'type') !== undefined)) {
    return 'datasources';
  }
  if (has('providers')) return 'dashboardProviders';
  if (has('contactPoints', 'policies', 'muteTimes', 'apps', 'templates') && has('apiVersion')) return 'grafanaOther';
  if (has('groups')) {
    const isGrafana = itemsOf(childOf(root, 'groups')).some((group) => textOf(childOf(group, 'folder')) !== undefined);
    return isGrafana ? 'grafanaOther' : 'rules';
  }
  // The receivers of a collector of OpenTelemetry are a mapping.
  const isList = (key: string): boolean => isSeq(childOf(root, key));
  if (textOf(childOf(root, 'route', 'receiver')) !== undefined || isList('receivers') || isList('inhibit_rules')) {
    return 'alertmanager';
  }
  // Configs of collectors of logs and traces have scrape_configs or "global" too.
  if (has(...collectorKeys)) return 'other';
  if (has(...prometheusKeys) || isMap(childOf(root, 'global'))) return 'prometheus';
  return 'other';
}
