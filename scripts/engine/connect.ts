import { createDockerEngine } from './docker-engine.ts';
import type { Engine } from './engine.ts';
import type { Environment } from './environment.ts';

/** Where to look for an engine. */
export interface ConnectOptions {
  /** An address given by the person, before all other places: `unix:///run/my.sock`. */
  readonly address?: string | undefined;
  readonly env: Environment;
  readonly signal?: AbortSignal | undefined;
}

/** Finds a container engine. */
export async function connect(_options: ConnectOptions): Promise<Engine> {
  return createDockerEngine({ kind: 'socket', address: 'unix:///var/run/docker.sock', path: '/var/run/docker.sock' });
}
