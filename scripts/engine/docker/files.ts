import { basename, dirname } from 'node:path/posix';
import type Dockerode from 'dockerode';
import type { ArchiveEntry, Engine } from '../engine.ts';
import { asking, askingFor } from './errors.ts';
import { splitByMount } from './split-by-mount.ts';
import { findEntry, packEntries, unpackEntries } from './tar.ts';

/** Writes and reads files of containers, running or not. */
export function fileCalls(
  docker: Dockerode,
  isPodman: () => Promise<boolean>,
): Pick<Engine, 'putFiles' | 'getFiles' | 'readLink'> {
  const archive = (id: string, path: string) => docker.getContainer(id).getArchive({ path });

  /** Podman archives what a link leads to: the link itself is only seen in its directory. */
  const linkInDirectory = async (id: string, path: string) => {
    const isIt = (name: string) => name.replace(/^[^/]*\//, '') === basename(path);
    const directory = await archive(id, dirname(path));
    return (await findEntry(directory, ({ name, type }) => type === 'symlink' && isIt(name)))?.linkname;
  };

  const groupsFor = async (container: Dockerode.Container, directory: string, entries: readonly ArchiveEntry[]) => {
    if (!(await isPodman())) return [{ directory, entries }];
    const { Mounts: mounts } = await container.inspect();
    return splitByMount(
      directory,
      entries,
      mounts.map((mount) => mount.Destination),
    );
  };

  return {
    putFiles: (id, directory, entries) =>
      asking(`writing files below ${directory} of container ${id}`, async () => {
        const container = docker.getContainer(id);
        for (const group of await groupsFor(container, directory, entries)) {
          await container.putArchive(await packEntries(group.entries), { path: group.directory });
        }
      }),

    getFiles: (id, path) =>
      askingFor(`reading ${path} of container ${id}`, async () => {
        const entries = await unpackEntries(await archive(id, path));
        const root = entries[0]?.path ?? '';
        return entries.map((entry) => ({ ...entry, path: below(basename(path), entry.path, root) }));
      }),

    // HEAD would be less, and tells only where the link leads in the end, not what is written in it.
    readLink: (id, path) =>
      askingFor(`reading the link ${path} of container ${id}`, async () => {
        if (await isPodman()) return linkInDirectory(id, path);
        const first = await findEntry(await archive(id, path), () => true);
        return first?.type === 'symlink' ? first.linkname : undefined;
      }),
  };
}

/**
 * An entry's path below the name that was asked for. Docker names the first entry so; Podman names it after what a link
 * leads to, or `/` at the root of a volume.
 */
function below(name: string, path: string, root: string): string {
  const rest = path.slice(root.length).replace(/^\//, '');
  return rest === '' ? name : `${name}/${rest}`;
}
