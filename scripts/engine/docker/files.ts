import type Dockerode from 'dockerode';
import type { Engine } from '../engine.ts';
import { asking, askingFor } from './errors.ts';
import { packEntries, unpackEntries } from './tar.ts';

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
        const answer = (await docker.getContainer(id).infoArchive({ path })) as {
          readonly headers: Readonly<Record<string, string | undefined>>;
        };
        const header = answer.headers['x-docker-container-path-stat'] ?? '';
        const stat = JSON.parse(Buffer.from(header, 'base64').toString()) as { readonly linkTarget?: string };
        return stat.linkTarget === undefined || stat.linkTarget === '' ? undefined : stat.linkTarget;
      }),
  };
}
