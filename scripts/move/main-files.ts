import { basename, dirname } from 'node:path';
import { isMap } from 'yaml';
import type { UsedService } from '../../stack/own-items.ts';
import { flagsOf } from './compose-limits.ts';
import type { ComposeService } from './compose-project.ts';
import { fileStart, type InputFile, type InputFiles } from './input-files.ts';
import { type FileView, filesAt } from './mounted-files.ts';
import type { StackDraft } from './stack-draft.ts';
import { childOf, itemsOf, textOf } from './yaml-tree.ts';

/** The compose files that the user named, or the usual one of the folder with its override. */
export function chooseCompose(files: readonly InputFile[]): readonly InputFile[] {
  const named = files.filter(({ isNamed }) => isNamed);
  const depthOf = ({ path }: InputFile): number => path.split('/').length;
  const usual = files
    .filter(({ path }) => /^(?:docker-)?compose\.ya?ml$/.test(basename(path)))
    .toSorted((a, b) => depthOf(a) - depthOf(b));
  const [main] = named.length > 0 ? named : usual.length > 0 ? usual : files;
  if (main === undefined) return [];
  const override = files.filter(
    ({ path }) => dirname(path) === dirname(main.path) && /^(?:docker-)?compose\.override\.ya?ml$/.test(basename(path)),
  );
  const chosen = named.length > 0 ? named : [main, ...override];
  return chosen;
}

const defaultConfigs = {
  prometheus: '/etc/prometheus/prometheus.yml',
  alertmanager: '/etc/alertmanager/alertmanager.yml',
} as const;

export interface FoundConfig {
  readonly file: InputFile;
  readonly view: FileView;
}

/** The config file of a server: the one that its container has, else the only one of its kind. */
export async function configOf(
  key: 'prometheus' | 'alertmanager',
  taken: ReadonlyMap<UsedService, ComposeService>,
  inputs: InputFiles,
  draft: StackDraft,
): Promise<FoundConfig | undefined> {
  const service = taken.get(key);
  const path = (service && flagsOf(service).find(({ name }) => name === 'config.file')?.value) ?? defaultConfigs[key];
  const mounts = service?.mounts ?? [];
  const [mounted] = service === undefined ? [] : await filesAt(path, { folder: '/nowhere', inContainer: '/', mounts });
  if (mounted !== undefined) {
    const file = await inputs.open(mounted);
    // A file of comments alone is a config without settings.
    const isEmpty = file?.tree !== undefined && file.tree.root === undefined;
    if (file !== undefined && !isEmpty && !isMap(file.tree?.root)) {
      const message = `${file.shown}, which ${service?.name} mounts as its config, is not a config of ${key}`;
      draft.findings.wrong(message, fileStart(file.shown), 'import the stack where all of its files are');
      return undefined;
    }
    if (file !== undefined) return { file, view: { folder: dirname(mounted), inContainer: dirname(path), mounts } };
    const message = `${inputs.shown(mounted)}, which ${service?.name} mounts as its config, cannot be read`;
    draft.findings.wrong(message, service?.where, 'import the stack where all of its files are');
    return undefined;
  }
  const candidates = inputs.ofKind(key);
  const included = await Promise.all(candidates.map((file) => includedBy(file, dirname(defaultConfigs[key]), mounts)));
  const [first, second] = candidates.filter(({ path: own }) => !included.flat().includes(own));
  if (first === undefined) {
    if (service !== undefined) reportHidden(service, key, path, draft);
    return undefined;
  }
  if (second !== undefined) {
    const message = `there are two configs of ${key}: ${first.shown} and ${second.shown}`;
    draft.findings.wrong(message, fileStart(second.shown), 'name the one to import, and its rule files');
  }
  await inputs.open(first.path);
  return { file: first, view: { folder: dirname(first.path), inContainer: dirname(defaultConfigs[key]), mounts } };
}

/** Reports a config that is where an import does not look: in a named volume, or in a config of a swarm. */
function reportHidden({ name, unknown, volumes, where }: ComposeService, key: string, path: string, draft: StackDraft) {
  const config = unknown.find(({ target }) => target === path);
  const volume = volumes.find(({ target }) => path.startsWith(`${target.replace(/\/$/, '')}/`));
  const holder =
    config !== undefined
      ? `config ${config.name}, whose content is not in the compose file`
      : volume && `volume ${volume.volume}, which an import does not read`;
  if (holder === undefined) return;
  const message = `the config of ${key}, ${path} of the service ${name}, is in the ${holder}`;
  const hint = `copy it out with "docker cp CONTAINER:${path} .", and import that file too`;
  draft.findings.wrong(message, config?.where ?? where, hint);
}

/** The files of jobs that a prometheus.yml names. */
async function includedBy({ path, tree }: InputFile, inContainer: string, mounts: FileView['mounts']) {
  const patterns = itemsOf(childOf(tree?.root, 'scrape_config_files')).flatMap((item) => textOf(item) ?? []);
  const view = { folder: dirname(path), inContainer, mounts };
  return (await Promise.all(patterns.map((pattern) => filesAt(pattern, view)))).flat();
}
