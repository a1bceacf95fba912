import type { IncomingMessage } from 'node:http';
import { basename, dirname } from 'node:path/posix';
import type Dockerode from 'dockerode';
import type { Engine } from '../engine.ts';
import { asking, askingFor } from './errors.ts';
import { findEntry, packEntries, unpackEntries } from './tar.ts';

/** Writes and reads files of containers, running or not. */
export function fileCalls(docker: Dockerode): Pick<Engine, 'putFiles' | 'getFiles' | 'readLink'> {
  const archive = async (id: string, path: string) =>
    (await docker.getContainer(id).getArchive({ path })) as IncomingMessage;

  /** Podman archives what a link leads to, if that is there: the link itself is only seen in its directory. */
  const linkInDirectory = async (id: string, path: string, answer: IncomingMessage | undefined) => {
    answer?.destroy();
    const isIt = (name: string) => name.replace(/^[^/]*\//, '') === basename(path);
    const directory = await archive(id, dirname(path));
    return (await findEntry(directory, ({ name, type }) => type === 'symlink' && isIt(name)))?.linkname;
  };

  return {
    putFiles: (id, directory, entries) =>
      asking(`writing files below ${directory} of container ${id}`, async () => {
        await docker.getContainer(id).putArchive(await packEntries(entries), { path: directory });
      }),

    getFiles: (id, path) =>
      askingFor(`reading ${path} of container ${id}`, async () => {
        const entries = await unpackEntries(await archive(id, path));
        const root = entries[0]?.path ?? '';
        return entries.map((entry) => ({ ...entry, path: below(basename(path), entry.path, root) }));
      }),

    readLink: (id, path) =>
      askingFor(`reading the link ${path} of container ${id}`, async () => {
        const answer = await archive(id, path).catch(unlessAbsent);
        return answer === undefined || isPodman(answer) ? linkInDirectory(id, path, answer) : linkItself(answer);
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

/** HEAD would be less than the link's archive, and tells only where the link leads in the end, not what is written in it. */
async function linkItself(answer: IncomingMessage): Promise<string | undefined> {
  const first = await findEntry(answer, () => true);
  return first?.type === 'symlink' ? first.linkname : undefined;
}

function unlessAbsent(error: unknown): undefined {
  if ((error as { statusCode?: unknown }).statusCode !== 404) throw error;
}

function isPodman(answer: IncomingMessage): boolean {
  return String(answer.headers['server'] ?? '').startsWith('Libpod');
}
