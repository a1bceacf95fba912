import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import type { RenderedFile } from '../../stack/model.ts';
import { StackError } from '../util/stack-error.ts';
import { nameOf, shown } from './show.ts';

/** Lists the files that promstack wrote to a folder, one path per line: only these may be replaced. */
const marker = '.promstack-render';

/**
 * Writes rendered files to a folder as `<service>/<path>`, with secrets masked, and returns these paths. Files of an
 * earlier run are replaced or removed; a folder with other files is refused before anything is written.
 */
export async function writeRendered(folder: string, files: readonly RenderedFile[]): Promise<readonly string[]> {
  const paths = files.map(nameOf);
  try {
    const before = await readMarker(folder);
    const foreign = await findForeign(folder, before, paths);
    if (foreign !== undefined) throw refusal(folder, foreign);
    for (const path of before ?? []) await rm(join(folder, path), { force: true });
    await mkdir(folder, { recursive: true });
    // The marker is written first, so that the files of an interrupted run are still known to be ours.
    await writeFile(join(folder, marker), paths.map((path) => `${path}\n`).join(''));
    for (const file of files) {
      const path = join(folder, nameOf(file));
      await mkdir(dirname(path), { recursive: true });
      // Read-only for the servers, but writable in the user's copy.
      await writeFile(path, shown(file), { mode: (file.mode & 0o111) === 0 ? 0o644 : 0o755 });
    }
    return paths;
  } catch (cause) {
    if (cause instanceof StackError) throw cause;
    throw new StackError({
      doing: `writing the rendered files to ${folder}`,
      why: cause instanceof Error ? cause.message : String(cause),
      tryThis: 'use a folder that you can write to',
      cause,
    });
  }
}

/** The files of an earlier run; undefined when there was none. Paths outside the folder are ignored. */
async function readMarker(folder: string): Promise<readonly string[] | undefined> {
  try {
    const lines = (await readFile(join(folder, marker), 'utf8')).split('\n');
    return lines.filter((path) => path !== '' && !normalize(path).startsWith('..') && !path.startsWith(sep));
  } catch {
    return undefined;
  }
}

/** A file that promstack did not write and would replace; in a folder without a marker, any file. */
async function findForeign(
  folder: string,
  before: readonly string[] | undefined,
  paths: readonly string[],
): Promise<string | undefined> {
  if (before === undefined) return (await listFolder(folder))[0];
  for (const path of paths) {
    if (!before.includes(path) && (await exists(join(folder, path)))) return path;
  }
  return undefined;
}

async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function refusal(folder: string, foreign: string): StackError {
  return new StackError({
    doing: `writing the rendered files to ${folder}`,
    why: `it already contains ${foreign}, which promstack did not write`,
    tryThis: 'use an empty folder, or one that promstack rendered to before',
  });
}
