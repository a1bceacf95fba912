import { join, relative } from 'node:path/posix';
import type { ArchiveEntry } from '../engine.ts';

/** Entries that go below one directory. */
export interface EntryGroup {
  readonly directory: string;
  readonly entries: readonly ArchiveEntry[];
}

/**
 * The entries by the mount they land in. Podman unpacks an archive into the one mount that holds its directory: what
 * belongs into a volume below that would vanish in the container's own file system.
 */
export function splitByMount(
  directory: string,
  entries: readonly ArchiveEntry[],
  mounts: readonly string[],
): readonly EntryGroup[] {
  const deepestFirst = [...mounts].sort((one, other) => other.length - one.length);
  const groups = new Map<string, ArchiveEntry[]>();
  for (const entry of entries) {
    const path = join(directory, entry.path);
    const mount = deepestFirst.find((target) => path === target || path.startsWith(`${target}/`));
    const home = mount === undefined || directory.startsWith(mount) ? directory : mount;
    const below = relative(home, path);
    // The mount itself is there already.
    if (below === '') continue;
    groups.set(home, [...(groups.get(home) ?? []), { ...entry, path: below }]);
  }
  return [...groups].map(([home, group]) => ({ directory: home, entries: group }));
}
