import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAddress } from '../endpoint.ts';
import type { Place, Strategy, Surroundings } from './strategy.ts';
import { readTlsFolder } from './tls-folder.ts';

/** The docker command's current context: DOCKER_CONTEXT, or `docker context use`. */
export const dockerContext: Strategy = {
  choose: async (surroundings) => {
    const folder = surroundings.env.DOCKER_CONFIG ?? join(surroundings.home, '.docker');
    const name = await currentContext(folder, surroundings);
    return name === undefined || name === '' || name === 'default' ? undefined : readContext(folder, name);
  },
};

async function currentContext(folder: string, { env }: Surroundings): Promise<string | undefined> {
  if (env.DOCKER_CONTEXT !== undefined && env.DOCKER_CONTEXT !== '') return env.DOCKER_CONTEXT;
  const config = await readJson<{ readonly currentContext?: string }>(join(folder, 'config.json'));
  return config?.currentContext;
}

async function readContext(folder: string, name: string): Promise<Place> {
  const named = `docker context "${name}"`;
  // The docker command keeps each context in a folder named by the hash of its name.
  const id = createHash('sha256').update(name).digest('hex');
  const meta = await readJson<ContextMeta>(join(folder, 'contexts/meta', id, 'meta.json'));
  const told = meta?.Endpoints?.docker;
  if (told?.Host === undefined)
    return { named, kind: 'unusable', why: `there is no context of that name in ${folder}` };
  const tls = await readTlsFolder(join(folder, 'contexts/tls', id, 'docker'), told.SkipTLSVerify !== true);
  const endpoint = parseAddress(told.Host, tls);
  return endpoint === undefined
    ? { named, kind: 'unusable', why: `its address ${told.Host} is none promstack knows` }
    : { named, kind: 'endpoint', endpoint };
}

interface ContextMeta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean } };
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
