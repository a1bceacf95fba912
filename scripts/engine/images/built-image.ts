import { randomUUID } from 'node:crypto';
import { type Engine, EngineError } from '../engine.ts';
import type { PackageFile } from './apt/repository.ts';
import { toTarStream } from './image-tar.ts';
import { builtReference } from './recipe-of.ts';
import { basePackages, type Recipe } from './recipes.ts';
import { nobody } from './root-layout.ts';
import type { TreeEntry } from './root-tree.ts';

/** Says of an image that promstack built it, and of which program it is. */
export const programLabel = 'dev.promstack.program';

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
