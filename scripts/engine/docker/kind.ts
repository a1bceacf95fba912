import { json } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import type { EngineInfo } from '../engine.ts';
import { openStream } from './request.ts';

/** Asks the engine what it is. */
export async function askVersion(
  docker: Dockerode,
  signal?: AbortSignal,
): Promise<Pick<EngineInfo, 'kind' | 'version' | 'arch'>> {
  const answer = await openStream(docker, { method: 'GET', path: '/version', query: {}, signal });
  const told = (await json(answer)) as Dockerode.DockerVersion;
  const isPodman = (told.Components ?? []).some((component) => component.Name.startsWith('Podman'));
  return { kind: isPodman ? 'podman' : 'docker', version: told.Version, arch: told.Arch };
}

/** Whether the engine is Podman, asked when it is first needed and not again. */
export function podmanQuestion(docker: Dockerode): () => Promise<boolean> {
  let answer: Promise<boolean> | undefined;
  return () => {
    answer ??= askVersion(docker).then(({ kind }) => kind === 'podman');
    return answer;
  };
}
