import { join, resolve } from 'node:path';
import { andList } from '../../stack/values/words.ts';
import type { StackOrigin } from '../config/loaded.ts';
import type { ContainerSummary, Engine, VolumeSummary } from '../engine/engine.ts';
import { fileLabel, folderLabel, hostLabel, nameGivenLabel, roleLabel, stackLabel } from '../engine/labels.ts';

type Labelled = Pick<VolumeSummary, 'labels'> & Partial<Pick<ContainerSummary, 'createdAt'>>;

/** The labels that say from which file a stack is managed; none when that is unknown. */
export function originLabels(origin: StackOrigin | undefined): Record<string, string> {
  if (origin === undefined) return {};
  const labels = { [hostLabel]: origin.host, [folderLabel]: origin.folder, [fileLabel]: origin.file };
  return origin.isNameGiven === true ? { ...labels, [nameGivenLabel]: 'true' } : labels;
}

/**
 * The file that a stack was last managed from, by the newest of its containers that has the labels; undefined for a stack
 * made by a version that did not write them.
 */
export function originOf(resources: readonly Labelled[]): StackOrigin | undefined {
  const [newest] = resources
    .filter(({ labels }) => labels[folderLabel] !== undefined)
    .toSorted((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
  if (newest === undefined) return undefined;
  const { [hostLabel]: host = '', [folderLabel]: folder = '', [fileLabel]: file = '' } = newest.labels;
  return { host, folder, file, ...(newest.labels[nameGivenLabel] === undefined ? {} : { isNameGiven: true }) };
}

/** The absolute paths of the files. */
export function filePaths({ folder, file }: StackOrigin): readonly string[] {
  return file.split(':').map((name) => resolve(folder, name));
}

/** `/srv/shop/stack.yml`, or `/srv/shop/stack.yml with prod.yml` for several files. */
export function filesText({ folder, file }: StackOrigin): string {
  const [first = '', ...further] = file.split(':');
  return `${join(folder, first)}${further.length === 0 ? '' : ` with ${andList(further, '')}`}`;
}

export function isSameOrigin(a: StackOrigin | undefined, b: StackOrigin): boolean {
  return a?.host === b.host && a.folder === b.folder && a.file === b.file;
}

/**
 * Whether two stacks of the same file are one that was renamed: a file has several when PROMSTACK_NAME gives them their names.
 */
export function isRenamed(a: StackOrigin | undefined, b: StackOrigin): boolean {
  return isSameOrigin(a, b) && a?.isNameGiven !== true && b.isNameGiven !== true;
}

/** The name under which the file of a stack runs, by containers or services of a swarm of all stacks, when it is a different one. */
export function renamedFrom(
  resources: readonly Labelled[],
  stack: string,
  origin: StackOrigin | undefined,
): string | undefined {
  const byStack = stacksAmong(resources);
  // The file has a stack of this name already, so its name was not changed.
  if (origin === undefined || isSameOrigin(originOf(byStack.get(stack) ?? []), origin)) return undefined;
  return [...byStack].find(([name, own]) => name !== stack && isRenamed(originOf(own), origin))?.[0];
}

/**
 * The stack that is managed from a file, whatever its text is now; undefined when there is none, or more than one.
 * `givenName` is the name that PROMSTACK_NAME gives it.
 */
export async function stackManagedFrom(
  engine: Pick<Engine, 'listContainers'>,
  origin: StackOrigin,
  givenName?: string | undefined,
): Promise<string | undefined> {
  const byStack = stacksAmong(await engine.listContainers({ [stackLabel]: '' }));
  const stacks = [...byStack].flatMap(([name, own]) => {
    const from = originOf(own);
    const isIts = givenName === undefined ? from?.isNameGiven !== true : name === givenName;
    return isIts && isSameOrigin(from, origin) ? [name] : [];
  });
  return stacks.length === 1 ? stacks[0] : undefined;
}

/** The name of every stack whose stack.yml had none, before such a stack was named after its folder. */
const formerName = 'promstack';

/**
 * The name of a stack whose stack.yml has none: that of its folder. A stack that runs under the former default name, or
 * whose volumes have it, keeps that name unless it is known to be managed from a different file.
 */
export async function nameOfUnnamed(engine: Engine, origin: StackOrigin, folderName: string): Promise<string> {
  const anyStack = { [stackLabel]: '' };
  const [containers, volumes] = await Promise.all([engine.listContainers(anyStack), engine.listVolumes(anyStack)]);
  const byStack = stacksAmong<Labelled>([...containers, ...volumes]);
  if (isSameOrigin(originOf(byStack.get(folderName) ?? []), origin)) return folderName;
  const former = byStack.get(formerName);
  if (former === undefined) return folderName;
  const formerOrigin = originOf(former);
  return formerOrigin === undefined || isSameOrigin(formerOrigin, origin) ? formerName : folderName;
}

/** What belongs to each stack; checks and locks do not. */
export function stacksAmong<T extends Labelled>(resources: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const byStack = new Map<string, T[]>();
  for (const resource of resources) {
    const { [stackLabel]: stack, [roleLabel]: role } = resource.labels;
    if (stack === undefined || role === 'check' || role === 'lock') continue;
    byStack.set(stack, [...(byStack.get(stack) ?? []), resource]);
  }
  return byStack;
}
