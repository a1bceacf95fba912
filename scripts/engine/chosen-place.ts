import { homedir } from 'node:os';
import { isLocal } from './endpoint.ts';
import type { Environment } from './environment.ts';
import { dockerContext, dockerHost } from './strategies.ts';

/**
 * Whether published ports are this machine's, told without asking an engine: unless the person chose another place, by
 * DOCKER_HOST or a docker context, engines are looked for on this machine only.
 */
export async function isEngineHere(env: Environment, home = env.HOME ?? homedir()): Promise<boolean> {
  const surroundings = { env, home, platform: process.platform, uid: process.getuid?.() };
  const chosen = (await dockerHost.choose?.(surroundings)) ?? (await dockerContext.choose?.(surroundings));
  // Nothing is known of a place that cannot be used.
  return chosen === undefined || (chosen.kind === 'endpoint' && isLocal(chosen.endpoint));
}
