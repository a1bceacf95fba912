import { stringify } from 'yaml';
import { type ContainerSpec, hostnameOf } from '../../stack/model.ts';
import type { Service } from '../../stack/service.ts';
import { configDir, configMount } from '../../stack/values/container.ts';
import {
  hardening,
  healthTimes,
  hostGateway,
  needsInit,
  sourceOnHost,
  tmpfsOptions,
} from '../engine/docker/create-options.ts';
import { restartPolicy } from '../engine/engine.ts';
import { linksOf } from '../plan/connections.ts';
import { names } from '../state/names.ts';
import { healthCheckBy } from '../state/wget.ts';

/** A service of a stack, for a compose file. */
export interface ExportedService {
  readonly service: Service;
  readonly spec: ContainerSpec;
  /** Whether the image exists only on engines that it was built on or copied to. */
  readonly isLocalImage: boolean;
  /** Whether its image has wget, with which its health is checked. */
  readonly hasWget: boolean;
  readonly secrets: readonly ExportedSecret[];
}

/** A file with a secret, which the compose file mounts. */
export interface ExportedSecret {
  /** Its name in the compose file. */
  readonly name: string;
  /** Relative to the compose file. */
  readonly path: string;
  /** The path in the container. */
  readonly target: string;
  /** What is secret in it: `!env SLACK_URL`. */
  readonly values: readonly string[];
  readonly content: Buffer;
  /** Whether it was made for the export, so that one of an earlier export serves as well. */
  readonly isNew?: boolean | undefined;
}

/** The folder beside the compose file with the files of a service. */
export const configFolder = (service: string): string => `config/${service}`;

/** A stack for a compose file. */
export interface ExportedStack {
  readonly stack: string;
  readonly services: readonly ExportedService[];
  /** Whether the engine checks more often while a container starts; with an engine that does not, compose refuses to. */
  readonly hasStartInterval: boolean;
}

/** The text of a compose file that starts the same containers as `up`. */
export function composeFile(exported: ExportedStack): string {
  const { stack, services } = exported;
  const secrets = services.flatMap((service) => service.secrets);
  const volumes = services.flatMap(({ spec }) => spec.mounts.flatMap((mount) => ('volume' in mount ? [mount] : [])));
  const joined = [...new Set(services.flatMap(({ spec }) => spec.networks ?? []))].sort();
  const links = linksOf({ stack, services });
  const project = {
    name: stack,
    services: Object.fromEntries(
      services.map((service) => [keyOf(stack, service.spec), composeService(exported, service, links)]),
    ),
    networks: {
      default: { name: names.network(stack) },
      ...Object.fromEntries(joined.map((name) => [name, { external: true }])),
    },
    ...section(
      'volumes',
      volumes.map(({ volume }) => [volume, { name: names.dataVolume(stack, volume) }]),
    ),
    ...section(
      'secrets',
      secrets.map(({ name, path }) => [name, { file: `./${path}` }]),
    ),
  };
  return stringify(escaped(project), { lineWidth: 0, aliasDuplicateObjects: false });
}

function section(key: string, entries: readonly (readonly [string, unknown])[]): Readonly<Record<string, unknown>> {
  return entries.length === 0 ? {} : { [key]: Object.fromEntries(entries) };
}

/**
 * Compose makes the key of a service a name in each of its networks. One that joins networks of others gets a key that is
 * unique there, and its short name in the stack's own network.
 */
const keyOf = (stack: string, spec: ContainerSpec): string =>
  (spec.networks ?? []).length === 0 ? hostnameOf(spec) : names.container(stack, spec.service);

function composeService(
  { stack, services, hasStartInterval }: ExportedStack,
  { service, spec, isLocalImage, hasWget, secrets }: ExportedService,
  links: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const { networks = [], resources, host } = spec;
  const container = names.container(stack, spec.service);
  const isAlone = networks.length === 0;
  const dependencies = service.startsAfter.flatMap(
    (name) => services.find((other) => other.service.name === name) ?? [],
  );
  return withoutAbsent({
    image: spec.image,
    pull_policy: isLocalImage ? 'never' : undefined,
    container_name: container,
    hostname: isAlone ? hostnameOf(spec) : container,
    user: spec.user,
    entrypoint: spec.entrypoint,
    command: spec.args.length === 0 ? undefined : spec.args,
    environment: ifAny(spec.env),
    labels: ifAny(spec.labels),
    networks: {
      default: { aliases: [hostnameOf(spec)] },
      ...Object.fromEntries(networks.map((name) => [name, {}])),
    },
    // The names of the stack's containers in another network must not be taken for those of the stack.
    external_links: isAlone ? undefined : Object.entries(links).map(([name, peer]) => `${peer}:${name}`),
    extra_hosts: [`host.docker.internal:${hostGateway}`],
    ports: ifAny(
      spec.ports.map(({ bind, host: published, container: target }) => {
        return { target, published: String(published), host_ip: bind, protocol: 'tcp' };
      }),
    ),
    volumes: ifAny(volumesOf(service, spec)),
    secrets: ifAny(secrets.map(({ name, target }) => ({ source: name, target }))),
    tmpfs: ifAny(spec.tmpfs.map((target) => `${target}:${tmpfsOptions}`)),
    pid: host?.pid === true ? 'host' : undefined,
    init: hasWget && needsInit(spec) ? true : undefined,
    depends_on: ifAny(
      Object.fromEntries(
        dependencies.map((other) => [
          keyOf(stack, other.spec),
          { condition: other.hasWget ? 'service_healthy' : 'service_started' },
        ]),
      ),
    ),
    restart: restartPolicy,
    stop_grace_period: `${spec.stopTimeoutSeconds}s`,
    read_only: true,
    cap_drop: hardening.CapDrop,
    security_opt: hardening.SecurityOpt,
    pids_limit: hardening.PidsLimit,
    mem_limit: resources.memoryBytes,
    cpus: resources.cpus,
    logging: { driver: hardening.LogConfig.Type, options: hardening.LogConfig.Config },
    healthcheck: hasWget
      ? {
          test: ['CMD', ...healthCheckBy('wget', service, spec)],
          interval: seconds(healthTimes.Interval),
          timeout: seconds(healthTimes.Timeout),
          retries: healthTimes.Retries,
          start_period: seconds(healthTimes.StartPeriod),
          ...(hasStartInterval ? { start_interval: seconds(healthTimes.StartInterval) } : {}),
        }
      : undefined,
  });
}

function volumesOf({ name, linkedFolder }: Service, { mounts, host }: ContainerSpec): readonly unknown[] {
  const folder = `./${configFolder(name)}`;
  const ofConfig = [
    bindMount(folder, configDir),
    ...(linkedFolder === undefined ? [] : [bindMount(`${folder}/${linkedFolder}`, `${configMount}/${linkedFolder}`)]),
  ];
  return [
    ...mounts.flatMap((mount): readonly unknown[] =>
      mount.kind === 'config' ? ofConfig : [{ type: 'volume', source: mount.volume, target: mount.target }],
    ),
    ...(host?.mounts ?? []).map(({ source, target }) => bindMount(sourceOnHost(source), target)),
  ];
}

/** Read-only; compose must not create what is missing, as an empty folder of root's. */
const bindMount = (source: string, target: string): unknown => {
  return { type: 'bind', source, target, read_only: true, bind: { create_host_path: false } };
};

const seconds = (nanoseconds: number): string => `${nanoseconds / 1e9}s`;

function ifAny<T extends object>(collection: T): T | undefined {
  return Object.keys(collection).length === 0 ? undefined : collection;
}

function withoutAbsent(mapping: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(mapping).filter(([, value]) => value !== undefined));
}

/** Compose fills in variables in all strings. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, escaped(inner)]));
}
