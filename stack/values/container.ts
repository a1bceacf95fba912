import type { StackConfig } from '../config.ts';
import type { Resources } from '../model.ts';
import { parseSize } from './units.ts';

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

/** The value of a flag among arguments, as `--name=value` or `--name value`; the last one counts. Undefined when it is not there. */
export function flagIn(args: readonly string[], name: string): string | undefined {
  const flag = `--${name}`;
  const found = args.flatMap((argument, at) => {
    if (argument.startsWith(`${flag}=`)) return [argument.slice(flag.length + 1)];
    return argument === flag ? [args[at + 1] ?? ''] : [];
  });
  return found.at(-1);
}

/** The address people reach a service by, for the links in its notifications: the one given, else its published port. */
export function externalUrl(
  config: StackConfig,
  own: { readonly external_url?: string | undefined; readonly port: number },
): string {
  if (own.external_url !== undefined) return own.external_url;
  const isEverywhere = config.bind === '0.0.0.0' || config.bind === '::';
  const host = isEverywhere ? 'localhost' : config.bind;
  return `http://${host.includes(':') ? `[${host}]` : host}:${own.port}`;
}
