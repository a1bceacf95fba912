import type { ArchiveEntry } from '../../scripts/engine/engine.ts';
import { Secret } from '../../stack/secret.ts';
import type { Release } from '../../stack/service.ts';

/** A release and the link to it as archive entries for the config volume writer. */
export function releaseEntriesBelow(service: string, release: Release, user: string): readonly ArchiveEntry[] {
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  const base = `${service}/releases/${release.revision}`;
  const folders = new Set<string>([`${service}/releases`, base]);
  for (const { path } of release.files) {
    const steps = path.split('/').slice(0, -1);
    steps.forEach((_, at) => {
      folders.add(`${base}/${steps.slice(0, at + 1).join('/')}`);
    });
  }
  return [
    ...[...folders].sort().map((path): ArchiveEntry => ({ kind: 'directory', path, mode: 0o755, uid: 0, gid: 0 })),
    ...release.files.map(
      ({ path, content, mode }): ArchiveEntry => ({
        kind: 'file',
        path: `${base}/${path}`,
        content: Buffer.from(content instanceof Secret ? content.reveal() : content),
        mode,
        uid,
        gid,
      }),
    ),
    { kind: 'link', path: `${service}/current`, to: `releases/${release.revision}`, uid: 0, gid: 0 },
  ];
}
