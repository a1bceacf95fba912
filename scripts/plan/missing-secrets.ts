import type { Diagnostic } from '../../stack/diagnostic.ts';
import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import type { Engine } from '../engine/engine.ts';
import { stackRevision } from '../render/render.ts';
import type { Rendering, ServiceRendering } from '../render/rendering.ts';
import { findStack } from '../state/find-stack.ts';
import { currentFolder, readMasked, readRelease } from '../state/release-files.ts';
import { revisionOf } from '../state/release-folder.ts';
import { StackError } from '../util/stack-error.ts';
import { fileChanges, type ReleaseFiles } from './file-changes.ts';

/** The files in use of each service, by service. */
type StoredFiles = ReadonlyMap<string, ReleaseFiles>;

/** The files that the services of a stack use; none when it is not on the engine. */
export async function storedFiles(engine: Engine, stack: string): Promise<StoredFiles> {
  try {
    const { containers, files } = await findStack(engine, stack);
    const releases = [...containers.keys()].map(async (service): Promise<[string, ReleaseFiles][]> => {
      const folder = await currentFolder(files, service);
      const release = folder === undefined ? undefined : await readRelease(files, service, folder);
      if (folder === undefined || release === undefined) return [];
      const masked = await readMasked(files, service, folder);
      return [[service, { files: release.files, revision: revisionOf(folder), masked }]];
    });
    return new Map((await Promise.all(releases)).flat());
  } catch (error) {
    if (error instanceof StackError) return new Map();
    throw error;
  }
}

/**
 * The texts of missing secrets that are files of their own, from the files in use, and of those that were read already,
 * since a pipe can be read only once; by the secrets' origin.
 */
export function substitutesFrom(stored: StoredFiles, rendering: Rendering): ReadonlyMap<string, string> {
  const missing = missingOrigins(rendering);
  const texts = rendering.services.flatMap(({ service, files }) =>
    files.flatMap(({ content, secrets, path }): [string, string][] => {
      // The content of a file with inline secrets is another secret than these.
      if (!(content instanceof Secret) || secrets?.[0] !== content || !missing.has(content.origin)) return [];
      const file = stored.get(service.name)?.files.find((one) => withoutHash(one.path) === withoutHash(path));
      return file?.content instanceof Secret ? [[content.origin, file.content.reveal()]] : [];
    }),
  );
  return new Map([...secretsIn(rendering.config), ...texts]);
}

/** The texts of the secrets in a config, by their origin. */
export function secretsIn(value: unknown): readonly (readonly [string, string])[] {
  if (value instanceof Secret) return value.reveal() === '' ? [] : [[value.origin, value.reveal()]];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(secretsIn) : [];
}

/** A secret's path may end in a hash of its text. */
export const withoutHash = (path: string): string => path.replace(/-[\da-f]{4}$/, '');

/** The origins of the secrets that are missing, but for those that were read already. */
export function unknownOrigins(rendering: Rendering): ReadonlySet<string> {
  const known = new Map(secretsIn(rendering.config));
  return new Set([...missingOrigins(rendering)].filter((origin) => !known.has(origin)));
}

const missingOrigins = ({ missingSecrets = [] }: Rendering): ReadonlySet<string> =>
  new Set(missingSecrets.flatMap(({ origin }) => origin ?? []));

/**
 * The rendering with the files in use in place of files that differ by missing secrets alone, and a warning for each
 * missing secret.
 */
export function withoutMissing(
  rendering: Rendering,
  stored: StoredFiles,
  substitutes: ReadonlyMap<string, string>,
): { readonly rendering: Rendering; readonly warnings: readonly Diagnostic[] } {
  const { missingSecrets = [] } = rendering;
  const unknown = new Set([...missingOrigins(rendering)].filter((origin) => !substitutes.has(origin)));
  const services = rendering.services.map((service): ServiceRendering => {
    const running = stored.get(service.service.name);
    if (running === undefined || !service.files.some((file) => holds(file, unknown))) return service;
    const changes = fileChanges(service.service.name, running, service);
    if (changes.some(({ kind, diff }) => kind !== 'changed' || diff !== '')) return service;
    return { ...service, files: running.files, revision: running.revision };
  });
  const warnings = notCompared(missingSecrets, (origin) =>
    stored.size === 0
      ? 'there is nothing on the engine to compare with'
      : `whether ${origin} has changed since it was applied was not compared`,
  );
  return { rendering: { ...rendering, services, revision: stackRevision(services) }, warnings };
}

/** A warning for each missing secret; `effect` says what it means for a comparison. */
export function notCompared(
  missingSecrets: NonNullable<Rendering['missingSecrets']>,
  effect: (origin: string) => string,
): readonly Diagnostic[] {
  return missingSecrets.map(({ origin = '', diagnostic }) => {
    return {
      ...diagnostic,
      severity: 'warning',
      code: 'secret-not-compared',
      message: `${diagnostic.message}: ${effect(origin)}`,
    };
  });
}

/** Whether a file depends on one of these secrets. */
export function holds({ content, secrets = [] }: RenderedFile, origins: ReadonlySet<string>): boolean {
  return (
    secrets.some(({ origin }) => origins.has(origin)) || (content instanceof Secret && origins.has(content.origin))
  );
}
