import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import type { Connection, Engine, HelperRequest } from '../engine.ts';
import { EngineError } from '../engine-error.ts';
import type { DockerApi } from './api.ts';
import { hasLabels, openStream, toLabelFilter, unlessStatus } from './call.ts';
import { toDetails, toSummary } from './container-info.ts';
import { hostGateway, toCreateOptions, toHelperOptions } from './create-options.ts';
import { idOf, linesOf, listOf, parseJson, withKeys } from './response.ts';

type ContainerCalls = Pick<
  Engine,
  | 'listContainers'
  | 'listContainersOf'
  | 'findContainer'
  | 'inspectContainer'
  | 'createContainer'
  | 'createHelper'
  | 'startContainer'
  | 'stopContainer'
  | 'removeContainer'
  | 'nextExit'
  | 'containerEvents'
>;

export function containerCalls(api: DockerApi, isPodman: boolean): ContainerCalls {
  const exits = createExitWatch(api);
  const list = async (docker: Dockerode, filters: Record<string, string[]>) => {
    const containers = listOf(await docker.listContainers({ all: true, filters }), 'Id', 'Names', 'Image', 'State');
    return Promise.all(containers.map((container) => toSummary(docker, container)));
  };

  const connect = async (
    name: string,
    id: string,
    network: string,
    { aliases, settings }: Connection,
  ): Promise<void> => {
    const path = `/networks/${encodeURIComponent(network)}/connect`;
    const body = { Container: id, EndpointConfig: { ...settings, Aliases: [...aliases] } };
    await api.call(
      `connecting container ${name} to the network ${network}`,
      // Podman's response is not JSON, which dockerode's own method expects.
      async (docker) => text(await openStream(docker, { method: 'POST', path, query: {}, body })),
      { kind: 'change' },
    );
  };

  /** Connects a new container, which is removed when that fails. */
  const connectAll = async (
    { name, connections = {} }: Pick<HelperRequest, 'name' | 'connections'>,
    id: string,
  ): Promise<void> => {
    try {
      // Engines before API version 1.44 create a container with one network only.
      for (const [network, connection] of Object.entries(connections)) await connect(name, id, network, connection);
    } catch (error) {
      await api.call(`removing container ${id}`, (docker) => remove(docker.getContainer(id)), { kind: 'change' });
      throw error;
    }
  };

  return {
    listContainers: (labels) =>
      api.call('listing containers', async (docker) => {
        const containers = await list(docker, toLabelFilter(labels));
        return containers.filter((container) => hasLabels(container.labels, labels));
      }),

    listContainersOf: (volume) =>
      api.call(`listing the containers of volume ${volume}`, (docker) => list(docker, { volume: [volume] })),

    findContainer: (nameOrId) =>
      api.call(`looking for container ${nameOrId}`, async (docker) => {
        const byName = await list(docker, { name: [`^/?${escapeForRegExp(nameOrId)}$`] });
        const container = byName.find(({ name }) => name === nameOrId);
        if (container !== undefined || !/^[0-9a-f]{64}$/.test(nameOrId)) return container;
        return (await list(docker, { id: [nameOrId] }))[0];
      }),

    inspectContainer: (id) =>
      api.optional(`inspecting container ${id}`, async (docker) =>
        toDetails(withKeys(await docker.getContainer(id).inspect(), 'Name', 'Config', 'HostConfig', 'NetworkSettings')),
      ),

    createContainer: async (request) => {
      const id = await api.call(
        `creating container ${request.name}`,
        async (docker) => {
          const hostAddress = isPodman ? await gatewayOf(docker, request.network) : hostGateway;
          return idOf(await docker.createContainer(toCreateOptions(request, hostAddress)));
        },
        { kind: 'change' },
      );
      await connectAll(request, id);
      return id;
    },

    createHelper: async (request) => {
      const id = await api.call(
        `creating container ${request.name}`,
        async (docker) => {
          const { Config: config } = withKeys(await docker.getImage(request.image).inspect(), 'Config');
          const imageVolumes = Object.keys(config.Volumes ?? {});
          const { network } = request;
          const hostAddress = isPodman && network !== undefined ? await gatewayOf(docker, network) : hostGateway;
          return idOf(await docker.createContainer(toHelperOptions(request, imageVolumes, hostAddress)));
        },
        { kind: 'change' },
      );
      await connectAll(request, id);
      return id;
    },

    startContainer: async (id) => {
      await exits.untilWatched(id);
      const start = (docker: Dockerode) => docker.getContainer(id).start().catch(unlessStatus(304));
      await api.call(`starting container ${id}`, start, { kind: 'change' });
    },

    stopContainer: async (id, seconds) => {
      const stop = (docker: Dockerode) => docker.getContainer(id).stop({ t: seconds }).catch(unlessStatus(304));
      await api.call(`stopping container ${id}`, stop, { kind: 'change', extraMs: seconds * 1_000 });
    },

    removeContainer: (id) =>
      api.call(`removing container ${id}`, (docker) => remove(docker.getContainer(id)), { kind: 'change' }),

    nextExit: (id, signal) => exits.next(id, signal),

    async *containerEvents(signal) {
      // Filters by event names differ between Docker and Podman.
      const query = { filters: JSON.stringify({ type: ['container', 'network'] }) };
      const request = { method: 'GET', path: '/events', query } as const;
      const options = { signal, endless: true };
      const open = (docker: Dockerode) => openStream(docker, request);
      const events = await api.open('following the events of the engine', open, readEvents, options);
      yield 'connected';
      yield* events;
    },
  };
}

/** Podman's Docker API does not support `host-gateway`; the network's gateway is the host's address in it. */
async function gatewayOf(docker: Dockerode, network: string): Promise<string> {
  const { IPAM: addresses } = await docker.getNetwork(network).inspect();
  return addresses?.Config?.find(({ Gateway: gateway }) => gateway !== undefined)?.Gateway ?? hostGateway;
}

/** Removes a container and waits until it is gone. `v` removes only anonymous volumes, such as the image's own VOLUME. */
async function remove(container: Dockerode.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    unlessStatus(404, 409)(error);
    // 409: another removal is in progress. Waiting for a container that is already gone is a 404.
    await container.wait({ condition: 'removed' }).catch(unlessStatus(404));
  }
}

function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Programs that are run in containers, as those of health checks, have events too. */
async function* readEvents(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  for await (const line of linesOf(chunks)) {
    const { Action: action } = withKeys(
      parseJson(line) as { readonly Type: string; readonly Action: string },
      'Type',
      'Action',
    );
    if (!action.startsWith('exec_') && !action.startsWith('health_status')) yield action;
  }
}

interface Exit {
  readonly StatusCode: number;
  readonly Error?: { readonly Message: string } | null;
}

async function* readExit(chunks: AsyncIterable<Buffer>): AsyncGenerator<Exit> {
  yield withKeys(parseJson(await text(Readable.from(chunks))) as Exit, 'StatusCode');
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
function createExitWatch(api: DockerApi): ExitWatch {
  const opening = new Map<string, Set<Promise<unknown>>>();
  const doingOf = (id: string): string => `waiting for container ${id} to exit`;

  const open = async (id: string, signal: AbortSignal) => {
    const wait = {
      method: 'POST',
      path: `/containers/${id}/wait`,
      query: { condition: 'next-exit' },
    } as const;
    const options = { signal, endless: true };
    const request = api.open(doingOf(id), (docker) => openStream(docker, wait), readExit, options);
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
      for await (const exit of await open(id, signal)) {
        if (!exit.Error) return exit.StatusCode;
        throw new EngineError({ code: 'refused', doing: doingOf(id), message: exit.Error.Message });
      }
      throw new Error('a response without an exit is refused when it is read');
    },
    untilWatched: async (id) => {
      await Promise.allSettled(opening.get(id) ?? []);
    },
  };
}
