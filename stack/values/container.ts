import type { Resources } from '../model.ts';
import { parseMemory } from './units.ts';

/** The user of the Prometheus project's images. */
export const nobody = '65534:65534';

/** The mount point of the config volume; `current` in it is a symlink to the active release. */
export const configMount = '/etc/promstack';
/** The folder of the active release; paths in it are the same for all releases, so that rules keep their state over a reload. */
export const configDir = `${configMount}/current`;

/** A path that a config file names, relative to the config directory if it is in it. */
export function inConfig(path: string): string {
  const below = path.startsWith(`${configDir}/`) ? path.slice(configDir.length + 1) : path;
  return below.replace(/^(?:\.\/+)+/, '');
}

export function toResources(limits: {
  readonly memory?: string | number | undefined;
  readonly cpus?: number | undefined;
}): Resources {
  return {
    memoryBytes: limits.memory === undefined ? undefined : parseMemory(String(limits.memory)),
    cpus: limits.cpus,
  };
}

/** The part of a container's memory that a Go program may fill before it collects garbage at any price. */
const goShare = 0.9;

/**
 * The environment by which a Go program stays below the memory limit of its container: without it, its heap grows to twice of what is in
 * use before it is collected, whatever the limit.
 */
export function goMemoryLimit(limits: Parameters<typeof toResources>[0]): Readonly<Record<string, string>> {
  const { memoryBytes } = toResources(limits);
  return memoryBytes === undefined ? {} : { GOMEMLIMIT: String(Math.floor(memoryBytes * goShare)) };
}

/** The last value of a flag, as `--name=value` or `--name value`; undefined when it is absent. */
export function flagIn(args: readonly string[], name: string): string | undefined {
  return valuesOf(args, name).at(-1);
}

/** The names that `--enable-feature` lists; Prometheus takes the flag several times. */
export function featuresIn(args: readonly string[]): readonly string[] {
  const names = valuesOf(args, 'enable-feature').flatMap((list) => list.split(','));
  return [...new Set(names)].filter((name) => name !== '');
}

/** The arguments without a flag and its values. */
export function withoutFlag(args: readonly string[], name: string): readonly string[] {
  const flag = `--${name}`;
  return args.filter((argument, at) => argument !== flag && args[at - 1] !== flag && !argument.startsWith(`${flag}=`));
}

function valuesOf(args: readonly string[], name: string): readonly string[] {
  const flag = `--${name}`;
  return args.flatMap((argument, at) => {
    if (argument.startsWith(`${flag}=`)) return [argument.slice(flag.length + 1)];
    return argument === flag ? [args[at + 1] ?? ''] : [];
  });
}

/** The base URL of the links in a service's notifications. */
export function externalUrl(
  config: { readonly bind: string },
  own: { readonly external_url?: string | undefined; readonly port: number },
  scheme: 'http' | 'https',
): string {
  if (own.external_url !== undefined) return own.external_url;
  const isEverywhere = config.bind === '0.0.0.0' || config.bind === '::';
  const host = isEverywhere ? 'localhost' : config.bind;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${own.port}`;
}
