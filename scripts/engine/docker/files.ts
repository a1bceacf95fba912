import type Dockerode from 'dockerode';
import type { Engine } from '../engine.ts';
import { asking, askingFor } from './errors.ts';
import { firstEntry, packEntries, unpackEntries } from './tar.ts';

/** Writes and reads files of containers, running or not. */
export function fileCalls(docker: Dockerode): Pick<Engine, 'putFiles' | 'getFiles' | 'readLink'> {
  return {
    putFiles: (id, directory, entries) =>
      asking(`writing files below ${directory} of container ${id}`, async () => {
        await docker.getContainer(id).putArchive(await packEntries(entries), { path: directory });
      }),

    getFiles: (id, path) =>
      askingFor(`reading ${path} of container ${id}`, async () =>
        unpackEntries(await docker.getContainer(id).getArchive({ path })),
      ),

    readLink: (id, path) =>
      askingFor(`reading the link ${path} of container ${id}`, async () => {
        // HEAD tells only where the link leads in the end; the archive of the link itself says what is written in it.
        const first = await firstEntry(await docker.getContainer(id).getArchive({ path }));
        return first?.type === 'symlink' ? first.linkname : undefined;
      }),
  };
}
