import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Endpoint, parseAddress, type TlsMaterial } from './endpoint.ts';

/** The environment variables that the engine's code reads; `process.env` is one. */
export interface Environment {
  readonly [name: string]: string | undefined;
  readonly HOME?: string | undefined;
  readonly PATH?: string | undefined;
  readonly XDG_RUNTIME_DIR?: string | undefined;
  readonly DOCKER_HOST?: string | undefined;
  readonly DOCKER_CONTEXT?: string | undefined;
  readonly DOCKER_CONFIG?: string | undefined;
  readonly DOCKER_CERT_PATH?: string | undefined;
  readonly DOCKER_TLS_VERIFY?: string | undefined;
}

/** The inputs of the search for an engine. */
export interface StrategyContext {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  /** The user's home folder. */
  readonly home: string;
  /** The user's id; undefined on Windows. */
  readonly uid: number | undefined;
}

/** An address to try; `source` is where it was configured: `DOCKER_HOST`, `docker context "lab"`. */
export type EngineAddress = { readonly source: string } & (
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
  /** It was configured, but is invalid. */
  | { readonly kind: 'unusable'; readonly why: string }
);

/** One way for the user to choose an engine. If it returns an address, no other is tried, like in the docker command. */
export type Strategy = (context: StrategyContext) => Promise<EngineAddress | undefined>;

export function givenAddress(address: string | undefined): Strategy {
  return async () => {
    if (address === undefined) return undefined;
    return toAddress('the given address', address, parseAddress(address));
  };
}

/** The variables DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH. */
export const dockerHost: Strategy = async ({ env, home }) => {
  const address = env.DOCKER_HOST;
  if (address === undefined || address === '') return undefined;
  const source = 'DOCKER_HOST';
  const needsTls = env.DOCKER_TLS_VERIFY !== undefined && env.DOCKER_TLS_VERIFY !== '';
  const folder = env.DOCKER_CERT_PATH ?? env.DOCKER_CONFIG ?? join(home, '.docker');
  const tls = needsTls ? await readTlsFolder(folder, true) : undefined;
  if (needsTls && tls === undefined) {
    return { source, kind: 'unusable', why: `DOCKER_TLS_VERIFY is set, but ${folder} has no ca.pem` };
  }
  return toAddress(source, address, parseAddress(address, tls));
};

/** The docker command's current context: DOCKER_CONTEXT, or `docker context use`. */
export const dockerContext: Strategy = async ({ env, home }) => {
  const folder = env.DOCKER_CONFIG ?? join(home, '.docker');
  const config = () => readJson<{ readonly currentContext?: string }>(join(folder, 'config.json'));
  const name = env.DOCKER_CONTEXT || (await config())?.currentContext;
  return name === undefined || name === '' || name === 'default' ? undefined : readContext(folder, name);
};

async function readContext(folder: string, name: string): Promise<EngineAddress> {
  const source = `docker context "${name}"`;
  // The docker command stores each context in a folder named after the hash of its name.
  const id = createHash('sha256').update(name).digest('hex');
  const meta = await readJson<ContextMeta>(join(folder, 'contexts/meta', id, 'meta.json'));
  const { Host: address, SkipTLSVerify: skipVerify } = meta?.Endpoints?.docker ?? {};
  if (address === undefined) return { source, kind: 'unusable', why: `${folder} has no context of that name` };
  const tls = await readTlsFolder(join(folder, 'contexts/tls', id, 'docker'), skipVerify !== true);
  return toAddress(source, address, parseAddress(address, tls));
}

interface ContextMeta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean } };
}

function toAddress(source: string, address: string, endpoint: Endpoint | undefined): EngineAddress {
  if (endpoint !== undefined) return { source, kind: 'endpoint', endpoint };
  const why = `${address} is not an engine address: it must begin with unix://, npipe://, tcp:// or ssh://`;
  return { source, kind: 'unusable', why };
}

/** The CA, certificate and key in a folder, by the docker command's file names; undefined when there are none. */
async function readTlsFolder(folder: string, verify: boolean): Promise<TlsMaterial | undefined> {
  const read = (name: string) => readFile(join(folder, name)).catch(() => undefined);
  const [ca, cert, key] = await Promise.all([read('ca.pem'), read('cert.pem'), read('key.pem')]);
  return ca === undefined && cert === undefined ? undefined : { verify, ca, cert, key };
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Where engines listen by default: Docker, rootless Docker, Podman, Docker Desktop, colima. */
export function defaultAddresses({ env, platform, home, uid }: StrategyContext): readonly EngineAddress[] {
  if (platform === 'win32') {
    return [
      toSocket('Docker', '//./pipe/docker_engine', 'npipe'),
      toSocket('Podman', '//./pipe/podman-machine-default', 'npipe'),
    ];
  }
  // Without a login session XDG_RUNTIME_DIR is not set; systemd creates the folder here.
  const systemdFolder = platform === 'linux' && uid !== undefined ? `/run/user/${uid}` : undefined;
  const runtimeFolder = env.XDG_RUNTIME_DIR || systemdFolder;
  const inRuntimeFolder = (source: string, name: string) =>
    runtimeFolder === undefined ? [] : [toSocket(source, join(runtimeFolder, name))];
  return [
    toSocket('Docker', '/var/run/docker.sock'),
    ...inRuntimeFolder('rootless Docker', 'docker.sock'),
    toSocket('rootless Docker', join(home, '.docker/run/docker.sock')),
    ...inRuntimeFolder('Podman', 'podman/podman.sock'),
    toSocket('Podman', '/run/podman/podman.sock'),
    platform === 'darwin'
      ? toSocket('Podman', join(home, '.local/share/containers/podman/machine/podman.sock'))
      : toSocket('Docker Desktop', join(home, '.docker/desktop/docker.sock')),
    toSocket('colima', join(home, '.colima/default/docker.sock')),
  ];
}

function toSocket(source: string, path: string, scheme: 'unix' | 'npipe' = 'unix'): EngineAddress {
  return { source, kind: 'endpoint', endpoint: { kind: 'socket', address: `${scheme}://${path}`, path } };
}
