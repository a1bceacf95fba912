import type Dockerode from 'dockerode';
import type { Engine, VolumeSummary } from '../engine.ts';
import { asking, askingFor } from './errors.ts';
import { toLabelFilter } from './filters.ts';

type VolumeCalls = Pick<Engine, 'listVolumes' | 'findVolume' | 'createVolume' | 'removeVolume'>;

/** The engine's calls about named volumes. */
export function volumeCalls(docker: Dockerode): VolumeCalls {
  return {
    listVolumes: (labels) =>
      asking('listing volumes', async () => {
        const { Volumes: found } = await docker.listVolumes({ filters: toLabelFilter(labels) });
        return (found ?? []).map(toSummary);
      }),

    findVolume: (name) =>
      askingFor(`looking for volume ${name}`, async () => toSummary(await docker.getVolume(name).inspect())),

    createVolume: (name, labels) =>
      asking(`creating volume ${name}`, async () => {
        // The engine leaves a volume of that name that is there as it is, and dockerode does not hand on what it tells of it.
        await docker.createVolume({ Name: name, Labels: { ...labels } });
        return toSummary(await docker.getVolume(name).inspect());
      }),

    removeVolume: async (name) => {
      await askingFor(`removing volume ${name}`, () => docker.getVolume(name).remove());
    },
  };
}

function toSummary(told: { Name: string; Labels: Record<string, string> | null }): VolumeSummary {
  return { name: told.Name, labels: told.Labels ?? {} };
}
