import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { registryOf } from './images/reference.ts';
import type { Environment } from './strategies.ts';

/** Who to be at a registry, as the engine's API takes it. */
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

/** The name under which the docker command keeps Docker Hub's credentials. */
const dockerHub = 'https://index.docker.io/v1/';

/** What `docker login` left for the registry of a reference; undefined when nothing did, and the pull goes without. */
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
    // No file, or one the docker command could not read either: a registry that wants credentials will say so.
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

/** Keys were written as addresses once: `https://registry.example.org/v1/`. */
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
  const child = spawn(`docker-credential-${program}`, ['get'], { env, signal, stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(server);
  const [answer, exitCode] = await Promise.all([text(child.stdout), ended]);
  if (exitCode !== 0) return undefined;
  const told = parseAnswer(answer);
  if (told === undefined) return undefined;
  return told.Username === '<token>'
    ? { serveraddress: server, identitytoken: told.Secret }
    : { serveraddress: server, username: told.Username, password: told.Secret };
}

function parseAnswer(answer: string): { readonly Username: string; readonly Secret: string } | undefined {
  try {
    return JSON.parse(answer) as { readonly Username: string; readonly Secret: string };
  } catch {
    return undefined;
  }
}
