import { lstat, readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path/posix';
import { readElfNeeds } from './elf.ts';

/** One entry of an image's root file system; paths are without the first slash. */
export type TreeEntry = { readonly path: string } & (
  | { readonly kind: 'copy'; readonly from: string; readonly size: number; readonly mode: number }
  | { readonly kind: 'text'; readonly content: string }
  | { readonly kind: 'directory'; readonly mode: number; readonly owner: number }
  | { readonly kind: 'link'; readonly to: string }
);

/** A root file system being put together out of a folder into which packages were unpacked. */
export class RootTree {
  readonly #unpacked: string;
  readonly #entries = new Map<string, TreeEntry>();
  /** What `include` was asked for: a folder can be there as the parent of something, without all that is in it. */
  readonly #included = new Set<string>();

  constructor(unpacked: string) {
    this.#unpacked = unpacked;
  }

  /** Parents first. */
  entries(): readonly TreeEntry[] {
    return [...this.#entries.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
  }

  add(entry: TreeEntry): void {
    const parent = dirname(entry.path);
    if (parent !== '.' && !this.#entries.has(parent)) {
      this.add({ kind: 'directory', path: parent, mode: 0o755, owner: 0 });
    }
    this.#entries.set(entry.path, entry);
  }

  has(path: string): boolean {
    return this.#entries.has(path);
  }

  /** Takes over a file under another name, with every library it needs; false when no package has it. */
  async addProgram(path: string, from: string): Promise<boolean> {
    const source = await realpath(join(this.#unpacked, from)).catch(() => undefined);
    if (source === undefined) return false;
    await this.#copy(path, source);
    await this.#addNeeds(source);
    return true;
  }

  /** Takes over a file or a folder with all that is in it, and whatever its links lead to; a link into the void is left out. */
  async include(path: string): Promise<boolean> {
    if (this.#included.has(path)) return this.#entries.has(path);
    this.#included.add(path);
    const source = join(this.#unpacked, path);
    const told = await lstat(source).catch(() => undefined);
    if (told === undefined) return false;
    if (told.isDirectory()) {
      this.add({ kind: 'directory', path, mode: 0o755, owner: 0 });
      for (const name of await readdir(source)) await this.include(join(path, name));
    } else if (told.isSymbolicLink()) {
      await this.#includeLink(path, await readlink(source));
    } else {
      await this.#copy(path, source);
    }
    return true;
  }

  async #includeLink(path: string, to: string): Promise<void> {
    const target = to.startsWith('/') ? to.slice(1) : normalize(join(dirname(path), to));
    this.add({ kind: 'link', path, to });
    if (!(await this.include(target))) this.#entries.delete(path);
  }

  async #copy(path: string, from: string): Promise<void> {
    const { size, mode } = await stat(from);
    this.add({ kind: 'copy', path, from, size, mode: mode & 0o111 ? 0o755 : 0o644 });
  }

  /** The loader has to be where the program says; libraries stay where Debian has them, where the loader looks. */
  async #addNeeds(source: string): Promise<void> {
    const needs = await readElfNeeds(source);
    if (needs?.interpreter !== undefined) {
      const path = needs.interpreter.slice(1);
      await this.#copy(path, await this.#findLibrary(basename(path), source));
    }
    for (const library of needs?.libraries ?? []) {
      const found = await this.#findLibrary(library, source);
      const path = found.slice(this.#unpacked.length + 1);
      const named = join(dirname(path), library);
      if (this.has(named)) continue;
      await this.#copy(named, found);
      await this.#addNeeds(found);
    }
  }

  async #findLibrary(name: string, neededBy: string): Promise<string> {
    for (const folder of await libraryFolders(this.#unpacked)) {
      const found = await realpath(join(folder, name)).catch(() => undefined);
      if (found !== undefined) return found;
    }
    throw new MissingFileError(`${basename(neededBy)} needs ${name}, which none of its packages has`);
  }
}

/** The packages lack a file that the image cannot do without. */
export class MissingFileError extends Error {
  override readonly name = 'MissingFileError';
}

/** `lib`, `lib64` and their folders for one kind of machine, with and without `usr`. */
async function libraryFolders(unpacked: string): Promise<readonly string[]> {
  const tops = ['lib', 'usr/lib', 'lib64', 'usr/lib64', 'lib32', 'usr/lib32'].map((name) => join(unpacked, name));
  const below = await Promise.all(
    tops.map(async (top) => {
      const entries = await readdir(top, { withFileTypes: true }).catch(() => []);
      return entries.filter((one) => one.isDirectory()).map((one) => join(top, one.name));
    }),
  );
  return [...tops, ...below.flat()];
}

/** The text files of a folder, one after the other. */
export async function concatenate(folder: string, ending: string): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  const texts = names.filter((name) => name.endsWith(ending)).map((name) => readFile(join(folder, name), 'utf8'));
  return (await Promise.all(texts)).join('');
}
