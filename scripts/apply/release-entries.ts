import { Secret } from '../../stack/secret.ts';
import type { ArchiveEntry } from '../engine/engine.ts';
import type { DesiredService } from '../plan/desired.ts';
import type { ServiceRelease } from '../plan/plan.ts';

const root = { uid: 0, gid: 0 } as const;

/** The archive entries that put a service's release below its folder of the carrier: folders first, then files. */
export function releaseEntries({ service, spec, release }: Pick<DesiredService, 'service' | 'spec' | 'release'>): ArchiveEntry[] {
  if (release === undefined) return [];
  const base = `${service.name}/releases/${release.revision}`;
  const [uid = 0, gid = 0] = spec.user.split(':').map(Number);
  const folders = new Set(release.files.flatMap((file) => parentsOf(`${base}/${file.path}`)));
  return [
    ...[...folders].sort().map((path): ArchiveEntry => ({ kind: 'directory', path, mode: 0o755, ...root })),
    ...release.files.map(
      (file): ArchiveEntry => ({
        kind: 'file',
        path: `${base}/${file.path}`,
        content: Buffer.from(file.content instanceof Secret ? file.content.reveal() : file.content),
        mode: file.mode,
        uid,
        gid,
      }),
    ),
  ];
}

/** The archive entries that point each service's `current` at its new release. */
export function switchEntries(releases: readonly ServiceRelease[]): ArchiveEntry[] {
  return releases.map(({ service, revision }) => ({
    kind: 'link',
    path: `${service}/current`,
    to: `releases/${revision}`,
    ...root,
  }));
}

/** Every folder above a path except the first, which is the volume's own mount point. */
function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.slice(1).map((_, at) => parts.slice(0, at + 2).join('/'));
}
