import type Dockerode from 'dockerode';
import type { Engine, NetworkSummary } from '../engine.ts';
import { engineCall, optionalEngineCall } from './errors.ts';
import { hasLabels, toLabelFilter } from './filters.ts';

type NetworkCalls = Pick<Engine, 'listNetworks' | 'findNetwork' | 'createNetwork' | 'removeNetwork'>;

/** The engine's calls about networks. */
export function networkCalls(docker: Dockerode): NetworkCalls {
  return {
    listNetworks: (labels) =>
      engineCall('listing networks', async () => {
        const found = await docker.listNetworks({ filters: toLabelFilter(labels) });
        return found.map(toSummary).filter((one) => hasLabels(one.labels, labels));
      }),

    findNetwork: (name) =>
      engineCall(`looking for network ${name}`, async () => {
        // The engine's name filter takes parts of names too.
        const found = await docker.listNetworks({ filters: { name: [name] } });
        return found.map(toSummary).find((one) => one.name === name);
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

function toSummary(told: Dockerode.NetworkInspectInfo): NetworkSummary {
  return { id: told.Id, name: told.Name, labels: told.Labels ?? {} };
}
