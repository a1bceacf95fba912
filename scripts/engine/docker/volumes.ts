import type Dockerode from 'dockerode';
import { type Engine, EngineError, type VolumeSummary } from '../engine.ts';
import { asking, askingFor } from './errors.ts';
import { hasLabels, toLabelFilter } from './filters.ts';

type VolumeCalls = Pick<Engine, 'listVolumes' | 'findVolume' | 'createVolume' | 'removeVolume'>;

/** The engine's calls about named volumes. */
export function volumeCalls(docker: Dockerode): VolumeCalls {
  return {
    listVolumes: (labels) =>
      asking('listing volumes', async () => {
        const { Volumes: found } = await docker.listVolumes({ filters: toLabelFilter(labels) });
        return (found ?? []).map(toSummary).filter((one) => hasLabels(one.labels, labels));
      }),

    findVolume: (name) =>
      askingFor(`looking for volume ${name}`, async () => toSummary(await docker.getVolume(name).inspect())),

    createVolume: (name, labels) =>
      asking(`creating volume ${name}`, async () => {
        // The engine leaves a volume of that name that is there as it is, and dockerode does not hand on what it tells of it.
        await asking(`creating volume ${name}`, () => docker.createVolume({ Name: name, Labels: { ...labels } })).catch(
          unlessThere,
        );
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

/** Podman refuses a name that another call took at the same moment. */
function unlessThere(error: unknown): void {
  if (!(error instanceof EngineError) || error.code !== 'conflict') throw error;
}
