import { readdir, readFile } from 'node:fs/promises';
import { join, posix, relative } from 'node:path';
import { isSeq, type Node, parse, type YAMLMap } from 'yaml';
import { canaryReceiver } from '../../stack/canary.ts';
import { revisionRulePath } from '../../stack/prometheus/proofs.ts';
import { configDir } from '../../stack/values/container.ts';
import { packageRoot } from '../util/package-root.ts';
import type { ComposeService } from './compose-project.ts';
import type { InputFile } from './input-files.ts';
import type { BindMount, FileView } from './mounted-files.ts';
import type { StackDraft } from './stack-draft.ts';
import { childOf, itemsOf, takePair, textOf, toValue } from './yaml-tree.ts';

/** Whether a server's config is from a folder that `export compose` wrote. */
export const isExported = ({ inContainer }: FileView): boolean => inContainer === configDir;

/** Whether a Grafana is from an export. */
export const isExportedGrafana = ({ environment }: ComposeService): boolean =>
  environment.get('GF_PATHS_PROVISIONING')?.text === `${configDir}/provisioning`;

/** Whether a variable of an exported Grafana is from a section of stack.yml; its `grafana.config` is in grafana.ini. */
export function isOfStackFile(variable: string, { environment }: ComposeService): boolean {
  // Only a stack without a URL has this one.
  if (variable === 'GF_SERVER_ROOT_URL') return !environment.has('GF_LIVE_ALLOWED_ORIGINS');
  return /^GF_(?:SECURITY_ADMIN_PASSWORD|AUTH_ANONYMOUS_|SMTP_(?!STARTTLS_POLICY)|DATABASE_)/.test(variable);
}

/** Where an import puts files of a kind. */
const folders = { rules: 'rules', templates: 'notifications' } as const;

/** The path beside stack.yml of a file of an export; undefined for one that promstack adds to each stack. */
function pathBefore(file: string, kind: keyof typeof folders): string | undefined {
  const path = file.slice(file.lastIndexOf(`/${kind}/`) + 1);
  const user = `${kind}/user/`;
  if (!path.startsWith(user)) return undefined;
  const flat = path.slice(user.length);
  const before = flat.replaceAll('__', '/');
  const isUsual = before.startsWith(`${folders[kind]}/`) && posix.normalize(before) === before;
  return isUsual ? before : `${folders[kind]}/${flat}`;
}

/** Adds a rule file or a template of an export, at its path beside stack.yml. */
export function addExported(file: InputFile, kind: keyof typeof folders, draft: StackDraft, original: Node): void {
  const place = pathBefore(file.path, kind);
  if (place === undefined) {
    if (kind === 'rules' && !file.path.endsWith(`/${revisionRulePath}`)) draft.shipped.add('rules');
    return;
  }
  const list = kind === 'rules' ? ['prometheus', 'rules'] : ['alertmanager', 'templates'];
  draft.addTo(list, draft.copy(place, file), original);
  draft.findings.taken(file.shown, undefined, place);
}

/** Removes the route, the receiver and the inhibit rule that promstack adds to each alertmanager.yml. */
export async function removeOwnParts(root: YAMLMap): Promise<void> {
  const template = join(packageRoot(), 'templates', 'alertmanager', 'alertmanager.yml');
  const { inhibit_rules: rules } = parse(await readFile(template, 'utf8'), { logLevel: 'silent' });
  const own = new Set((rules as unknown[]).map((rule) => JSON.stringify(rule)));
  remove(root, 'inhibit_rules', (rule) => own.has(JSON.stringify(toValue(rule))));
  remove(root, 'receivers', (receiver) => textOf(childOf(receiver, 'name')) === canaryReceiver);
  const route = childOf(root, 'route');
  remove(route, 'routes', (child) => textOf(childOf(child, 'receiver')) === canaryReceiver);
}

/** Removes items of a list, and the list when it has no others. */
function remove(holder: unknown, key: string, isOwn: (item: Node) => boolean): void {
  const list = childOf(holder, key);
  if (!isSeq(list)) return;
  list.items = itemsOf(list).filter((item) => !isOwn(item));
  if (list.items.length === 0) takePair(holder, key);
}

/** The files of an exported service: a folder over whose files those of secrets are mounted. */
export const exportedMounts = ({ mounts }: ComposeService): readonly BindMount[] =>
  mounts.filter(({ target }) => target === configDir || target.startsWith(`${configDir}/`));

/** The files in them, by their paths below the folder of the config. */
export async function exportedFiles(
  mounts: readonly BindMount[],
): Promise<readonly { readonly source: string; readonly path: string; readonly isSecret: boolean }[]> {
  const secrets = mounts
    .filter(({ target }) => target !== configDir)
    .map(({ source, target }) => ({ source, path: relative(configDir, target), isSecret: true }));
  const folder = mounts.find(({ target }) => target === configDir)?.source;
  const below = folder === undefined ? [] : await readdir(folder, { recursive: true, withFileTypes: true });
  const others = below
    .filter((entry) => entry.isFile() && entry.name !== '.gitkeep')
    .map((entry) => join(entry.parentPath, entry.name))
    .map((source) => ({ source, path: relative(folder ?? '', source), isSecret: false }))
    .filter(({ path }) => !secrets.some((secret) => secret.path === path));
  return [...others, ...secrets].sort((a, b) => (a.path < b.path ? -1 : 1));
}
