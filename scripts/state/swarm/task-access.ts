import { clientFiles, clientFolder } from '../../../stack/access/access.ts';
import type { AccessSpec } from '../../../stack/model.ts';
import type { Engine } from '../../engine/engine.ts';
import { stackLabel } from '../../engine/labels.ts';
import type { MountedFile } from '../../engine/swarm/swarm.ts';
import { StackError } from '../../util/stack-error.ts';
import { type ServerAccess, toServerAccess } from '../server-access.ts';
import { readSecrets, type SecretReading } from './secret-reader.ts';

/** What the server of a task asks of its clients, and the configs and secrets that it has. */
export interface TaskFiles {
  readonly access?: AccessSpec | undefined;
  readonly files: readonly Pick<MountedFile, 'kind' | 'name' | 'target'>[];
}

/** How tasks are reached, by the files that they have: those of stack.yml may differ, and may not be there. */
export function taskAccess(
  engine: Engine,
  {
    known = new Map(),
    ...reading
  }: Omit<SecretReading, 'secrets'> & { readonly known?: ReadonlyMap<string, string> | undefined },
): (task: TaskFiles) => Promise<ServerAccess | undefined> {
  const read = new Map<string, Promise<ServerAccess>>();
  const accessOf = async (access: AccessSpec, own: TaskFiles['files']): Promise<ServerAccess> => {
    const stored = await engine.swarm.listFiles({ [stackLabel]: reading.stack });
    const isOwn = (name: string): boolean => own.some((file) => file.name === name);
    const secrets = stored.filter(({ kind, name }) => kind === 'secret' && isOwn(name) && !known.has(name));
    const login = secrets.filter(({ name }) => fileAt(clientFiles.login, own)?.name === name);
    const contents = new Map([...known, ...(await readSecrets(engine, { ...reading, secrets: login }))]);
    const textOf = (path: string): string | undefined => {
      const file = fileAt(path, own);
      return file && (contents.get(file.name) ?? stored.find(({ name }) => name === file.name)?.content);
    };
    return toServerAccess(access, textOf, textOf(clientFiles.ca));
  };
  return async ({ access, files }) => {
    if (access === undefined) return undefined;
    const own = files.filter(({ target }) => target.startsWith(`${clientFolder}/`));
    const key = own.map(({ name }) => name).join();
    const opened =
      read.get(key) ??
      accessOf(access, own).catch((error: unknown) => {
        // An engine that fails now may answer the next request.
        if (!(error instanceof StackError)) read.delete(key);
        throw error;
      });
    read.set(key, opened);
    return opened;
  };
}

const fileAt = (name: string, files: TaskFiles['files']): TaskFiles['files'][number] | undefined =>
  files.find(({ target }) => target === `${clientFolder}/${name}`);
