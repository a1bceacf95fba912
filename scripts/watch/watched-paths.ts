import { readdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { Secret } from '../../stack/secret.ts';
import { enabledServices } from '../../stack/services.ts';
import { isGlob } from '../config/glob.ts';
import type { LoadedStack } from '../config/loaded.ts';
import type { StackFiles } from '../config/stack-file.ts';

/** The folders and files that a stack is read from. */
export interface WatchedPaths {
  /** Folders watched without their subfolders. */
  readonly shallow: readonly string[];
  /** Folders watched with all their subfolders. */
  readonly deep: readonly string[];
  /** Files named in stack.yml, which are relevant whatever their names. */
  readonly files: readonly string[];
}

/** Folders beside stack.yml that are read completely if they exist. */
const ownFolders = ['templates', 'tests'] as const;

/** What to watch of a stack: its files and env files, every file and glob it names, its secret files, its templates and tests. */
export function watchedPaths({
  path,
  further = [],
  folder,
  config,
}: Pick<LoadedStack, 'path' | 'further' | 'folder' | 'config'>): WatchedPaths {
  const globs = enabledServices(config).flatMap((service) => service.userFiles?.(config) ?? []);
  const roots = globs.map(({ glob }) => rootOf(folder, glob));
  const secrets = secretFiles(config).map((file) => resolve(folder, file));
  const named = globs.filter(({ glob }) => !isGlob(glob)).map(({ glob }) => resolve(folder, glob));
  const deep = [
    ...ownFolders.map((name) => join(folder, name)),
    ...roots.flatMap((root) => (root.isDeep ? [root.path] : [])),
  ];
  const own = [path, ...further];
  const shallow = [
    ...[...own, ...secrets].map((file) => dirname(file)),
    ...roots.flatMap((root) => (root.isDeep ? [] : [root.path])),
  ];
  return { ...withoutRepeats(shallow, deep), files: [...new Set([...own, ...secrets, ...named])].sort() };
}

/**
 * What to watch while stack.yml is invalid: the previous paths, and the folders beside it, where a missing file is most
 * likely to appear.
 */
export async function widerPaths(
  { paths, envFiles }: StackFiles,
  before: WatchedPaths | undefined,
): Promise<WatchedPaths> {
  const own = [...paths, ...envFiles.paths];
  const folder = dirname(paths[0]);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const beside = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  const shallow = [
    ...own.map((file) => dirname(file)),
    ...beside.filter((path) => !isIgnoredBelow(path, folder)),
    ...(before?.shallow ?? []),
  ];
  return {
    ...withoutRepeats(shallow, [...ownFolders.map((name) => join(folder, name)), ...(before?.deep ?? [])]),
    files: [...new Set([...own, ...(before?.files ?? [])])],
  };
}

/** Whether a file can be part of a stack: not a temporary file of an editor or a file manager. */
export function isRelevant(path: string): boolean {
  const name = basename(path);
  return !/^\.|~$|^#.*#$|^4913$|\.sw[a-z]$|\.tmp$/.test(name);
}

/** Whether a path is in a hidden folder or node_modules, which are never part of a stack and may be very large. */
export function isIgnoredBelow(path: string, root: string): boolean {
  const below = path.slice(root.length).split(sep).filter(Boolean);
  return below.some((part) => part.startsWith('.') || part === 'node_modules');
}

/** The folder in which a glob begins, and whether it matches in subfolders. */
function rootOf(folder: string, glob: string): { readonly path: string; readonly isDeep: boolean } {
  const parts = (isAbsolute(glob) ? glob : join(folder, glob)).split('/');
  const first = parts.findIndex(isGlob);
  if (first === -1) return { path: parts.slice(0, -1).join('/') || '/', isDeep: false };
  return { path: parts.slice(0, first).join('/') || '/', isDeep: first < parts.length - 1 };
}

function secretFiles(value: unknown): readonly string[] {
  if (value instanceof Secret) {
    const file = /^!file (.*)$/.exec(value.origin)?.[1];
    return file === undefined ? [] : [file];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(secretFiles) : [];
}

/** Whether a path is below a folder. */
export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

function withoutRepeats(shallow: readonly string[], deep: readonly string[]): Omit<WatchedPaths, 'files'> {
  const covers = (folder: string, path: string): boolean => isBelow(path, folder) && !isIgnoredBelow(path, folder);
  const deepRoots = [...new Set(deep)].filter((path) => !deep.some((folder) => covers(folder, path))).sort();
  const rest = [...new Set(shallow)].filter(
    (path) => !deepRoots.some((folder) => path === folder || covers(folder, path)),
  );
  return { shallow: rest.sort(), deep: deepRoots };
}
