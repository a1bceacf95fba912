import type { UserFiles } from '../service.ts';

/** The files of a service's key `files`. */
export function configFiles(
  service: string,
  globs: readonly string[],
  options: Pick<UserFiles, 'reserved' | 'areSecret'>,
): readonly UserFiles[] {
  return globs.map((glob, at) => ({
    key: [service, 'files', at],
    glob,
    into: '',
    extensions: [],
    isAnyFile: true,
    ...options,
  }));
}

/** What to do instead of placing a file where promstack writes one for each secret. */
export const secretsReserved = { secrets: 'use another folder, or write !file PATH where the secret is needed' };
