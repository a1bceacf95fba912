import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Endpoint, parseAddress, type TlsMaterial } from './endpoint.ts';
import type { Environment } from './environment.ts';

/** What a strategy may look at. */
export interface StrategyContext {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  /** The person's home folder. */
  readonly home: string;
  /** The person's user id; undefined where users have none. */
  readonly uid: number | undefined;
}

/** A place where an engine may listen; `named` says what named it: `DOCKER_HOST`, `docker context "lab"`. */
export type EngineAddress = { readonly named: string } & (
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
  /** It was named and cannot be tried. */
  | { readonly kind: 'unusable'; readonly why: string }
);

/** One way to know where engines listen. */
export interface Strategy {
  /** What the person chose, if they chose by this way: then nothing else is tried, as the docker command does it. */
  choose?(surroundings: StrategyContext): Promise<EngineAddress | undefined>;
  /** Where an engine listens unless told otherwise. */
  guess?(surroundings: StrategyContext): readonly EngineAddress[];
}

/** A socket or, on Windows, a named pipe of this machine as a place. */
function socketPlace(named: string, path: string): EngineAddress {
  const scheme = path.startsWith('//./pipe/') ? 'npipe' : 'unix';
  return { named, kind: 'endpoint', endpoint: { kind: 'socket', address: `${scheme}://${path}`, path } };
}

/** The folder for the person's own sockets; where a login session did not name it, the place systemd gives it. */
function runtimeFolder({ env, uid, platform }: StrategyContext): string | undefined {
  if (env.XDG_RUNTIME_DIR !== undefined && env.XDG_RUNTIME_DIR !== '') return env.XDG_RUNTIME_DIR;
  return platform === 'linux' && uid !== undefined ? `/run/user/${uid}` : undefined;
}

/** The authority, certificate and key a folder holds under the names the docker command gives them; undefined when none is there. */
async function readTlsFolder(folder: string, verify: boolean): Promise<TlsMaterial | undefined> {
  const read = (name: string) => readFile(join(folder, name)).catch(() => undefined);
  const [ca, cert, key] = await Promise.all([read('ca.pem'), read('cert.pem'), read('key.pem')]);
  if (ca === undefined && cert === undefined) return undefined;
  return {
    verify,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** The address the caller gives. */
export function givenAddress(address: string | undefined): Strategy {
  return {
    choose: async () => {
      if (address === undefined) return undefined;
      const endpoint = parseAddress(address);
      const named = 'the address given';
      if (endpoint === undefined) return { named, kind: 'unusable', why: `${address} is no address of an engine` };
      return { named, kind: 'endpoint', endpoint };
    },
  };
}

/** The variables DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH. */
export const dockerHost: Strategy = {
  choose: async ({ env, home }) => {
    const address = env.DOCKER_HOST;
    if (address === undefined || address === '') return undefined;
    const named = 'DOCKER_HOST';
    const unusable = (why: string): EngineAddress => ({ named, kind: 'unusable', why });
    const wantsTls = env.DOCKER_TLS_VERIFY !== undefined && env.DOCKER_TLS_VERIFY !== '';
    const folder = env.DOCKER_CERT_PATH ?? env.DOCKER_CONFIG ?? join(home, '.docker');
    const tls = wantsTls ? await readTlsFolder(folder, true) : undefined;
    if (wantsTls && tls === undefined) return unusable(`DOCKER_TLS_VERIFY is set and ${folder} holds no ca.pem`);
    const endpoint = parseAddress(address, tls);
    return endpoint === undefined
      ? unusable(`${address} is no address of an engine; it begins with unix://, tcp:// or ssh://`)
      : { named, kind: 'endpoint', endpoint };
  },
};

/** The docker command's current context: DOCKER_CONTEXT, or `docker context use`. */
export const dockerContext: Strategy = {
  choose: async (surroundings) => {
    const folder = surroundings.env.DOCKER_CONFIG ?? join(surroundings.home, '.docker');
    const name = await currentContext(folder, surroundings);
    return name === undefined || name === '' || name === 'default' ? undefined : readContext(folder, name);
  },
};

async function currentContext(folder: string, { env }: StrategyContext): Promise<string | undefined> {
  if (env.DOCKER_CONTEXT !== undefined && env.DOCKER_CONTEXT !== '') return env.DOCKER_CONTEXT;
  const config = await readJson<{ readonly currentContext?: string }>(join(folder, 'config.json'));
  return config?.currentContext;
}

async function readContext(folder: string, name: string): Promise<EngineAddress> {
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

/** Where Docker listens by default. */
export const defaultSocket: Strategy = {
  guess: ({ platform }) => {
    const path = platform === 'win32' ? '//./pipe/docker_engine' : '/var/run/docker.sock';
    return [socketPlace('Docker', path)];
  },
};

/** Where a Docker of the person's own listens. */
export const rootlessDocker: Strategy = {
  guess: (surroundings) => {
    const folder = runtimeFolder(surroundings);
    const sockets = [
      ...(folder === undefined ? [] : [join(folder, 'docker.sock')]),
      join(surroundings.home, '.docker/run/docker.sock'),
    ];
    return surroundings.platform === 'win32' ? [] : sockets.map((path) => socketPlace('rootless Docker', path));
  },
};

/** Where Podman listens with Docker's API: the person's own, the machine's, and that of `podman machine`. */
export const podman: Strategy = {
  guess: (surroundings) => {
    if (surroundings.platform === 'win32') return [socketPlace('Podman', '//./pipe/podman-machine-default')];
    const folder = runtimeFolder(surroundings);
    const sockets = [
      ...(folder === undefined ? [] : [join(folder, 'podman/podman.sock')]),
      '/run/podman/podman.sock',
      ...(surroundings.platform === 'darwin'
        ? [join(surroundings.home, '.local/share/containers/podman/machine/podman.sock')]
        : []),
    ];
    return sockets.map((path) => socketPlace('Podman', path));
  },
};

/** Where Docker Desktop listens on Linux; elsewhere it takes the places of Docker itself. */
export const dockerDesktop: Strategy = {
  guess: ({ platform, home }) =>
    platform === 'linux' ? [socketPlace('Docker Desktop', join(home, '.docker/desktop/docker.sock'))] : [],
};

/** Where colima's default machine listens. */
export const colima: Strategy = {
  guess: ({ platform, home }) =>
    platform === 'win32' ? [] : [socketPlace('colima', join(home, '.colima/default/docker.sock'))],
};
