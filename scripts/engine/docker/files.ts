import type { IncomingMessage } from 'node:http';
import { basename, dirname, join, relative } from 'node:path/posix';
import type Dockerode from 'dockerode';
import type { ArchiveEntry, Engine } from '../engine.ts';
import { engineCall, optionalEngineCall } from './call.ts';
import { findEntry, packEntries, unpackEntries } from './tar.ts';

export function fileCalls(docker: Dockerode, isPodman: boolean): Pick<Engine, 'putFiles' | 'getFiles' | 'readLink'> {
  const archive = (id: string, path: string) => docker.getContainer(id).getArchive({ path });

  /** Podman archives the target of a link; the link itself is only in the archive of its directory. */
  const linkInDirectory = async (id: string, path: string) => {
    const isNamed = (name: string) => name.replace(/^[^/]*\//, '') === basename(path);
    const directory = await archive(id, dirname(path));
    return (await findEntry(directory, ({ name, type }) => type === 'symlink' && isNamed(name)))?.linkname;
  };

  /** Docker's response to a HEAD request has the absolute target, 50 times faster than an archive. */
  const linkByHead = async (id: string, path: string) => {
    const response = (await docker.getContainer(id).infoArchive({ path })) as IncomingMessage;
    response.resume();
    const stat = String(response.headers['x-docker-container-path-stat'] ?? '');
    const { linkTarget } = JSON.parse(Buffer.from(stat, 'base64').toString('utf8')) as { linkTarget: string };
    return linkTarget === '' ? undefined : relative(dirname(path), linkTarget);
  };

  const groupsFor = async (container: Dockerode.Container, directory: string, entries: readonly ArchiveEntry[]) => {
    if (!isPodman) return [{ directory, entries }];
    const { Mounts: mounts } = await container.inspect();
    return splitByMount(
      directory,
      entries,
      mounts.map((mount) => mount.Destination),
    );
  };

  return {
    putFiles: (id, directory, entries) =>
      engineCall(`writing files below ${directory} of container ${id}`, async () => {
        const container = docker.getContainer(id);
        for (const group of await groupsFor(container, directory, entries)) {
          await container.putArchive(await packEntries(group.entries), { path: group.directory });
        }
      }),

    getFiles: (id, path) =>
      optionalEngineCall(`reading ${path} of container ${id}`, async () => {
        const entries = await unpackEntries(await archive(id, path));
        const root = entries[0]?.path ?? '';
        return entries.map((entry) => ({ ...entry, path: below(basename(path), entry.path, root) }));
      }),

    readLink: (id, path) =>
      optionalEngineCall(`reading the link ${path} of container ${id}`, () =>
        isPodman ? linkInDirectory(id, path) : linkByHead(id, path),
      ),
  };
}

/**
 * An entry's path below the requested name. Docker gives the first entry that name; Podman gives it the name of a link's
 * target, or `/` at the root of a volume.
 */
function below(name: string, path: string, root: string): string {
  const rest = path.slice(root.length).replace(/^\//, '');
  return rest === '' ? name : `${name}/${rest}`;
}

/** Entries to write below one directory. */
interface EntryGroup {
  readonly directory: string;
  readonly entries: readonly ArchiveEntry[];
}

/**
 * Groups the entries by mount. Podman unpacks an archive only into the mount that contains its directory: entries for a
 * volume mounted below it would end up in the container's own file system.
 */
export function splitByMount(
  directory: string,
  entries: readonly ArchiveEntry[],
  mounts: readonly string[],
): readonly EntryGroup[] {
  const deepestFirst = [...mounts].sort((first, second) => second.length - first.length);
  const groups = new Map<string, ArchiveEntry[]>();
  for (const entry of entries) {
    const path = join(directory, entry.path);
    const mount = deepestFirst.find((target) => path === target || path.startsWith(`${target}/`));
    const base = mount === undefined || directory.startsWith(mount) ? directory : mount;
    const below = relative(base, path);
    // The mount itself exists already.
    if (below === '') continue;
    groups.set(base, [...(groups.get(base) ?? []), { ...entry, path: below }]);
  }
  return [...groups].map(([base, group]) => ({ directory: base, entries: group }));
}
