import { alertmanager } from './alertmanager/service.ts';
import type { StackConfig } from './config.ts';
import { grafana } from './grafana/service.ts';
import type { ContainerSpec } from './model.ts';
import { prometheus } from './prometheus/service.ts';
import { pushgateway } from './pushgateway/service.ts';
import type { Service } from './service.ts';
import { sink } from './sink/service.ts';
import { traffic } from './traffic/service.ts';

/** Every service promstack knows, in the order the data flows. */
export const services: readonly Service[] = [pushgateway, prometheus, alertmanager, grafana, sink, traffic];

/** The services this stack has, in the same order. */
export function enabledServices(config: StackConfig): readonly Service[] {
  return services.filter((service) => service.isEnabled(config));
}

/** The service of that name, if there is one. */
export function findService(name: string): Service | undefined {
  return services.find((service) => service.name === name);
}

/** What of a service's data is lost or given up when its container is made anew by another spec; a sentence each. */
export function risksOf(service: Service, before: ContainerSpec, after: ContainerSpec): readonly string[] {
  return [
    ...olderImage(before.image, after.image),
    ...unmounted(before, after),
    ...(service.risks?.(before, after) ?? []),
  ];
}

/** Servers read the data of an older version, and not always that of a newer one. */
function olderImage(before: string, after: string): readonly string[] {
  const [old, now] = [versionOf(before), versionOf(after)];
  if (old === undefined || now === undefined || old.program !== now.program) return [];
  const at = old.numbers.findIndex((number, index) => number !== now.numbers[index]);
  if (at === -1 || (now.numbers[at] ?? 0) > (old.numbers[at] ?? 0)) return [];
  return [`${after} is older than ${before}: it may not read the data the newer one wrote`];
}

function versionOf(image: string): { readonly program: string; readonly numbers: readonly number[] } | undefined {
  const [, program, ...numbers] = /([^/:]+):v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(image) ?? [];
  return program === undefined ? undefined : { program, numbers: numbers.map((number) => Number(number ?? 0)) };
}

function unmounted(before: ContainerSpec, after: ContainerSpec): readonly string[] {
  const dataOf = ({ mounts }: ContainerSpec): readonly string[] =>
    mounts.flatMap((mount) => (mount.kind === 'data' ? [`${mount.volume} at ${mount.target}`] : []));
  const kept = dataOf(after);
  return dataOf(before)
    .filter((mount) => !kept.includes(mount))
    .map((mount) => `the volume ${mount} is not mounted any more: it stays, and what is in it is out of sight`);
}
