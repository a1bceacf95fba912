import type { KeyPath } from '../diagnostic.ts';
import type { UserFiles } from '../service.ts';

/** A file of any kind, which keeps its path. */
export const fileOfUser = { into: '', extensions: [], isAnyFile: true } as const satisfies Partial<UserFiles>;

/** The files that a service's key `files` lists. */
export function configFiles(
  key: KeyPath,
  globs: readonly string[],
  options: Pick<UserFiles, 'reserved' | 'areSecret'>,
): readonly UserFiles[] {
  return globs.map((glob, at) => ({
    ...fileOfUser,
    key: [...key, at],
    glob,
    ...options,
  }));
}

/** What to do instead of placing a file where promstack writes one for each secret. */
export const secretsReserved = { secrets: 'use another folder, or write !file PATH where the secret is needed' };
