import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { registryOf } from './images/reference.ts';
import type { Environment } from './strategies.ts';

/** Credentials for a registry, as the engine's API expects them. */
export interface RegistryCredentials {
  readonly serveraddress: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

interface DockerConfig {
  readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string }>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

/** The key under which the docker command stores Docker Hub's credentials. */
const dockerHub = 'https://index.docker.io/v1/';

/** The credentials that `docker login` stored for the registry of a reference; undefined when there are none. */
export async function credentialsFor(
  reference: string,
  env: Environment,
  signal: AbortSignal,
): Promise<RegistryCredentials | undefined> {
  const server = registryOf(reference) ?? dockerHub;
  const config = await readDockerConfig(env);
  const program = config.credHelpers?.[server] ?? config.credsStore;
  const fromHelper = program === undefined ? undefined : await runHelper(program, server, env, signal);
  return fromHelper ?? fromAuths(config, server);
}

async function readDockerConfig(env: Environment): Promise<DockerConfig> {
  const folder = env.DOCKER_CONFIG ?? join(env.HOME ?? homedir(), '.docker');
  try {
    return JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as DockerConfig;
  } catch {
    // No file, or an invalid one: a registry that requires credentials will respond with an error.
    return {};
  }
}

function fromAuths(config: DockerConfig, server: string): RegistryCredentials | undefined {
  const entry = Object.entries(config.auths ?? {}).find(([name]) => hostOf(name) === hostOf(server))?.[1];
  if (entry?.identitytoken !== undefined) return { serveraddress: server, identitytoken: entry.identitytoken };
  if (entry?.auth === undefined) return undefined;
  const plain = Buffer.from(entry.auth, 'base64').toString();
  const colon = plain.indexOf(':');
  if (colon < 0) return undefined;
  return { serveraddress: server, username: plain.slice(0, colon), password: plain.slice(colon + 1) };
}

/** Keys used to be addresses: `https://registry.example.org/v1/`. */
function hostOf(name: string): string {
  return name.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

/** Docker's credential helper protocol: the server on stdin, JSON on stdout; a token has the user name `<token>`. */
async function runHelper(
  program: string,
  server: string,
  env: Environment,
  signal: AbortSignal,
): Promise<RegistryCredentials | undefined> {
  const { execa } = await import('execa');
  const { failed, stdout } = await execa(`docker-credential-${program}`, ['get'], {
    env,
    extendEnv: false,
    input: server,
    stderr: 'ignore',
    cancelSignal: signal,
    reject: false,
  });
  const login = failed ? undefined : parseLogin(stdout);
  if (login === undefined) return undefined;
  return login.Username === '<token>'
    ? { serveraddress: server, identitytoken: login.Secret }
    : { serveraddress: server, username: login.Username, password: login.Secret };
}

function parseLogin(json: string): { readonly Username: string; readonly Secret: string } | undefined {
  try {
    return JSON.parse(json) as { readonly Username: string; readonly Secret: string };
  } catch {
    return undefined;
  }
}
