import { createReadStream } from 'node:fs';
import { lstat, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import type { CommandRunner } from './apt.ts';
import type { Recipe } from './recipes.ts';

/** The user the official images run as. */
export const nobody = 65534;

/** A file that the image needs is not in the packages. */
export class MissingFileError extends Error {
  override readonly name = 'MissingFileError';
}

/** Completes a folder of unpacked packages to the root file system of a recipe's image. */
export async function layOutRoot(root: string, recipe: Recipe, run: CommandRunner): Promise<void> {
  // Suites with a merged /usr have no files in these folders, and need them as links.
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) await link(`usr/${name}`, join(root, name));
  for (const [path, debianPath] of Object.entries(recipe.programs)) {
    await requireFile(root, debianPath);
    await link(`/${debianPath}`, join(root, path));
  }
  const authorities = 'usr/share/ca-certificates/mozilla';
  for (const path of ['bin/busybox', 'usr/share/zoneinfo', authorities]) await requireFile(root, path);
  const applets = await run(join(root, 'bin/busybox'), ['--list']);
  for (const applet of applets.split('\n')) await link('busybox', join(root, 'bin', applet));

  for (const folder of ['home', 'root', 'tmp', 'var/tmp', recipe.home])
    await mkdir(join(root, folder), { recursive: true });
  const files = {
    'etc/passwd': `root:x:0:0:root:/root:/bin/sh\nnobody:x:${nobody}:${nobody}:nobody:/home:/bin/false\n`,
    'etc/group': `root:x:0:\nnobody:x:${nobody}:\n`,
    'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    'etc/ssl/certs/ca-certificates.crt': await concatenate(join(root, authorities)),
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

/** Creates a link unless its path exists. */
async function link(target: string, path: string): Promise<void> {
  await symlink(target, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

async function requireFile(root: string, path: string): Promise<void> {
  await lstat(join(root, path)).catch(() => {
    throw new MissingFileError(`none of its packages has /${path}`);
  });
}

async function concatenate(folder: string): Promise<string> {
  const names = (await readdir(folder)).sort();
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('');
}

/** Documentation, which a container does not need. */
const documentation = /^usr\/share\/(bug|doc|info|lintian|locale|man)(\/|$)/;

/** A folder's root file system as a tar stream. Everything but the recipe's home is owned by root. */
export function toTarStream(root: string, recipe: Recipe): Readable {
  const archive = pack();
  const tar = Readable.from(archive as unknown as AsyncIterable<Buffer>, { objectMode: false });
  addEntries(archive, root, recipe.home.slice(1)).catch((error: unknown) => archive.destroy(error as Error));
  return tar;
}

async function addEntries(archive: Pack, root: string, home: string): Promise<void> {
  const modes: Readonly<Record<string, number>> = { root: 0o700, tmp: 0o1777, 'var/tmp': 0o1777 };
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(root, path);
    if (documentation.test(name)) continue;
    const owner = name === home ? nobody : 0;
    const header = { name, uid: owner, gid: owner, mtime: new Date(0) };
    if (entry.isSymbolicLink()) archive.entry({ ...header, type: 'symlink', linkname: await readlink(path) });
    else if (entry.isDirectory()) archive.entry({ ...header, type: 'directory', mode: modes[name] ?? 0o755 });
    else await addFile(archive, path, header);
  }
  archive.finalize();
}

/** Adds a file without its setuid bit, readable by all: a service does not run as root. */
async function addFile(archive: Pack, path: string, header: { readonly name: string }): Promise<void> {
  const { size, mode } = await stat(path);
  await new Promise<void>((resolve, reject) => {
    const sink = archive.entry({ ...header, size, mode: mode & 0o111 ? 0o755 : 0o644 }, (error) =>
      error ? reject(error) : resolve(),
    );
    pipeline(createReadStream(path), sink as unknown as Writable).catch(reject);
  });
}
