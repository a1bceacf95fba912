import type Dockerode from 'dockerode';
import { type ContainerSpec, hostnameOf } from '../../../stack/model.ts';
import { type ContainerRequest, type HelperRequest, restartPolicy } from '../engine.ts';

/** Docker's name for the address at which containers reach the engine's host. */
export const hostGateway = 'host-gateway';

/**
 * The create request for a service's container: unprivileged, read-only except for its mounts, restarted unless stopped.
 * `hostAddress` is the address of `host.docker.internal`.
 */
export function toCreateOptions(
  request: ContainerRequest,
  hostAddress = hostGateway,
): Dockerode.ContainerCreateOptions {
  const { spec, network, connections = {}, links = {} } = request;
  const isAlone = Object.keys(connections).length === 0;
  // Another network may have a `prometheus` of its own: the engine makes the host name a name in every network, and looks up a
  // name in all networks of a container, but in its links first.
  const hostname = hostnameOf(spec);
  const own = { Aliases: [hostname], Links: Object.entries(links).map(([name, peer]) => `${peer}:${name}`) };
  return {
    name: request.name,
    Image: spec.image,
    Hostname: isAlone ? hostname : request.name,
    User: spec.user,
    Entrypoint: spec.entrypoint && [...spec.entrypoint],
    Cmd: [...spec.args],
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    Labels: { ...request.labels },
    StopTimeout: spec.stopTimeoutSeconds,
    ExposedPorts: Object.fromEntries(spec.ports.map((port) => [`${port.container}/tcp`, {}])),
    Healthcheck: request.healthCheck && { Test: ['CMD', ...request.healthCheck], ...healthTimes },
    NetworkingConfig: { EndpointsConfig: { [network]: isAlone ? { Aliases: own.Aliases } : own } },
    HostConfig: {
      ...hardening,
      NetworkMode: network,
      RestartPolicy: { Name: restartPolicy },
      ReadonlyRootfs: true,
      ExtraHosts: [`host.docker.internal:${hostAddress}`],
      Tmpfs: Object.fromEntries(spec.tmpfs.map((target) => [target, tmpfsOptions])),
      PortBindings: toPortBindings(spec.ports),
      Mounts: [...spec.mounts.map((mount, index) => toMount(mount, request.volumes[index])), ...hostMounts(spec)],
      ...(spec.host?.pid === true ? { PidMode: 'host' } : {}),
      ...(request.healthCheck !== undefined && needsInit(spec) ? { Init: true } : {}),
      Memory: spec.resources.memoryBytes,
      NanoCpus: spec.resources.cpus && Math.round(spec.resources.cpus * 1e9),
    },
  };
}

/**
 * The create request for a helper: no restarts, only its mounts, and no network unless it names one or publishes ports. `imageVolumes` are the VOLUMEs of its image, for
 * which the engine would create anonymous volumes.
 */
export function toHelperOptions(
  request: HelperRequest,
  imageVolumes: readonly string[] = [],
  hostAddress = hostGateway,
): Dockerode.ContainerCreateOptions {
  const { scratch, ports = [], network } = request;
  const targets = [scratch, ...request.mounts.map(({ target }) => target)];
  const tmpfs = [...imageVolumes, ...(scratch === undefined ? [] : ['/tmp'])].filter((path) => !targets.includes(path));
  return {
    name: request.name,
    Image: request.image,
    User: request.user,
    Entrypoint: [...request.entrypoint],
    Cmd: [...request.args],
    Labels: { ...request.labels },
    ExposedPorts: Object.fromEntries(ports.map((port) => [`${port.container}/tcp`, {}])),
    HostConfig: {
      ...hardening,
      CapAdd: [...(request.capabilities ?? [])],
      NetworkMode: network ?? (ports.length === 0 ? 'none' : 'bridge'),
      ...(network === undefined ? {} : { ExtraHosts: [`host.docker.internal:${hostAddress}`] }),
      PortBindings: toPortBindings(ports),
      ReadonlyRootfs: scratch !== undefined,
      Tmpfs: Object.fromEntries(tmpfs.map((target) => [target, tmpfsOptions])),
      Mounts: [
        ...request.mounts.map(({ volume, target, readOnly }) =>
          toVolumeMount(volume, target, { readOnly, copy: false }),
        ),
        ...(scratch === undefined ? [] : [toVolumeMount('', scratch, { readOnly: false, copy: false })]),
      ],
    },
  };
}

/**
 * In nanoseconds. Engines before 25 ignore StartInterval: there, the first check is after Interval. A check is short: the engine
 * starts a process for each. A start may take long, such as the replay of a log, and does not count as unhealthy.
 */
export const healthTimes = { Interval: 10e9, Timeout: 5e9, Retries: 3, StartPeriod: 300e9, StartInterval: 1e9 };

/**
 * Whether the first process of a container must be the engine's init. The wget of a health check by HTTPS encrypts in a child
 * process that outlives it, and a server does not reap it: each check would leave a zombie, up to the limit of processes.
 * With the process ids of the host, that of the host reaps it.
 */
export const needsInit = ({ access, host }: ContainerSpec): boolean => access?.tls === true && host?.pid !== true;

/** What every container is limited to. */
export const hardening = {
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges'],
  // Grafana, which has the most, runs some dozens of threads.
  PidsLimit: 512,
  LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
} satisfies Dockerode.HostConfig;

/** World-writable, since Podman's Docker API refuses `uid=` here. */
export const tmpfsOptions = 'rw,noexec,nosuid,nodev,mode=1777,size=64m';

/** A container port may be published more than once. */
function toPortBindings(ports: ContainerSpec['ports']): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports) {
    const key = `${port.container}/tcp`;
    bindings[key] = [...(bindings[key] ?? []), { HostIp: port.bind, HostPort: String(port.host) }];
  }
  return bindings;
}

function toMount(mount: ContainerSpec['mounts'][number], volume: string | undefined): Dockerode.MountSettings {
  if (volume === undefined) throw new Error(`there is no volume for the mount at ${mount.target}`);
  // A data volume is initialized from the image on first use; a config volume has only what was rendered.
  const isConfig = mount.kind === 'config';
  return toVolumeMount(volume, mount.target, { readOnly: isConfig, copy: !isConfig });
}

/** The engine mounts `/` itself only where the host shares its later mounts too, which not every host does. */
export const sourceOnHost = (source: string): string => (source === '/' ? '/proc/self/root' : source);

/** Folders of the host, read-only, with the file systems that are mounted below them when the container starts. */
function hostMounts({ host }: ContainerSpec): Dockerode.MountSettings[] {
  return (host?.mounts ?? []).map(({ source, target }) => ({
    Type: 'bind',
    Source: sourceOnHost(source),
    Target: target,
    ReadOnly: true,
  }));
}

function toVolumeMount(
  volume: string,
  target: string,
  options: { readOnly: boolean; copy: boolean },
): Dockerode.MountSettings {
  const mount = { Type: 'volume' as const, Source: volume, Target: target, ReadOnly: options.readOnly };
  return options.copy ? mount : { ...mount, VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: noDriver } };
}

const noDriver = { Name: '', Options: {} };
