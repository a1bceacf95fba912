import type { RenderedFile } from '../../stack/model.ts';
import { Secret } from '../../stack/secret.ts';
import type { ConfigFiles } from './config-files.ts';
import { maskedFolder, placeOf, type ReleaseFolder } from './release-folder.ts';

/** Reads a release back out of a service's config volume; undefined when it is not there. What only its server may read is secret. */
export async function readRelease(
  files: ConfigFiles,
  service: string,
  folder: ReleaseFolder,
): Promise<readonly RenderedFile[] | undefined> {
  const origin = `release ${folder}`;
  const entries = await files.read(service, `releases/${folder}`);
  return entries?.flatMap((entry) => {
    if (entry.kind !== 'file') return [];
    const text = entry.content.toString('utf8');
    const isSecret = (entry.mode & 0o044) === 0;
    const content = isSecret ? new Secret(text, origin) : text;
    return [{ service, path: withoutTop(entry.path), content, mode: entry.mode, origin }];
  });
}

/** How the secret files of a release may be shown, by path; a file that is not among them may not be shown at all. */
export async function readMasked(
  files: ConfigFiles,
  service: string,
  folder: ReleaseFolder,
): Promise<ReadonlyMap<string, string>> {
  const entries = (await files.read(service, `releases/${placeOf(folder)}/${maskedFolder}`)) ?? [];
  return new Map(
    entries.flatMap((entry) =>
      entry.kind === 'file' ? [[withoutTop(entry.path), entry.content.toString('utf8')] as const] : [],
    ),
  );
}

const withoutTop = (path: string): string => path.split('/').slice(1).join('/');
