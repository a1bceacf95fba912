import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { registryOf } from './images/reference.ts';
import type { Environment } from './strategies.ts';

/** Credentials for a registry, as the engine's API takes them. */
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
  const fromProgram = program === undefined ? undefined : await askProgram(program, server, env, signal);
  return fromProgram ?? fromAuths(config, server);
}

async function readDockerConfig(env: Environment): Promise<DockerConfig> {
  const folder = env.DOCKER_CONFIG ?? join(env.HOME ?? homedir(), '.docker');
  try {
    return JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as DockerConfig;
  } catch {
    // No file, or one that the docker command could not read either: a registry that requires credentials will say so.
    return {};
  }
}

function fromAuths(config: DockerConfig, server: string): RegistryCredentials | undefined {
  const known = Object.entries(config.auths ?? {}).find(([name]) => hostOf(name) === hostOf(server))?.[1];
  if (known?.identitytoken !== undefined) return { serveraddress: server, identitytoken: known.identitytoken };
  if (known?.auth === undefined) return undefined;
  const plain = Buffer.from(known.auth, 'base64').toString();
  const colon = plain.indexOf(':');
  if (colon < 0) return undefined;
  return { serveraddress: server, username: plain.slice(0, colon), password: plain.slice(colon + 1) };
}

/** Keys used to be addresses: `https://registry.example.org/v1/`. */
function hostOf(name: string): string {
  return name.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

/** The credential-helper protocol: the server's name on stdin, JSON on stdout; a token has its own user name. */
async function askProgram(
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
  const answer = failed ? undefined : parseAnswer(stdout);
  if (answer === undefined) return undefined;
  return answer.Username === '<token>'
    ? { serveraddress: server, identitytoken: answer.Secret }
    : { serveraddress: server, username: answer.Username, password: answer.Secret };
}

function parseAnswer(answer: string): { readonly Username: string; readonly Secret: string } | undefined {
  try {
    return JSON.parse(answer) as { readonly Username: string; readonly Secret: string };
  } catch {
    return undefined;
  }
}
