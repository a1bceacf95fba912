import type { IncomingMessage } from 'node:http';
import { basename, dirname, join, relative } from 'node:path/posix';
import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import type { ArchiveEntry, Engine } from '../engine.ts';
import type { DockerApi } from './api.ts';
import { openStream } from './call.ts';
import { UnexpectedResponse } from './response.ts';
import { sending } from './sending.ts';
import { findEntry, packEntries, unpackEntries } from './tar.ts';

/** For `catch`: an error of the archive, not of the connection, is one of the response. */
function unlessBroken(error: Error & { readonly code?: string }): never {
  throw error.code === undefined && error.name !== 'AbortError' ? new UnexpectedResponse(error.message) : error;
}

/** From this bit on, Go's file modes say that something is a link, a folder or a device. */
const goTypeBits = 2 ** 24;

/** The slowest connection for which an upload gets enough time. */
const slowestBytesPerMs = 50;

type FileCalls = Pick<Engine, 'putFiles' | 'getFiles' | 'readArchive' | 'writeArchive' | 'readLink' | 'hasProgram'>;

export function fileCalls(api: DockerApi, isPodman: boolean): FileCalls {
  const archive = (docker: Dockerode, id: string, path: string) => docker.getContainer(id).getArchive({ path });

  /** Podman archives the target of a link; the link itself is only in the archive of its directory. */
  const linkInDirectory = async (docker: Dockerode, id: string, path: string) => {
    const isNamed = (name: string) => name.replace(/^[^/]*\//, '') === basename(path);
    const directory = await archive(docker, id, dirname(path));
    return (await findEntry(directory, ({ name, type }) => type === 'symlink' && isNamed(name)).catch(unlessBroken))
      ?.linkname;
  };

  /** A HEAD request is 50 times faster than an archive; `linkTarget` is absolute, and empty unless the path is a link. */
  const statByHead = async (docker: Dockerode, id: string, path: string) => {
    const response = (await docker.getContainer(id).infoArchive({ path })) as IncomingMessage;
    response.resume();
    const stat = response.headers['x-docker-container-path-stat'];
    if (typeof stat !== 'string') throw new UnexpectedResponse('no X-Docker-Container-Path-Stat header');
    return JSON.parse(Buffer.from(stat, 'base64').toString('utf8')) as { linkTarget: string; mode: number };
  };

  const linkByHead = async (docker: Dockerode, id: string, path: string) => {
    const { linkTarget } = await statByHead(docker, id, path);
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
    putFiles: async (id, directory, entries) => {
      const archives = await api.call(`inspecting container ${id}`, async (docker) => {
        const groups = await groupsFor(docker.getContainer(id), directory, entries);
        return Promise.all(groups.map(async (group) => ({ ...group, archive: await packEntries(group.entries) })));
      });
      const bytes = archives.reduce((sum, { archive }) => sum + archive.length, 0);
      await api.call(
        `writing files below ${directory} of container ${id}`,
        async (docker) => {
          for (const group of archives) {
            await docker.getContainer(id).putArchive(group.archive, { path: group.directory });
          }
        },
        { kind: 'change', extraMs: bytes / slowestBytesPerMs },
      );
    },

    getFiles: (id, path) =>
      api.optional(`reading ${path} of container ${id}`, async (docker) => {
        const entries = await unpackEntries(await archive(docker, id, path)).catch(unlessBroken);
        if (entries.length === 0) throw new UnexpectedResponse('');
        const root = entries[0]?.path ?? '';
        return entries.map((entry) => ({ ...entry, path: below(basename(path), entry.path, root) }));
      }),

    readArchive: async (id, path) => {
      const request = { method: 'GET', path: `/containers/${id}/archive`, query: { path } } as const;
      const doing = `reading ${path} of container ${id}`;
      const send = (docker: Dockerode) => openStream(docker, request);
      return Readable.from(await api.open(doing, send, (chunks) => chunks, { kind: 'transfer' }));
    },

    writeArchive: (id, directory, tar) =>
      api.call(
        `writing files below ${directory} of container ${id}`,
        (docker, { received }) =>
          sending(tar, received, async (source) => {
            await docker.getContainer(id).putArchive(source, { path: directory });
          }),
        { kind: 'transfer' },
      ),

    readLink: (id, path) =>
      api.optional(`reading the link ${path} of container ${id}`, (docker) =>
        isPodman ? linkInDirectory(docker, id, path) : linkByHead(docker, id, path),
      ),

    hasProgram: async (id, path) => {
      const isProgram = async (docker: Dockerode, at: string): Promise<boolean> => {
        const { linkTarget, mode } = await statByHead(docker, id, at);
        if (linkTarget !== '' && linkTarget !== at) return isProgram(docker, linkTarget);
        return mode < goTypeBits && (mode & 0o111) !== 0;
      };
      const found = await api.optional(`looking for ${path} in container ${id}`, (docker) => isProgram(docker, path));
      return found ?? false;
    },
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
