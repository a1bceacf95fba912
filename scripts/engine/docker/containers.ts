import { json } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import {
  type ContainerDetails,
  type ContainerState,
  type ContainerSummary,
  type Engine,
  EngineError,
} from '../engine.ts';
import { engineCall, hasLabels, openStream, optionalEngineCall, toLabelFilter, unlessStatus } from './call.ts';
import { hostGateway, toCreateOptions, toHelperOptions } from './create-options.ts';

type ContainerCalls = Pick<
  Engine,
  | 'listContainers'
  | 'findContainer'
  | 'inspectContainer'
  | 'createContainer'
  | 'createHelper'
  | 'startContainer'
  | 'stopContainer'
  | 'removeContainer'
  | 'nextExit'
>;

export function containerCalls(docker: Dockerode, isPodman: boolean): ContainerCalls {
  const exits = createExitWatch(docker);
  const list = async (filters: Record<string, string[]>) => {
    const containers = await docker.listContainers({ all: true, filters });
    return Promise.all(containers.map((container) => toSummary(docker, container)));
  };

  return {
    listContainers: (labels) =>
      engineCall('listing containers', async () => {
        const containers = await list(toLabelFilter(labels));
        return containers.filter((container) => hasLabels(container.labels, labels));
      }),

    findContainer: (nameOrId) =>
      engineCall(`looking for container ${nameOrId}`, async () => {
        const byName = await list({ name: [`^/?${escapeForRegExp(nameOrId)}$`] });
        const container = byName.find(({ name }) => name === nameOrId);
        if (container !== undefined || !/^[0-9a-f]{64}$/.test(nameOrId)) return container;
        return (await list({ id: [nameOrId] }))[0];
      }),

    inspectContainer: (id) =>
      optionalEngineCall(`inspecting container ${id}`, async () => toDetails(await docker.getContainer(id).inspect())),

    createContainer: (request) =>
      engineCall(`creating container ${request.name}`, async () => {
        const hostAddress = isPodman ? await gatewayOf(docker, request.network) : hostGateway;
        const { id } = await docker.createContainer(toCreateOptions(request, hostAddress));
        return id;
      }),

    createHelper: (request) =>
      engineCall(`creating container ${request.name}`, async () => {
        const { id } = await docker.createContainer(toHelperOptions(request));
        return id;
      }),

    startContainer: (id) =>
      engineCall(`starting container ${id}`, async () => {
        await exits.untilWatched(id);
        await docker.getContainer(id).start().catch(unlessStatus(304));
      }),

    stopContainer: (id, seconds) =>
      engineCall(`stopping container ${id}`, async () => {
        await docker.getContainer(id).stop({ t: seconds }).catch(unlessStatus(304));
      }),

    removeContainer: (id) => engineCall(`removing container ${id}`, () => remove(docker.getContainer(id))),

    nextExit: (id, signal) => engineCall(`waiting for container ${id} to exit`, () => exits.next(id, signal), signal),
  };
}

/** Podman's Docker API does not support `host-gateway`; the network's gateway is the host's address in it. */
async function gatewayOf(docker: Dockerode, network: string): Promise<string> {
  const { IPAM: addresses } = await docker.getNetwork(network).inspect();
  return addresses?.Config?.find(({ Gateway: gateway }) => gateway !== undefined)?.Gateway ?? hostGateway;
}

async function toSummary(docker: Dockerode, info: Dockerode.ContainerInfo): Promise<ContainerSummary> {
  return {
    id: info.Id,
    name: (info.Names[0] ?? '').replace(/^\//, ''),
    image: await referenceOf(docker, info),
    imageId: info.ImageID,
    state: toState(info.State),
    status: info.Status,
    labels: info.Labels ?? {},
    createdAt: info.Created,
    hostPorts: (info.Ports ?? [])
      .filter(({ PublicPort, Type }) => PublicPort > 0 && Type === 'tcp')
      .map(({ IP, PublicPort }) => ({ address: IP ?? '', port: PublicPort })),
  };
}

function toDetails({
  HostConfig: host,
  NetworkSettings: { Networks: networks },
}: Dockerode.ContainerInspectInfo): ContainerDetails {
  // 0 means no limit; `docker update --cpus` sets NanoCpus, Podman sets a quota and a period.
  const quota = (host.CpuQuota ?? 0) > 0 ? (host.CpuQuota ?? 0) / (host.CpuPeriod || 100_000) : 0;
  const cpus = (host.NanoCpus ?? 0) / 1e9 || quota;
  return {
    memoryBytes: host.Memory || undefined,
    cpus: cpus || undefined,
    restartPolicy: host.RestartPolicy?.Name || 'no',
    networks: Object.keys(networks),
  };
}

/** Once a tag has moved to another image, the list shows the image's id instead; only `inspect` still has the tag. */
async function referenceOf(docker: Dockerode, info: Dockerode.ContainerInfo): Promise<string> {
  if (!info.Image.startsWith('sha256:') && !info.ImageID.includes(info.Image)) return info.Image;
  try {
    return (await docker.getContainer(info.Id).inspect()).Config.Image;
  } catch {
    return info.Image;
  }
}

/** Removes a container and waits until it is gone. `v` removes only anonymous volumes, such as the image's own VOLUME. */
async function remove(container: Dockerode.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    unlessStatus(404, 409)(error);
    // 409: another removal is in progress. Waiting for a container that is already gone is a 404.
    const signal = AbortSignal.timeout(30_000);
    await container.wait({ condition: 'removed', abortSignal: signal }).catch(unlessStatus(404));
  }
}

/** Podman has more states than Docker. */
function toState(state: string): ContainerState {
  switch (state) {
    case 'created':
    case 'running':
    case 'paused':
    case 'restarting':
    case 'removing':
    case 'exited':
    case 'dead':
      return state;
    case 'configured':
    case 'initialized':
      return 'created';
    case 'stopping':
      return 'running';
    default:
      return 'exited';
  }
}

function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Waits for containers to exit. */
interface ExitWatch {
  /** Resolves with the exit code of the container's next exit. */
  next(id: string, signal: AbortSignal): Promise<number>;
  /** Resolves once the engine has accepted all pending waits for the container: if it is started after that, no exit is missed. */
  untilWatched(id: string): Promise<void>;
}

/**
 * INVARIANTS:
 * - a wait is in `opening` from the call of `next` until the engine has accepted it, which is when its response begins;
 * - a wait that fails to open does not fail a start: its own promise rejects.
 */
function createExitWatch(docker: Dockerode): ExitWatch {
  const opening = new Map<string, Set<Promise<unknown>>>();

  const open = async (id: string, signal: AbortSignal) => {
    const request = openStream(docker, {
      method: 'POST',
      path: `/containers/${id}/wait`,
      query: { condition: 'next-exit' },
      signal,
    });
    const waits = opening.get(id) ?? new Set();
    opening.set(id, waits.add(request));
    try {
      return await request;
    } finally {
      waits.delete(request);
      if (waits.size === 0) opening.delete(id);
    }
  };

  return {
    next: async (id, signal) => {
      const response = await open(id, signal);
      const exit = (await json(response)) as { StatusCode: number; Error?: { Message: string } | null };
      if (exit.Error) {
        const doing = `waiting for container ${id} to exit`;
        throw new EngineError({ code: 'refused', doing, message: exit.Error.Message });
      }
      return exit.StatusCode;
    },
    untilWatched: async (id) => {
      await Promise.allSettled(opening.get(id) ?? []);
    },
  };
}
