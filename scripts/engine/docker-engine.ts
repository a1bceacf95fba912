import type Dockerode from 'dockerode';
import { type ApiOptions, createDockerApi, type DockerApi } from './docker/api.ts';
import { hasLabels, requestJson, toLabelFilter } from './docker/call.ts';
import { containerCalls } from './docker/containers.ts';
import { execCalls } from './docker/exec.ts';
import { fileCalls } from './docker/files.ts';
import { imageCalls } from './docker/images.ts';
import { logCalls } from './docker/logs.ts';
import { idOf, listOf, withKeys } from './docker/response.ts';
import { agentFor, toModemOptions } from './docker/transport.ts';
import { type Endpoint, hostOf, isLocal } from './endpoint.ts';
import type { Engine, EngineKind, NetworkSummary, VolumeSummary } from './engine.ts';
import { EngineError } from './engine-error.ts';
import { dockerSwarm } from './swarm/docker-swarm.ts';

/** Loads dockerode. This takes longer than most calls: start it early, await it late. */
export async function loadDockerode(): Promise<typeof Dockerode> {
  return (await import('dockerode')).default;
}

/** The engine at an endpoint, through dockerode; disposing it closes its connections. */
export async function createDockerEngine(
  endpoint: Endpoint,
  kind: EngineKind,
  options: ApiOptions & { readonly loading?: Promise<typeof Dockerode> } = {},
): Promise<Engine> {
  const Docker = await (options.loading ?? loadDockerode());
  const agent = await agentFor(endpoint);
  const api = createDockerApi(new Docker(toModemOptions(endpoint, agent)), endpoint.address, options);
  const isPodman = kind === 'podman';
  const swarm = dockerSwarm(api, isPodman);
  return {
    kind,
    location: { address: endpoint.address, host: hostOf(endpoint), isLocal: isLocal(endpoint) },
    info: (signal) =>
      api.call(
        'asking the engine for its version',
        async (docker) => {
          const { Version: version, Arch: arch } = withKeys(await docker.version(), 'Version', 'Arch');
          return { version, arch };
        },
        { signal },
      ),
    details: (signal) =>
      api.call(
        'asking the engine about its host',
        async (docker) => {
          const found = withKeys(await docker.info(), 'ServerVersion') as {
            readonly Warnings?: readonly string[] | null;
            readonly MemoryLimit?: boolean;
            readonly CpuCfsQuota?: boolean;
            readonly MemTotal?: number;
          };
          // Podman does not have all fields.
          const {
            Warnings: warnings,
            MemoryLimit: limitsMemory = true,
            CpuCfsQuota: limitsCpus = true,
            MemTotal,
          } = found;
          return { warnings: warnings ?? [], limitsMemory, limitsCpus, memoryBytes: MemTotal || undefined };
        },
        { signal },
      ),
    ...containerCalls(api, isPodman),
    ...execCalls(api),
    ...logCalls(api),
    ...fileCalls(api, isPodman),
    ...volumeCalls(api),
    ...networkCalls(api, isPodman),
    ...imageCalls(api),
    swarm,
    [Symbol.asyncDispose]: async () => {
      await Promise.allSettled(swarm.closing);
      agent.destroy();
    },
  };
}

function volumeCalls(api: DockerApi): Pick<Engine, 'listVolumes' | 'findVolume' | 'createVolume' | 'removeVolume'> {
  const find: Engine['findVolume'] = (name) =>
    api.optional(`looking for volume ${name}`, async (docker) =>
      toVolumeSummary(await docker.getVolume(name).inspect()),
    );
  return {
    listVolumes: (labels) =>
      api.call('listing volumes', async (docker) => {
        const response = withKeys(await docker.listVolumes({ filters: toLabelFilter(labels) }), 'Volumes');
        const volumes = listOf(response.Volumes ?? []);
        return volumes.map(toVolumeSummary).filter((volume) => hasLabels(volume.labels, labels));
      }),

    findVolume: find,

    createVolume: async (name, labels) => {
      const doing = `creating volume ${name}`;
      // The engine answers with the volume, which dockerode's own method does not return.
      const path = '/volumes/create';
      const request = { method: 'POST', path, query: {}, body: { Name: name, Labels: labels } } as const;
      for (let tries = 1; ; tries++) {
        try {
          // It is not called a change: an empty volume that an interrupt leaves behind does no harm.
          const created = await api.call(doing, async (docker) =>
            toVolumeSummary((await requestJson(docker, request)) as VolumeResponse),
          );
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
      await api.optional(`removing volume ${name}`, (docker) => docker.getVolume(name).remove(), { kind: 'delete' });
    },
  };
}

interface VolumeResponse {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

function toVolumeSummary(response: VolumeResponse): VolumeSummary {
  const { Name: name, Labels: labels } = withKeys(response, 'Name');
  return { name, labels: labels ?? {} };
}

function networkCalls(
  api: DockerApi,
  isPodman: boolean,
): Pick<Engine, 'listNetworks' | 'createNetwork' | 'removeNetwork'> {
  const defaultName = isPodman ? 'podman' : 'bridge';
  // Podman lists its default network as `bridge`; its containers are in `podman`.
  const nameOf = (name: string): string => (name === 'bridge' ? defaultName : name);
  return {
    listNetworks: (labels) =>
      api.call('listing networks', async (docker) => {
        const networks = await docker.listNetworks({ filters: toLabelFilter(labels) });
        return listOf(networks, 'Id', 'Name')
          .map(
            (network): NetworkSummary => ({
              id: network.Id,
              name: nameOf(network.Name),
              labels: network.Labels ?? {},
              driver: network.Driver,
              isAttachable: network.Attachable,
              isOfSwarm: network.Scope === 'swarm' && !network.Ingress,
              isDefault: nameOf(network.Name) === defaultName,
            }),
          )
          .filter((network) => hasLabels(network.labels, labels));
      }),

    createNetwork: (name, labels) =>
      api.call(
        `creating network ${name}`,
        async (docker) => {
          const network = await docker.createNetwork({ Name: name, CheckDuplicate: true, Labels: { ...labels } });
          return idOf(network);
        },
        { kind: 'change' },
      ),

    removeNetwork: async (id) => {
      await api.optional(`removing network ${id}`, (docker) => docker.getNetwork(id).remove(), { kind: 'change' });
    },
  };
}
