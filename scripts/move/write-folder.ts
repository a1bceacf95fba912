import { chmod, lstat, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { shortHash } from '../util/hash.ts';
import { makeFolder } from '../util/make-folder.ts';
import { isAbsence } from '../util/path-exists.ts';
import { StackError } from '../util/stack-error.ts';
import { writeFailure } from '../util/write-failure.ts';

/** A file of a folder that promstack writes. */
export interface OwnFile {
  /** Relative to the folder, with forward slashes. */
  readonly path: string;
  readonly content: Buffer;
  readonly isExecutable?: boolean | undefined;
  /** Never replaced, and never recorded. */
  readonly isSecret?: boolean | undefined;
  /** Whether a file that exists serves as well. */
  readonly isKept?: boolean | undefined;
}

/** Has a line for each file that promstack wrote: the hash of its content, and its path. */
const marker = '.promstack-export';

/** The hashes of what promstack wrote to each path; two after an export that was interrupted. */
type Written = ReadonlyMap<string, readonly string[]>;

/**
 * Writes files to a folder. One that an earlier export wrote and nobody changed since is replaced, or removed when it is no
 * longer exported; any other file at their paths is refused before anything is written. Returns the paths of removed files.
 */
export async function writeFolder(folder: string, all: readonly OwnFile[]): Promise<readonly string[]> {
  const doing = `writing the export to ${folder}`;
  try {
    const before = await readMarker(folder);
    const written: OwnFile[] = [];
    for (const file of all) {
      if (file.isKept !== true || !Buffer.isBuffer(await look(folder, file.path))) written.push(file);
    }
    const problems = (await Promise.all(written.map((file) => whyRefused(folder, file, before)))).flat();
    const [why, ...more] = problems;
    if (why !== undefined) {
      const others = more.length === 0 ? '' : `, and so for ${more.length} more`;
      throw new StackError({ doing, why: why + others, tryThis: 'move it away, or use a different folder' });
    }
    const exported = new Set(all.map(({ path }) => path));
    const removed = (
      await Promise.all(
        [...before].map(async ([path, hashes]) => {
          const present = exported.has(path) ? 'absent' : await look(folder, path);
          return Buffer.isBuffer(present) && hashes.includes(hashOf(present)) ? [path] : [];
        }),
      )
    ).flat();
    await makeFolder(folder);
    const lines = all.flatMap((file) => (file.isSecret === true ? [] : [`${hashOf(file.content)} ${file.path}\n`]));
    // Written first, so that the files of an interrupted export are known to be promstack's.
    const old = [...before].flatMap(([path, hashes]) => hashes.map((hash) => `${hash} ${path}\n`));
    await writeFile(join(folder, marker), [...new Set([...old, ...lines])].join(''));
    for (const file of written) await write(folder, file);
    for (const path of removed) await rm(join(folder, path), { force: true });
    await writeFile(join(folder, marker), lines.join(''));
    return removed;
  } catch (cause) {
    if (cause instanceof StackError) throw cause;
    throw new StackError({ doing, ...(await writeFailure(cause, folder)), cause });
  }
}

/** Servers run as users of their own, so that all may read; others on the host cannot enter the folder of secrets. */
async function write(folder: string, { path, content, isExecutable, isSecret }: OwnFile): Promise<void> {
  for (const parent of parentsOf(path)) {
    await makeFolder(join(folder, parent));
    await chmod(join(folder, parent), isSecret === true && !parent.includes('/') ? 0o700 : 0o755);
  }
  await writeFile(join(folder, path), content);
  await chmod(join(folder, path), isExecutable === true ? 0o755 : 0o644);
}

async function whyRefused(folder: string, file: OwnFile, before: Written): Promise<readonly string[]> {
  const { path, content, isSecret } = file;
  const present = await look(folder, path);
  if (present === 'absent' || (Buffer.isBuffer(present) && present.equals(content))) return [];
  if (!Buffer.isBuffer(present)) return [`${path} in it is a link, or not a file`];
  if (isSecret === true) return [`its ${path} is not the secret of the stack`];
  const hashes = before.get(path);
  if (hashes?.includes(hashOf(present)) === true) return [];
  return [
    hashes === undefined
      ? `it already contains ${path}, which promstack did not write`
      : `its ${path} was changed since promstack wrote it`,
  ];
}

/** The content of a file that is in the folder itself, not behind a link to somewhere else. */
async function look(folder: string, path: string): Promise<Buffer | 'absent' | 'foreign'> {
  try {
    for (const parent of parentsOf(path)) {
      if (!(await lstat(join(folder, parent))).isDirectory()) return 'foreign';
    }
    if (!(await lstat(join(folder, path))).isFile()) return 'foreign';
    return await readFile(join(folder, path));
  } catch (error) {
    if (isAbsence(error)) return 'absent';
    throw error;
  }
}

/** The folders above a path, from the top. */
function parentsOf(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === '.' ? [] : [...parentsOf(parent), parent];
}

/** Paths outside the folder are ignored. */
async function readMarker(folder: string): Promise<Written> {
  const text = await look(folder, marker);
  const written = new Map<string, string[]>();
  for (const line of Buffer.isBuffer(text) ? text.toString('utf8').split('\n') : []) {
    const [, hash, path] = /^([\da-f]{12}) (.+)$/.exec(line) ?? [];
    if (hash === undefined || path === undefined || isAbsolute(path) || normalize(path).startsWith('..')) continue;
    written.set(path, [...(written.get(path) ?? []), hash]);
  }
  return written;
}

const hashOf = (content: Buffer): string => shortHash(content.toString('latin1'));
