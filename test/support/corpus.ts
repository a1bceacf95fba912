import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { isMap, isScalar, parseDocument } from 'yaml';
import { renderStack } from '../../scripts/render/render-stack.ts';
import { revealed } from '../../scripts/render/show.ts';
import { folderWith } from './config.ts';
import { openTools, type Tools } from './tools.ts';

/** What a whole file of somebody's monitoring stack is. */
type FileKind = 'prometheus' | 'alertmanager' | 'rules' | 'dashboard';

/** A file, and what promstack and the server's own tool say of it. */
export interface Judged {
  readonly path: string;
  readonly kind: FileKind;
  /** Promstack's own errors, before any tool runs. */
  readonly errors: readonly string[];
  /** Whether the server's tool accepts the file; undefined for a dashboard, which has no tool. */
  readonly isValid?: boolean | undefined;
  /** Whether the tool accepts what promstack renders from the file; undefined when promstack refuses it. */
  readonly isRenderedValid?: boolean | undefined;
  /** The tool's first complaint about the file, or about what promstack renders. */
  readonly complaint?: string | undefined;
}

/** Whether promstack takes a file that the server refuses, or the other way round. */
export function isDisagreement({ errors, isValid, isRenderedValid }: Judged): boolean {
  return isValid !== undefined && isValid !== (errors.length === 0 && isRenderedValid === true);
}

interface NativeFile {
  readonly path: string;
  readonly kind: FileKind;
  /** The file without what names further files, which are not at hand. */
  readonly native: string | Buffer;
  /** The files of a stack that has this file's content. */
  readonly stack: Readonly<Record<string, string | Buffer>>;
}

/** The keys of stack.yml that sections of a prometheus.yml go to have the same names, but for those that name files. */
const fileKeys = ['rule_files', 'scrape_config_files', 'templates'];

const sections: Readonly<Record<'prometheus' | 'alertmanager', readonly string[]>> = {
  prometheus: [
    ...['global', 'scrape_configs', 'alerting', 'remote_write', 'remote_read', 'storage', 'tracing', 'otlp', 'runtime'],
    ...['rule_files', 'scrape_config_files'],
  ],
  alertmanager: [
    'route',
    'receivers',
    'inhibit_rules',
    'time_intervals',
    'mute_time_intervals',
    'templates',
    'tracing',
  ],
};

/** Reads a file of another stack; undefined when it is none of the kinds. */
export async function readNativeFile(file: string, folder: string): Promise<NativeFile | undefined> {
  const path = relative(folder, file);
  const bytes = await readFile(file);
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (/\.json$/.test(path)) {
    const isDashboard = /"(?:panels|rows|schemaVersion)"/.test(text) && !/"mappings"\s*:\s*\{/.test(text);
    if (!isDashboard) return undefined;
    const stack = { 'stack.yml': 'name: corpus\ngrafana: {dashboards: [a.json]}\n', 'a.json': text };
    return { path, kind: 'dashboard', native: text, stack };
  }
  const kind = kindOf(text, path);
  if (kind === undefined) return undefined;
  if (kind === 'rules') {
    const stack = { 'stack.yml': 'name: corpus\nprometheus: {rules: [a.yml]}\n', 'a.yml': bytes };
    return { path, kind, native: bytes, stack };
  }
  const native = withoutKeys(text, fileKeys);
  const body = native.replaceAll(/^(?:---|\.\.\.)[ \t]*(?=#|$)/gm, '').replaceAll(/^(?=.)/gm, '  ');
  return { path, kind, native, stack: { 'stack.yml': `name: corpus\n${kind}:\n${body}\n` } };
}

/** By the keys at the top of the file; a file that is not valid YAML, by its name. */
function kindOf(text: string, path: string): Exclude<FileKind, 'dashboard'> | undefined {
  // Not a config but a template of one, or an object of Kubernetes.
  if (/^\s*\{\{|^\s*\{%|^apiVersion:/m.test(text)) return undefined;
  const document = parseDocument(text, { logLevel: 'silent', prettyErrors: false, merge: true });
  const keys = isMap(document.contents)
    ? document.contents.items.map(({ key }) => String(isScalar(key) ? key.value : key))
    : [];
  if (keys.includes('groups')) return 'rules';
  if (keys.some((key) => ['route', 'receivers', 'inhibit_rules'].includes(key))) return 'alertmanager';
  if (keys.some((key) => sections.prometheus.includes(key))) {
    // A compose file or a Grafana datasource has none of them; an Alertmanager has "global" alone only when it is not valid.
    return keys.includes('services') || keys.includes('receivers') ? undefined : 'prometheus';
  }
  if (isMap(document.contents) && document.errors.length === 0) return undefined;
  return (['alertmanager', 'rules', 'prometheus'] as const).find((kind) => path.includes(kind));
}

/** The text without some keys at the top of the file and their values. */
function withoutKeys(text: string, keys: readonly string[]): string {
  const lines = text.split('\n');
  let isRemoved = false;
  return lines
    .filter((line) => {
      const key = /^(["']?)([A-Za-z_]\w*)\1\s*:/.exec(line)?.[2];
      // A list may begin in the column of its key.
      if (key !== undefined) isRemoved = keys.includes(key);
      else if (isRemoved && !/^\s|^-|^$|^#|^[\]}]/.test(line)) isRemoved = false;
      return !isRemoved;
    })
    .join('\n');
}

const commands: Readonly<Record<Exclude<FileKind, 'dashboard'>, readonly string[]>> = {
  prometheus: ['promtool', 'check', 'config'],
  alertmanager: ['amtool', 'check-config'],
  rules: ['promtool', 'check', 'rules'],
};

/** What promstack, promtool and amtool say of each file. */
export async function judge(files: readonly NativeFile[]): Promise<readonly Judged[]> {
  const rendered = new Map<NativeFile, Rendered>();
  for (const file of files) rendered.set(file, await renderFile(file));
  const verdicts = new Map<NativeFile, Pick<Judged, 'isValid' | 'isRenderedValid' | 'complaint'>>();
  for (const service of ['prometheus', 'alertmanager'] as const) {
    const judged = files.flatMap((file) =>
      file.kind === service || (file.kind === 'rules' && service === 'prometheus') ? [file] : [],
    );
    if (judged.length === 0) continue;
    const contents = judged.flatMap((file, at) => {
      const ours = rendered.get(file)?.files ?? {};
      return [
        [`native/${at}/${mainOf(file)}`, file.native] as const,
        ...Object.entries(ours).map(([path, text]) => [`ours/${at}/${path}`, text] as const),
      ];
    });
    await using tools = await openTools({ service, files: Object.fromEntries(contents) });
    for (const kind of ['prometheus', 'alertmanager', 'rules'] as const) {
      // Those that promstack takes first, since the tool probably takes them all at once.
      const ofKind = judged
        .map((file, at) => ({ file, at, errors: rendered.get(file)?.errors.length ?? 0 }))
        .filter(({ file }) => file.kind === kind)
        .sort((a, b) => Math.sign(a.errors) - Math.sign(b.errors));
      const pathOf = (tree: string, file: NativeFile, at: number) => `/files/${tree}/${at}/${mainOf(file)}`;
      const accepted = ofKind.filter(({ file }) => rendered.get(file)?.files !== undefined);
      const native = await complaints(
        tools,
        kind,
        ofKind.map(({ file, at }) => pathOf('native', file, at)),
      );
      const ours = await complaints(
        tools,
        kind,
        accepted.map(({ file, at }) => pathOf('ours', file, at)),
      );
      for (const { file, at } of ofKind) {
        const complaint = native.get(pathOf('native', file, at));
        const { errors = [], files } = rendered.get(file) ?? {};
        // Without rendered files, the verdict is the one on the file itself.
        const ourComplaint = files === undefined ? complaint : ours.get(pathOf('ours', file, at));
        verdicts.set(file, {
          isValid: complaint === undefined,
          isRenderedValid: errors.length === 0 ? ourComplaint === undefined : undefined,
          complaint: complaint ?? ourComplaint,
        });
      }
    }
  }
  return files.map((file) => ({
    path: file.path,
    kind: file.kind,
    errors: rendered.get(file)?.errors ?? [],
    ...verdicts.get(file),
  }));
}

const mainOf = ({ kind }: NativeFile): string => (kind === 'rules' ? 'rules/user/a.yml' : `${kind}.yml`);

interface Rendered {
  readonly errors: readonly string[];
  /** The files of the service that the file is for, by path; undefined for a file with a job that every stack has. */
  readonly files: Readonly<Record<string, string>> | undefined;
}

async function renderFile({ kind, stack }: NativeFile): Promise<Rendered> {
  await using folder = await folderWith(stack);
  const loading = await renderStack({ cwd: folder.path, env: {} });
  const rendering = loading.ok ? loading.value.rendering : loading;
  if (!rendering.ok) {
    // A stack has jobs of its own.
    const isClash = (message: string): boolean => message.includes('is already in use: the stack scrapes its own');
    const errors = rendering.error.filter(({ severity, message }) => severity === 'error' && !isClash(message));
    if (errors.length === 0) return { errors: [], files: undefined };
    return { errors: errors.map(({ where, message }) => `${where?.line ?? ''}: ${message}`), files: undefined };
  }
  const name = kind === 'rules' ? 'prometheus' : kind;
  const service = rendering.value.services.find(({ service }) => service.name === name);
  return { errors: [], files: Object.fromEntries((service?.files ?? []).map((file) => [file.path, revealed(file)])) };
}

/** The first complaint about each file that a tool refuses; it takes many at once, and stops at none. */
async function complaints(tools: Tools, kind: keyof typeof commands, paths: readonly string[]) {
  const found = new Map<string, string>();
  for (let from = 0; from < paths.length; from += 10) {
    const batch = paths.slice(from, from + 10);
    const tool = commands[kind].join(' ');
    // Usually all are valid. Some mistakes end the tool, with the files after it.
    const script = `${tool} "$@" >/dev/null 2>&1 && exit; for file in "$@"; do echo "== $file"; ${tool} "$file" 2>&1 || echo "== refused"; done`;
    const { stdout } = await tools.run('/bin/sh', '-c', script, 'sh', ...batch);
    for (const part of stdout.split(/^== (?=\/files)/m).slice(1)) {
      const [path = '', ...lines] = part.trimEnd().split('\n');
      if (lines.at(-1) !== '== refused') continue;
      const complaint =
        lines.find((line) => /FAILED|rror|fail|not found|unknown|cannot|invalid/.test(line)) ?? lines[0];
      found.set(path, (complaint ?? '').trim());
    }
  }
  return found;
}
