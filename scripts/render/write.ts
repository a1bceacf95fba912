import { readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import type { RenderedFile } from '../../stack/model.ts';
import { fromBytes } from '../util/file-bytes.ts';
import { makeFolder } from '../util/make-folder.ts';
import { isAbsence, pathExists } from '../util/path-exists.ts';
import { StackError } from '../util/stack-error.ts';
import { nameOf, shown, shownBytes } from './show.ts';

/** Lists the files that promstack wrote to a folder, one path per line: only these may be replaced or removed. */
const marker = '.promstack-render';

/** The files to write to a folder as `<service>/<path>`, with secrets masked. */
export interface FolderContents {
  readonly files: readonly RenderedFile[];
  /** The names of all files of the stack, when `files` is only a part of it. */
  readonly all?: readonly string[] | undefined;
}

/** A file of an earlier run that is not rendered any more is stale. */
export interface WrittenFolder {
  readonly written: readonly string[];
  /** Those that were kept. */
  readonly stale: readonly string[];
  /** Those that were removed. */
  readonly removed: readonly string[];
}

/**
 * Writes rendered files to a folder. Files of an earlier run are replaced, stale ones removed with `prune` alone; a file
 * that promstack did not write is refused before anything is written.
 */
export async function writeRendered(
  folder: string,
  { files, all = files.map(nameOf) }: FolderContents,
  { prune = false }: { readonly prune?: boolean } = {},
): Promise<WrittenFolder> {
  return orExplain(`writing the rendered files to ${folder}`, async () => {
    const written = files.map(nameOf);
    const before = await readMarker(folder);
    for (const path of written) {
      if (!before.includes(path) && (await pathExists(join(folder, path)))) throw refusal(folder, path);
    }
    const stale = await staleFiles(folder, before, all);
    if (prune) for (const path of stale) await rm(join(folder, path), { force: true });
    await makeFolder(folder);
    const partly = before.filter((path) => all.includes(path) && !written.includes(path));
    // The marker is written first, so that the files of an interrupted run are still known to be promstack's.
    const own = [...written, ...partly, ...(prune ? [] : stale)].sort();
    await writeFile(join(folder, marker), own.map((path) => `${path}\n`).join(''));
    for (const file of files) {
      const path = join(folder, nameOf(file));
      await makeFolder(dirname(path));
      // Read-only for the servers, but writable in the user's copy.
      await writeFile(path, shownBytes(file), { mode: (file.mode & 0o111) === 0 ? 0o644 : 0o755 });
    }
    return { written, stale: prune ? [] : stale, removed: prune ? stale : [] };
  });
}

/** A file of a folder that differs from what would be written; `before` or `after` is empty when it does not exist. */
export interface FolderDifference {
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly before: string;
  readonly after: string;
}

/** Compares a folder with what `writeRendered` would write, with `prune`. */
export async function compareRendered(
  folder: string,
  { files, all = files.map(nameOf) }: FolderContents,
): Promise<readonly FolderDifference[]> {
  return orExplain(`comparing the rendered files with ${folder}`, async () => {
    const compared = await Promise.all(
      files.map(async (file): Promise<FolderDifference[]> => {
        const path = nameOf(file);
        const [before, after] = [await readIfAny(join(folder, path)), shownBytes(file)];
        if (before?.equals(after) === true) return [];
        const [old, now] = [before, after].map((bytes) =>
          bytes === undefined ? '' : shown({ ...file, ...fromBytes(bytes) }),
        );
        return [{ path, kind: before === undefined ? 'added' : 'changed', before: old ?? '', after: now ?? '' }];
      }),
    );
    const stale = await staleFiles(folder, await readMarker(folder), all);
    const removed = stale.map(async (path): Promise<FolderDifference> => {
      return {
        path,
        kind: 'removed',
        before: (await readIfAny(join(folder, path)))?.toString('utf8') ?? '',
        after: '',
      };
    });
    return [...compared.flat(), ...(await Promise.all(removed))];
  });
}

/** The files of earlier runs, as far as the folder has them, that are not rendered any more. */
async function staleFiles(
  folder: string,
  before: readonly string[],
  all: readonly string[],
): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const path of before) if (!all.includes(path) && (await isInside(folder, path))) stale.push(path);
  return stale;
}

/** Whether a file exists in the folder itself, not behind a link to somewhere else. */
async function isInside(folder: string, path: string): Promise<boolean> {
  if (!(await pathExists(join(folder, path)))) return false;
  const [root, parent] = await Promise.all([realpath(folder), realpath(dirname(join(folder, path)))]);
  return `${parent}${sep}`.startsWith(`${root}${sep}`);
}

/** The files of earlier runs. Paths outside the folder are ignored. */
async function readMarker(folder: string): Promise<readonly string[]> {
  const lines = ((await readIfAny(join(folder, marker)))?.toString('utf8') ?? '').split('\n');
  return lines.filter((path) => path !== '' && !normalize(path).startsWith('..') && !path.startsWith(sep));
}

async function readIfAny(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

async function orExplain<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StackError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StackError({ doing, why, tryThis: 'use a folder that you can read and write', cause });
  }
}

function refusal(folder: string, foreign: string): StackError {
  return new StackError({
    doing: `writing the rendered files to ${folder}`,
    why: `it already contains ${foreign}, which promstack did not write`,
    tryThis: 'move it away, or use a different folder',
  });
}
