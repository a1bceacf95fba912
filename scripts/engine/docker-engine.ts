import type { Agent } from 'node:http';
import { json } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import { containerCalls } from './docker/containers.ts';
import { engineCall } from './docker/errors.ts';
import { execCalls } from './docker/exec.ts';
import { fileCalls } from './docker/files.ts';
import { imageCalls } from './docker/images.ts';
import { logCalls } from './docker/logs.ts';
import { networkCalls } from './docker/networks.ts';
import { openStream } from './docker/request.ts';
import { sessionCalls } from './docker/sessions.ts';
import { agentFor, toModemOptions } from './docker/transport.ts';
import { volumeCalls } from './docker/volumes.ts';
import { type Endpoint, hostOf, isLocal } from './endpoint.ts';
import type { Engine, EngineInfo, EngineKind } from './engine.ts';

/** Loads dockerode, which takes longer than most of what is asked of it: begin early, wait late. */
export async function loadDockerode(): Promise<typeof Dockerode> {
  return (await import('dockerode')).default;
}

/** The engine at an endpoint, through dockerode; dispose of it to close its connections. */
export async function createDockerEngine(
  endpoint: Endpoint,
  kind: EngineKind,
  loading = loadDockerode(),
): Promise<Engine> {
  const Docker = await loading;
  const agent = agentFor(endpoint);
  const docker = new Docker(toModemOptions(endpoint, agent));
  const isPodman = kind === 'podman';
  return {
    kind,
    place: { address: endpoint.address, host: hostOf(endpoint), isLocal: isLocal(endpoint) },
    ...infoCalls(docker),
    ...containerCalls(docker, isPodman),
    ...execCalls(docker),
    ...sessionCalls(docker),
    ...logCalls(docker),
    ...fileCalls(docker, isPodman),
    ...volumeCalls(docker),
    ...networkCalls(docker),
    ...imageCalls(docker),
    ...closing(agent),
  };
}

function infoCalls(docker: Dockerode): Pick<Engine, 'info'> {
  return {
    info: (signal) =>
      engineCall<EngineInfo>(
        'asking the engine for its version',
        async () => {
          const answer = await openStream(docker, { method: 'GET', path: '/version', query: {}, signal });
          const { Version: version, Arch: arch } = (await json(answer)) as Dockerode.DockerVersion;
          return { version, arch };
        },
        signal,
      ),
  };
}

function closing(agent: Agent): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => agent.destroy(),
  };
}
