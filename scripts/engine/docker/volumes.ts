import { json } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import { type Engine, EngineError, type VolumeSummary } from '../engine.ts';
import { engineCall, optionalEngineCall } from './errors.ts';
import { hasLabels, toLabelFilter } from './filters.ts';
import { openStream } from './request.ts';

type VolumeCalls = Pick<Engine, 'listVolumes' | 'findVolume' | 'createVolume' | 'removeVolume'>;

/** The engine's calls about named volumes. */
export function volumeCalls(docker: Dockerode): VolumeCalls {
  return {
    listVolumes: (labels) =>
      engineCall('listing volumes', async () => {
        const { Volumes: found } = await docker.listVolumes({ filters: toLabelFilter(labels) });
        return (found ?? []).map(toSummary).filter((one) => hasLabels(one.labels, labels));
      }),

    findVolume: (name) =>
      optionalEngineCall(`looking for volume ${name}`, async () => toSummary(await docker.getVolume(name).inspect())),

    createVolume: (name, labels) =>
      engineCall(`creating volume ${name}`, async () => {
        // The engine answers with the volume of that name that is there, which dockerode does not hand on.
        const body = { Name: name, Labels: labels };
        const request = { method: 'POST', path: '/volumes/create', query: {}, body } as const;
        const made = await engineCall(`creating volume ${name}`, async () =>
          json(await openStream(docker, request)),
        ).catch(unlessThere);
        return toSummary((made as VolumeAnswer | undefined) ?? (await docker.getVolume(name).inspect()));
      }),

    removeVolume: async (name) => {
      await optionalEngineCall(`removing volume ${name}`, () => docker.getVolume(name).remove());
    },
  };
}

interface VolumeAnswer {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

function toSummary(told: VolumeAnswer): VolumeSummary {
  return { name: told.Name, labels: told.Labels ?? {} };
}

/** Podman refuses a name that another call took at the same moment. */
function unlessThere(error: unknown): undefined {
  if (!(error instanceof EngineError) || error.code !== 'conflict') throw error;
}
