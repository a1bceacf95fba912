import { json } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import { engineCall, hasLabels, openStream, optionalEngineCall, toLabelFilter } from './docker/call.ts';
import { containerCalls } from './docker/containers.ts';
import { execCalls } from './docker/exec.ts';
import { fileCalls } from './docker/files.ts';
import { imageCalls } from './docker/images.ts';
import { logCalls } from './docker/logs.ts';
import { agentFor, toModemOptions } from './docker/transport.ts';
import { type Endpoint, hostOf, isLocal } from './endpoint.ts';
import {
  type Engine,
  EngineError,
  type EngineInfo,
  type EngineKind,
  type NetworkSummary,
  type VolumeSummary,
} from './engine.ts';

/** Loads dockerode. This takes longer than most calls: start it early, await it late. */
export async function loadDockerode(): Promise<typeof Dockerode> {
  return (await import('dockerode')).default;
}

/** The engine at an endpoint, through dockerode; disposing it closes its connections. */
export async function createDockerEngine(
  endpoint: Endpoint,
  kind: EngineKind,
  loading = loadDockerode(),
): Promise<Engine> {
  const Docker = await loading;
  const agent = await agentFor(endpoint);
  const docker = new Docker(toModemOptions(endpoint, agent));
  const isPodman = kind === 'podman';
  return {
    kind,
    location: { address: endpoint.address, host: hostOf(endpoint), isLocal: isLocal(endpoint) },
    info: (signal) =>
      engineCall<EngineInfo>(
        'asking the engine for its version',
        async () => {
          const response = await openStream(docker, { method: 'GET', path: '/version', query: {}, signal });
          const { Version: version, Arch: arch } = (await json(response)) as Dockerode.DockerVersion;
          return { version, arch };
        },
        signal,
      ),
    ...containerCalls(docker, isPodman),
    ...execCalls(docker),
    ...logCalls(docker),
    ...fileCalls(docker, isPodman),
    ...volumeCalls(docker),
    ...networkCalls(docker),
    ...imageCalls(docker),
    [Symbol.asyncDispose]: async () => agent.destroy(),
  };
}

function volumeCalls(docker: Dockerode): Pick<Engine, 'listVolumes' | 'findVolume' | 'createVolume' | 'removeVolume'> {
  const find: Engine['findVolume'] = (name) =>
    optionalEngineCall(`looking for volume ${name}`, async () =>
      toVolumeSummary(await docker.getVolume(name).inspect()),
    );
  return {
    listVolumes: (labels) =>
      engineCall('listing volumes', async () => {
        const { Volumes: volumes } = await docker.listVolumes({ filters: toLabelFilter(labels) });
        return (volumes ?? []).map(toVolumeSummary).filter((volume) => hasLabels(volume.labels, labels));
      }),

    findVolume: find,

    createVolume: async (name, labels) => {
      const doing = `creating volume ${name}`;
      // The engine answers with the volume, which dockerode's own method does not return.
      const request = {
        method: 'POST',
        path: '/volumes/create',
        query: {},
        body: { Name: name, Labels: labels },
      } as const;
      for (let tries = 1; ; tries++) {
        try {
          const create = async () => (await json(await openStream(docker, request))) as VolumeResponse;
          const created = toVolumeSummary(await engineCall(doing, create));
          if (hasLabels(created.labels, labels)) return created;
        } catch (error) {
          // Podman rejects a name that a concurrent call has just created.
          if (!(error instanceof EngineError) || error.code !== 'conflict') throw error;
        }
        // It existed already: once Docker was restarted, only this call answers with such a volume's labels.
        const existing = await find(name);
        if (existing !== undefined) return existing;
        // Another call has removed it since.
        if (tries === 3) throw new EngineError({ code: 'conflict', doing, message: 'others keep removing it' });
      }
    },

    removeVolume: async (name) => {
      await optionalEngineCall(`removing volume ${name}`, () => docker.getVolume(name).remove());
    },
  };
}

interface VolumeResponse {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

function toVolumeSummary({ Name: name, Labels: labels }: VolumeResponse): VolumeSummary {
  return { name, labels: labels ?? {} };
}

function networkCalls(docker: Dockerode): Pick<Engine, 'listNetworks' | 'createNetwork' | 'removeNetwork'> {
  return {
    listNetworks: (labels) =>
      engineCall('listing networks', async () => {
        const networks = await docker.listNetworks({ filters: toLabelFilter(labels) });
        return networks
          .map((network): NetworkSummary => ({ id: network.Id, name: network.Name, labels: network.Labels ?? {} }))
          .filter((network) => hasLabels(network.labels, labels));
      }),

    createNetwork: (name, labels) =>
      engineCall(`creating network ${name}`, async () => {
        const { id } = await docker.createNetwork({ Name: name, CheckDuplicate: true, Labels: { ...labels } });
        return id;
      }),

    removeNetwork: async (id) => {
      await optionalEngineCall(`removing network ${id}`, () => docker.getNetwork(id).remove());
    },
  };
}
