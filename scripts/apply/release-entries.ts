import { Secret } from '../../stack/secret.ts';
import type { ArchiveEntry } from '../engine/engine.ts';
import type { DesiredService } from '../plan/desired.ts';
import type { ServiceRelease } from '../plan/plan.ts';
import { maskedFolder, placeOf, type ReleaseFolder } from '../state/release-folder.ts';

const root = { uid: 0, gid: 0 } as const;

/** The folder that holds a service's release and nothing else, to be cleared before the release is put there. */
export function releasePlace(service: string, folder: ReleaseFolder): string {
  return `${service}/releases/${placeOf(folder)}`;
}

/** The archive entries that put a service's release into its folder. */
export function releaseEntries(
  { service, spec, release }: Pick<DesiredService, 'service' | 'spec' | 'release'>,
  folder: ReleaseFolder,
): ArchiveEntry[] {
  if (release === undefined) return [];
  const place = releasePlace(service.name, folder);
  const [uid = 0, gid = 0] = spec.user.split(':').map(Number);
  const file = (path: string, text: string, mode: number): ArchiveEntry => ({
    kind: 'file',
    path,
    content: Buffer.from(text),
    mode,
    uid,
    gid,
  });
  const files = release.files.flatMap(({ path, content, masked, mode }): ArchiveEntry[] => {
    const at = `${service.name}/releases/${folder}/${path}`;
    if (!(content instanceof Secret)) return [file(at, content, mode)];
    return [
      file(at, content.reveal(), mode),
      file(`${place}/${maskedFolder}/${path}`, masked ?? `${content}\n`, 0o444),
    ];
  });
  return [
    { kind: 'directory', path: `${service.name}/releases`, mode: 0o755, ...root },
    ...foldersOf([`${service.name}/releases/${folder}/`, ...files.map(({ path }) => path)], place),
    ...files,
  ];
}

/** The archive entries that point each service's `current` at its release. */
export function switchEntries(releases: readonly ServiceRelease[]): ArchiveEntry[] {
  return releases.map(({ service, folder }) => ({
    kind: 'link',
    path: `${service}/current`,
    to: `releases/${folder}`,
    ...root,
  }));
}

/** The folders that hold the paths, from a base downwards. */
function foldersOf(paths: readonly string[], base: string): ArchiveEntry[] {
  const folders = new Set<string>([base]);
  for (const path of paths) {
    for (let folder = parentOf(path); folder.length > base.length; folder = parentOf(folder)) folders.add(folder);
  }
  return [...folders].sort().map((path) => ({ kind: 'directory', path, mode: 0o755, ...root }));
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));
