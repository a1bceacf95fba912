import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, posix, relative } from 'node:path';
import { matchesGoGlob } from '../../stack/values/go-glob.ts';
import { findByGlob, isGlob } from '../config/glob.ts';
import type { InputFiles } from './input-files.ts';

/** A file or a folder of the host that a container has at `target`. */
export interface BindMount {
  /** Absolute. */
  readonly source: string;
  readonly target: string;
}

/** How the paths in a server's config lead to files of the host. */
export interface FileView {
  /** The folder of the config file on the host. */
  readonly folder: string;
  /** Its folder in the container. */
  readonly inContainer: string;
  readonly mounts: readonly BindMount[];
}

/** The usual folders of servers' configs, whose files are beside the config file when nothing says where they are. */
const usualFolders = /^\/etc\/(?:prometheus|alertmanager|grafana)\//;

/** The files of the host that a path or a glob in a config stands for, absolute and sorted. */
export async function filesAt(pattern: string, { folder, inContainer, mounts }: FileView): Promise<readonly string[]> {
  const path = isAbsolute(pattern) ? pattern : posix.join(inContainer, pattern);
  const longestFirst = mounts.toSorted((a, b) => b.target.length - a.target.length);
  // By their paths in the container, where a mount hides what a folder above it has at its path.
  const found = new Map<string, string>();
  for (const { source, target } of longestFirst) {
    const isDirectory = (await stat(source).catch(() => undefined))?.isDirectory() ?? false;
    const root = target.replace(/\/$/, '');
    if (!isDirectory && matchesGoGlob(path, target) && !found.has(target)) found.set(target, source);
    if (isDirectory && path.startsWith(`${root}/`)) {
      for (const file of await matching(source, path.slice(root.length + 1))) {
        const place = `${root}/${relative(source, file)}`;
        if (!found.has(place)) found.set(place, file);
      }
      break;
    }
  }
  const paths = new Set(found.values());
  if (paths.size === 0) {
    const besideConfig = isAbsolute(pattern) ? pattern.replace(usualFolders, '') : pattern;
    if (!isAbsolute(besideConfig)) for (const file of await matching(folder, besideConfig)) paths.add(file);
  }
  return [...paths].sort();
}

/** The mount that has a path of the container. */
export const mountOf = (path: string, mounts: readonly BindMount[]): BindMount | undefined =>
  mounts
    .filter(({ target }) => `${path}/`.startsWith(`${target.replace(/\/$/, '')}/`))
    .toSorted((a, b) => b.target.length - a.target.length)[0];

/** The content of a file of a container; undefined when it was not found. */
export async function contentAt(
  path: string,
  mounts: readonly BindMount[],
  inputs: InputFiles,
): Promise<string | undefined> {
  const [found] = await filesAt(path, { folder: '/nowhere', inContainer: '/', mounts });
  const file = found === undefined ? undefined : await inputs.open(found);
  return file?.bytes.toString('utf8').trim();
}

async function matching(folder: string, pattern: string): Promise<readonly string[]> {
  if (!isGlob(pattern)) {
    const path = join(folder, pattern);
    const stats = await stat(path).catch(() => undefined);
    return stats?.isFile() === true ? [path] : [];
  }
  return (await findByGlob(folder, pattern).catch(() => [])).map((path) => join(folder, path));
}

/** A glob in the folder of a copied file that has it too: that of the pattern by which it was found, else its path. */
export function globBeside(place: string, pattern: string): string {
  const glob = `${dirname(place)}/${basename(pattern)}`;
  return isGlob(pattern) && !glob.includes('**') && matchesGoGlob(glob, place) ? glob : place;
}

/** The path of a file beside stack.yml: its path below the folder of the config, else its name in `fallback`. */
export function placeBeside(path: string, folder: string, fallback: string, reserved: readonly string[] = []): string {
  const below = relative(folder, path);
  const isBelow = !below.startsWith('..') && !isAbsolute(below);
  if (!isBelow) return `${fallback}/${basename(path)}`;
  const [top = ''] = below.split('/');
  return reserved.includes(top) || dirname(below) === '.' ? `${fallback}/${basename(path)}` : below;
}
