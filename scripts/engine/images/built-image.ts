import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Header, type Pack, pack } from 'tar-stream';
import { unreachable } from '../../util/unreachable.ts';
import { type Engine, EngineError } from '../engine.ts';
import type { PackageFile } from './apt/repository.ts';
import { builtReference } from './recipe-of.ts';
import { basePackages, type Recipe } from './recipes.ts';
import { nobody } from './root-layout.ts';
import type { TreeEntry } from './root-tree.ts';

/** Says of an image that promstack built it, and of which program it is. */
const programLabel = 'dev.promstack.program';

/** Where a build's parts came from. */
interface Origin {
  readonly files: readonly PackageFile[];
  readonly suite: string;
}

/** Makes an image of the root file system and names it; an image of that name that came in between is kept. */
export async function importBuilt(
  engine: Engine,
  recipe: Recipe,
  entries: readonly TreeEntry[],
  origin: Origin,
  vendor?: string,
): Promise<{ readonly reference: string; readonly version: string }> {
  const versionOf = (name: string | undefined) => origin.files.find((file) => file.name === name)?.version ?? '';
  const version = upstreamVersion(versionOf(recipe.packages[0]));
  const reference = builtReference(recipe, version, vendor);
  // Two builds at once would take the name from each other and leave an image without one.
  const unnamed = `promstack/building:${randomUUID()}`;
  await engine.importImage(toTarStream(entries), unnamed, toChanges(recipe, origin, version));
  if ((await engine.findImage(reference)) === undefined) await engine.tagImage(unnamed, reference);
  await forget(engine, unnamed);
  return { reference, version };
}

/** `1:3.5.3+ds1-6` is 3.5.3: the epoch, Debian's revision and its mark for repacked sources are not upstream's. */
export function upstreamVersion(debianVersion: string): string {
  return debianVersion
    .replace(/^\d+:/, '')
    .replace(/-[^-]*$/, '')
    .replace(/[+~.](ds|dfsg|repack)[\d.]*$/, '')
    .replace(/[^\w.-]/g, '-');
}

/** Dockerfile lines as the official image has them, and labels that say what this one is. */
export function toChanges(recipe: Recipe, origin: Origin, version: string): readonly string[] {
  const own = [...recipe.packages, ...recipe.packagesOfSomeSuites, ...basePackages, 'libc6'];
  const parts = origin.files.filter((file) => own.includes(file.name)).map((file) => `${file.name} ${file.version}`);
  const labels = {
    [programLabel]: recipe.program,
    'dev.promstack.packages': parts.sort().join(', '),
    'org.opencontainers.image.title': recipe.program,
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.description': `${recipe.program} from Debian ${origin.suite}'s packages, put together by promstack; not the official image`,
  };
  return [
    `USER ${nobody}`,
    `WORKDIR ${recipe.home}`,
    `EXPOSE ${recipe.port}`,
    ...(recipe.isVolume ? [`VOLUME ["${recipe.home}"]`] : []),
    `ENTRYPOINT ${JSON.stringify(recipe.entrypoint)}`,
    `CMD ${JSON.stringify(recipe.command)}`,
    ...Object.entries(labels).map(([name, value]) => `LABEL ${name}=${JSON.stringify(value)}`),
  ];
}

/** Another build may hold the same image: an image that is in use keeps its name until that is over. */
async function forget(engine: Engine, reference: string): Promise<void> {
  try {
    await engine.removeImage(reference);
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'conflict') throw error;
  }
}

/** A root file system as a tar stream, file by file as it is read. */
export function toTarStream(entries: readonly TreeEntry[]): Readable {
  const archive = pack();
  const tar = Readable.from(archive as unknown as AsyncIterable<Buffer>, { objectMode: false });
  write(archive, entries).catch((error: unknown) => {
    archive.destroy(error as Error);
  });
  return tar;
}

async function write(archive: Pack, entries: readonly TreeEntry[]): Promise<void> {
  for (const entry of entries) await writeEntry(archive, entry);
  archive.finalize();
}

async function writeEntry(archive: Pack, entry: TreeEntry): Promise<void> {
  const root = { name: entry.path, uid: 0, gid: 0, mtime: new Date(0) };
  switch (entry.kind) {
    case 'copy': {
      const header = { ...root, type: 'file' as const, mode: entry.mode, size: entry.size };
      await new Promise<void>((resolve, reject) => {
        const sink = archive.entry(header, (error) => (error ? reject(error) : resolve()));
        pipeline(createReadStream(entry.from), sink as unknown as Writable).catch(reject);
      });
      return;
    }
    case 'text':
      archive.entry({ ...root, type: 'file', mode: 0o644 }, entry.content);
      return;
    case 'directory':
      archive.entry(owned(root, entry.owner, entry.mode));
      return;
    case 'link':
      archive.entry({ ...root, type: 'symlink', mode: 0o777, linkname: entry.to });
      return;
    default:
      return unreachable(entry);
  }
}

function owned(root: { name: string; mtime: Date }, owner: number, mode: number): Partial<Header> & { name: string } {
  return { ...root, type: 'directory', mode, uid: owner, gid: owner };
}
