import { alertmanager } from './alertmanager/service.ts';
import type { StackConfig } from './config.ts';
import { customServiceOf, exporterServices, findExporter } from './exporters/services.ts';
import { grafana } from './grafana/service.ts';
import type { ContainerSpec } from './model.ts';
import { prometheus } from './prometheus/service.ts';
import { pushgateway } from './pushgateway/service.ts';
import { pushgatewayTtl } from './pushgateway-ttl/service.ts';
import { type Service, sectionPath } from './service.ts';
import { sink } from './sink/service.ts';
import { traffic } from './traffic/service.ts';
import { victoriametrics } from './victoriametrics/service.ts';

/** The services that any stack can have once, in the order of the data flow. */
export const services: readonly Service[] = [
  pushgateway,
  prometheus,
  victoriametrics,
  alertmanager,
  grafana,
  sink,
  traffic,
  pushgatewayTtl,
];

/** The services that a stack.yml can enable: those of any stack, then its exporters. */
export function servicesOf(config: StackConfig): readonly Service[] {
  return [...services, ...exporterServices(config)];
}

/** The services of this stack, in the same order. */
export function enabledServices(config: StackConfig): readonly Service[] {
  return servicesOf(config).filter((service) => service.isEnabled(config));
}

/** A service by its name; of the exporters only those whose kind is part of their name. */
export function findService(name: string): Service | undefined {
  return services.find((service) => service.name === name) ?? findExporter(name);
}

/** A key of a service in stack.yml, for messages: `exporters.redis.instances.shop.port`. Only exporters of `custom` have free names. */
export function keyOf(name: string, key: string): string {
  const service = findService(name);
  return [...(service === undefined ? ['exporters', 'custom', name] : sectionPath(service)), key].join('.');
}

/** The service of a container, by the spec that it was created from. */
export function serviceOf(spec: ContainerSpec): Service | undefined {
  return findService(spec.service) ?? customServiceOf(spec);
}

/** The data that is lost when a service's container is replaced by one of another spec; a sentence each. */
export function risksOf(service: Service, before: ContainerSpec, after: ContainerSpec): readonly string[] {
  return [...olderImage(before, after), ...unmounted(before, after), ...(service.risks?.(before, after) ?? [])];
}

function olderImage(before: ContainerSpec, after: ContainerSpec): readonly string[] {
  if (!before.mounts.some(({ kind }) => kind === 'data')) return [];
  const [old, now] = [versionOf(before.image), versionOf(after.image)];
  if (old === undefined || now === undefined || old.program !== now.program) return [];
  const at = old.numbers.findIndex((number, index) => number !== now.numbers[index]);
  if (at === -1 || (now.numbers[at] ?? 0) > (old.numbers[at] ?? 0)) return [];
  return [`${after.image} is older than ${before.image} and may not be able to read its data`];
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
    .map((mount) => `the volume ${mount} is no longer mounted; its data is kept but not used`);
}
