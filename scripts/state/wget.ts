import { clientFiles, clientFolder } from '../../stack/access/access.ts';
import type { AccessSpec, ContainerSpec, HttpRequest } from '../../stack/model.ts';
import type { Service } from '../../stack/service.ts';
import type { Engine } from '../engine/engine.ts';

/** Where images have wget, the most frequent place first. */
export const wgetPlaces = ['/bin/wget', '/usr/bin/wget'] as const;

/** The wget of a container, which need not run. */
export async function findWget(engine: Engine, container: string): Promise<string | undefined> {
  for (const wget of wgetPlaces) if (await engine.hasProgram(container, wget)) return wget;
  return undefined;
}

/** Without a proxy that the container's variables name; busybox's wget and GNU's have the same options for this. */
function requestBy(
  wget: string,
  { port, path }: HttpRequest,
  access: AccessSpec = { tls: false, login: false },
): readonly string[] {
  const options = ['-Y', 'off', '-q', '-T', '3', '-O', '/dev/null'];
  // The certificate is for the names by which others reach the server.
  const argv = [
    ...[wget, ...options, ...(access.tls ? ['--no-check-certificate'] : [])],
    `${access.tls ? 'https' : 'http'}://127.0.0.1:${port}${path}`,
  ];
  if (!access.login) return argv;
  // `docker inspect` shows the arguments of a health check.
  return ['/bin/sh', '-c', `exec ${argv.join(' ')} --header "$(cat ${clientFolder}/${clientFiles.login})"`];
}

/** The health check of a service's container; its script for upkeep runs first, and does not count. */
export function healthCheckBy(
  wget: string,
  { ready, upkeep }: Pick<Service, 'ready' | 'upkeep'>,
  spec: ContainerSpec,
): readonly string[] {
  const request = requestBy(wget, ready, spec.access);
  const script = upkeep?.(spec);
  return script === undefined ? request : ['sh', '-c', `${script}; exec "$@"`, 'sh', ...request];
}
