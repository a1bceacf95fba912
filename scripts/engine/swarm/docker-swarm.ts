import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import type { DockerApi } from '../docker/api.ts';
import { hasLabels, lostLeader, noLeader, openStream, requestJson, toLabelFilter } from '../docker/call.ts';
import { framesOf, linesOf } from '../docker/logs.ts';
import { idOf, listOf, withKeys } from '../docker/response.ts';
import { EngineError } from '../engine-error.ts';
import {
  type FileResponse,
  type NodeResponse,
  type ServiceResponse,
  type TaskResponse,
  toFile,
  toNode,
  toService,
  toTask,
} from './responses.ts';
import { toServiceState } from './service-spec.ts';
import type { Swarm } from './swarm.ts';

const pauseMs = 250;

/**
 * A swarm through the Docker API of one of its managers. Calls wait while the managers elect another leader, at most
 * `electionMs`; it takes them some seconds.
 */
export function dockerSwarm(engineApi: DockerApi, isPodman: boolean, electionMs = 30_000): Swarm {
  const api = waitingForLeader(engineApi, electionMs);
  const filters = (labels: Readonly<Record<string, string>>) => ({ filters: JSON.stringify(toLabelFilter(labels)) });
  const swarm: Swarm = {
    closing: new Set(),

    membership: async () => {
      const doing = 'asking the engine for its swarm';
      if (isPodman) {
        const tryThis = 'use Docker on the nodes of the swarm, or remove "target: swarm" from stack.yml';
        throw new EngineError({ code: 'refused', doing, message: 'Podman has no swarms', tryThis });
      }
      return api.call(doing, async (docker) => {
        const info = (await docker.info()) as {
          readonly Swarm?: {
            readonly NodeID?: string;
            readonly LocalNodeState?: string;
            readonly ControlAvailable?: boolean;
            readonly Cluster?: { readonly ID?: string } | null;
          };
        };
        const { NodeID = '', LocalNodeState, ControlAvailable: isManager = false, Cluster } = info.Swarm ?? {};
        const node = NodeID === '' ? undefined : NodeID;
        return { node, isManager, isLocked: LocalNodeState === 'locked', cluster: Cluster?.ID };
      });
    },

    clusterId: () =>
      api.call('asking the managers for their swarm', async (docker) => {
        const { ID: id } = (await docker.swarmInspect()) as { readonly ID?: string };
        return idOf({ id });
      }),

    listNodes: () =>
      api.call('listing the nodes of the swarm', async (docker) =>
        listOf((await docker.listNodes()) as readonly NodeResponse[], 'ID', 'Description').map(toNode),
      ),

    listServices: (labels) =>
      api.call('listing the services of the swarm', async (docker) => {
        const found = (await docker.listServices(filters(labels))) as unknown as readonly ServiceResponse[];
        return listOf(found, 'ID', 'Spec')
          .map(toService)
          .filter((service) => hasLabels(service.labels, labels));
      }),

    listTasks: async (services) => {
      if (services.length === 0) return [];
      return api.call('listing the tasks of the swarm', async (docker) => {
        const options = { filters: JSON.stringify({ service: services }) };
        return listOf((await docker.listTasks(options)) as readonly TaskResponse[], 'ID', 'ServiceID').map(toTask);
      });
    },

    // A filter by a service that is gone would be an error.
    listEndingTasks: (services) =>
      api.call('listing the tasks of the swarm', async (docker) => {
        const all = listOf((await docker.listTasks()) as readonly TaskResponse[], 'ID', 'Status');
        return all.filter(({ ServiceID = '' }) => services.includes(ServiceID)).map(toTask);
      }),

    listJoined: (network) =>
      api.call('listing the tasks of the swarm', async (docker) => {
        const all = listOf((await docker.listTasks()) as readonly TaskResponse[], 'ID', 'Status');
        return all.flatMap(({ NodeID, DesiredState, Spec, NetworksAttachments }) => {
          const container = Spec?.NetworkAttachmentSpec?.ContainerID;
          const isIn = (NetworksAttachments ?? []).some(({ Network }) => Network?.ID === network);
          return NodeID === undefined || container === undefined || DesiredState !== 'running' || !isIn
            ? []
            : [{ node: NodeID, container }];
        });
      }),

    createService: async (spec, placed) => {
      await api.call(
        `creating the service ${spec.name}`,
        (docker) => docker.createService(toServiceState(spec, placed) as Dockerode.CreateServiceOptions),
        { kind: 'change' },
      );
    },

    updateService: async ({ id, name, version }, spec, placed) => {
      await api.call(
        `updating the service ${name}`,
        (docker) => docker.getService(id).update({ ...toServiceState(spec, placed), version }),
        { kind: 'change' },
      );
    },

    removeService: async ({ id, name }) => {
      await api.optional(`removing the service ${name}`, (docker) => docker.getService(id).remove(), {
        kind: 'change',
      });
    },

    async *taskLogs(id, { tail, follow = false, since = new Date(0), signal }) {
      const query = {
        stdout: true,
        stderr: true,
        timestamps: true,
        follow,
        tail: tail ?? 'all',
        since: (since.getTime() / 1_000).toFixed(3),
      };
      const request = { method: 'GET', path: `/tasks/${id}/logs`, query } as const;
      try {
        const doing = `reading the log of task ${id}`;
        const read = (chunks: AsyncIterable<Buffer>) => linesOf(framesOf(chunks));
        yield* await api.open(doing, (docker) => openStream(docker, request), read, { signal, endless: follow });
      } catch (error) {
        // An abort ends the lines without an error.
        if (signal?.aborted !== true) throw error;
      }
    },

    listFiles: (labels) =>
      api.call('listing the configs and secrets of the swarm', async (docker) => {
        const [configs, secrets] = (await Promise.all([
          docker.listConfigs(filters(labels)),
          docker.listSecrets(filters(labels)),
        ])) as unknown as readonly [readonly FileResponse[], readonly FileResponse[]];
        return [
          ...listOf(configs, 'ID', 'Spec').map((config) => toFile('config', config)),
          ...listOf(secrets, 'ID', 'Spec').map((secret) => toFile('secret', secret)),
        ].filter((file) => hasLabels(file.labels, labels));
      }),

    createFile: (kind, name, content, labels) =>
      api.call(
        `storing the ${kind} ${name}`,
        async (docker) => {
          const body = { Name: name, Labels: { ...labels }, Data: Buffer.from(content).toString('base64') };
          const path = `/${kind}s/create`;
          const created = await requestJson(docker, { method: 'POST', path, query: {}, body });
          return idOf({ id: (created as { readonly ID?: string }).ID });
        },
        { kind: 'change' },
      ),

    labelFile: async ({ kind, id, name, version }, labels) => {
      await api.call(
        `changing the labels of the ${kind} ${name}`,
        async (docker) => {
          const file = kind === 'config' ? docker.getConfig(id) : docker.getSecret(id);
          const { Spec: spec } = withKeys((await file.inspect()) as FileResponse, 'ID', 'Spec');
          return file.update({ ...spec, Labels: { ...labels }, version });
        },
        { kind: 'change' },
      );
    },

    removeFile: async ({ kind, id, name }) => {
      await api.optional(
        `removing the ${kind} ${name}`,
        (docker) => (kind === 'config' ? docker.getConfig(id) : docker.getSecret(id)).remove(),
        { kind: 'change' },
      );
    },

    createNetwork: (name, labels) =>
      api.call(
        `creating the network ${name} of the swarm`,
        async (docker) =>
          idOf(
            await docker.createNetwork({
              Name: name,
              Driver: 'overlay',
              Attachable: true,
              CheckDuplicate: true,
              Labels: { ...labels },
            }),
          ),
        { kind: 'change' },
      ),
  };
  return swarm;
}

/** Repeats the requests of calls that no leader has carried out, and those that only read when it was lost meanwhile. */
function waitingForLeader({ call, optional, open }: DockerApi, electionMs: number): DockerApi {
  type Request<T> = Parameters<typeof call<T>>[1];
  const waiting = <T>(request: Request<T>, kind?: string): Request<T> => {
    const isTransient = (message: string): boolean =>
      noLeader.test(message) || ((kind ?? 'read') === 'read' && lostLeader.test(message));
    return async (docker, context) => {
      for (const end = Date.now() + electionMs; ; ) {
        try {
          return await request(docker, context);
        } catch (error) {
          if (!isTransient((error as Error).message) || Date.now() >= end) throw error;
        }
        await sleep(pauseMs, undefined, { signal: context.signal });
      }
    };
  };
  return {
    call: (doing, request, options) => call(doing, waiting(request, options?.kind), options),
    optional: (doing, request, options) => optional(doing, waiting(request, options?.kind), options),
    open: (doing, request, read, options) => open(doing, waiting(request), read, options),
  };
}
