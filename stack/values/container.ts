import type { Resources } from '../model.ts';
import { parseSize } from './size.ts';

/** The user the Prometheus project's images run as. */
export const nobody = '65534:65534';

/** Where every service sees its rendered files: `current` is a link to the release in force. */
export const configMount = '/etc/promstack';
/** The folder of the release in force; paths stay the same from release to release, so that rule state survives a reload. */
export const configDir = `${configMount}/current`;

/** Limits as stack.yml writes them, in numbers. */
export function toResources(limits: {
  readonly memory?: string | undefined;
  readonly cpus?: number | undefined;
}): Resources {
  const memoryBytes = limits.memory === undefined ? undefined : parseSize(limits.memory);
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(limits.cpus === undefined ? {} : { cpus: limits.cpus }),
  };
}
