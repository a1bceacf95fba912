import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import picomatch from 'picomatch';
import { isAbsence } from '../util/path-exists.ts';
import { StackError } from '../util/stack-error.ts';

export function isGlob(pattern: string): boolean {
  return /[*?[{]/.test(pattern);
}

/**
 * Files below a folder that match a pattern with `*`, `?`, `[abc]`, `{a,b}` and `**` (any number of folders), as sorted paths
 * relative to the folder. As in a shell, wildcards skip names that start with a dot, and `**` does not follow links.
 * Rejects with a StackError when a folder cannot be read, so that its files are not silently missing. (tinyglobby skips such
 * folders, pipes and broken links silently, so only the matching is from a package.)
 */
export async function findByGlob(folder: string, pattern: string): Promise<readonly string[]> {
  const segments = posix.normalize(pattern).split('/');
  const firstGlob = segments.findIndex(isGlob);
  const base = segments.slice(0, firstGlob).join('/') || (pattern.startsWith('/') ? '/' : '');
  const globs = segments.slice(firstGlob);
  const root = base.startsWith('/') ? base : join(folder, base);
  const anyDepth = globs.indexOf('**');
  const isMatch = matcher([globs.join('/')]);
  // With a slash inside braces the pattern cannot be split into segments: then every folder is searched.
  const hasMatchBelow = /\{[^}]*[/{]/.test(pattern)
    ? () => true
    : matcher(globs.slice(0, globs.at(-1) === '**' ? undefined : -1).map((_, at) => globs.slice(0, at + 1).join('/')));

  const walk = async (path: string, depth: number): Promise<readonly string[]> => {
    const inner = (await list(join(root, path))).map(async (entry) => {
      const entryPath = posix.join(path, entry.name);
      const isFollowed = anyDepth === -1 || depth < anyDepth;
      if (!(await isFolder(entry, join(root, entryPath)))) return isMatch(entryPath) ? [entryPath] : [];
      if (!hasMatchBelow(entryPath) || (entry.isSymbolicLink() && !isFollowed)) return [];
      return walk(entryPath, depth + 1);
    });
    return (await Promise.all(inner)).flat();
  };
  return (await walk('', 0)).map((path) => posix.join(base, path)).sort();
}

function matcher(patterns: readonly string[]): (path: string) => boolean {
  // Shells write `[!a]`, picomatch `[^a]`; parentheses and the like are not wildcards here.
  const forms = patterns.map((pattern) => pattern.replaceAll('[!', '[^').replaceAll(/[()|+@]/g, '\\$&'));
  return forms.length === 0 ? () => false : picomatch(forms, { nonegate: true, noextglob: true });
}

async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return stat(path).then(
    (target) => target.isDirectory(),
    () => false,
  );
}

async function list(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    // A folder that does not exist, or is a file, has no matches.
    if (isAbsence(cause)) return [];
    const { code } = cause as NodeJS.ErrnoException;
    throw new StackError({
      doing: 'searching for files',
      why: `the folder ${folder} cannot be read (${code ?? String(cause)})`,
      tryThis: 'make it readable for this user, or use files in another folder',
      cause,
    });
  }
}

/** A range in reverse order such as `z-a`, which matches nothing; undefined when there is none. */
export function backwardRange(pattern: string): string | undefined {
  const classes = [...pattern.matchAll(/\[[!^]?([^\]/]+)\]/g)].map(([, characters = '']) => characters);
  return classes
    .flatMap((characters) => characters.match(/.-./gsu) ?? [])
    .find((range) => (range.codePointAt(0) ?? 0) > (range.slice(range.indexOf('-', 1) + 1).codePointAt(0) ?? 0));
}
