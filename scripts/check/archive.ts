import { posix } from 'node:path';
import type { RenderedFile } from '../../stack/model.ts';
import type { ArchiveEntry } from '../engine/engine.ts';
import { revealed } from '../render/show.ts';

/** Files below a directory of a container as entries to unpack at its root, folders first, all owned by `uid:gid`. */
export function toEntries(files: readonly RenderedFile[], directory: string, user: string): readonly ArchiveEntry[] {
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  const base = directory.replace(/^\//, '');
  const folders = new Set<string>([base]);
  for (const file of files) {
    for (let folder = posix.dirname(file.path); folder !== '.'; folder = posix.dirname(folder))
      folders.add(`${base}/${folder}`);
  }
  return [
    ...[...folders].sort().map((path): ArchiveEntry => ({ kind: 'directory', path, mode: 0o755, uid, gid })),
    ...files.map(
      (file): ArchiveEntry => ({
        kind: 'file',
        path: `${base}/${file.path}`,
        content: Buffer.from(revealed(file)),
        mode: file.mode,
        uid,
        gid,
      }),
    ),
  ];
}
