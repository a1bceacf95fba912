import type Dockerode from 'dockerode';
import type { ContainerSpec } from '../../../stack/model.ts';
import { type ContainerRequest, type HelperRequest, restartPolicy } from '../engine.ts';

/** Docker's word for the address by which containers reach the engine's host. */
export const hostGateway = 'host-gateway';

/**
 * The create request for a service's container: unprivileged, read-only but for its mounts, restarted unless stopped.
 * `hostAddress` is what `host.docker.internal` stands for inside.
 */
export function toCreateOptions(
  request: ContainerRequest,
  hostAddress = hostGateway,
): Dockerode.ContainerCreateOptions {
  const { spec, network } = request;
  return {
    name: request.name,
    Image: spec.image,
    Hostname: spec.service,
    User: spec.user,
    ...(spec.entrypoint === undefined ? {} : { Entrypoint: [...spec.entrypoint] }),
    Cmd: [...spec.args],
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    Labels: { ...request.labels },
    StopTimeout: spec.stopTimeoutSeconds,
    ExposedPorts: Object.fromEntries(spec.ports.map((port) => [`${port.container}/tcp`, {}])),
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [spec.service] } } },
    HostConfig: {
      ...hardened,
      NetworkMode: network,
      RestartPolicy: { Name: restartPolicy },
      ReadonlyRootfs: true,
      ExtraHosts: [`host.docker.internal:${hostAddress}`],
      Tmpfs: Object.fromEntries(spec.tmpfs.map((target) => [target, tmpfsOptions])),
      PortBindings: toPortBindings(spec.ports),
      Mounts: spec.mounts.map((mount, at) => toMount(mount, request.volumes[at])),
      ...(spec.resources.memoryBytes === undefined ? {} : { Memory: spec.resources.memoryBytes }),
      ...(spec.resources.cpus === undefined ? {} : { NanoCpus: Math.round(spec.resources.cpus * 1e9) }),
    },
  };
}

/** The create request for a helper: no network, no restart, only its mounts. */
export function toHelperOptions(request: HelperRequest): Dockerode.ContainerCreateOptions {
  return {
    name: request.name,
    Image: request.image,
    User: request.user,
    Entrypoint: [...request.entrypoint],
    Cmd: [...request.args],
    Labels: { ...request.labels },
    HostConfig: {
      ...hardened,
      NetworkMode: 'none',
      Mounts: request.mounts.map(({ volume, target, readOnly }) =>
        toVolumeMount(volume, target, { readOnly, copy: false }),
      ),
    },
  };
}

/** As a helper, with an input that is closed for good when whoever opened it is gone, and removed by the engine at its end. */
export function toSessionOptions(request: HelperRequest): Dockerode.ContainerCreateOptions {
  const { HostConfig: host, ...options } = toHelperOptions(request);
  return {
    ...options,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: { ...host, AutoRemove: true, CapAdd: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'] },
  };
}

const hardened: Dockerode.HostConfig = {
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges'],
  LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
};

/** Podman's Docker API refuses `uid=` here, so everyone may write. */
const tmpfsOptions = 'rw,noexec,nosuid,nodev,mode=1777,size=64m';

/** One container port may be published more than once. */
function toPortBindings(ports: ContainerSpec['ports']): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports) {
    const key = `${port.container}/tcp`;
    bindings[key] = [...(bindings[key] ?? []), { HostIp: port.bind, HostPort: String(port.host) }];
  }
  return bindings;
}

function toMount(mount: ContainerSpec['mounts'][number], volume: string | undefined): Dockerode.MountSettings {
  if (volume === undefined) throw new Error(`no volume was named for the mount at ${mount.target}`);
  // A data volume takes content and owner from the image on first use; a config volume must hold nothing but what was rendered.
  const isConfig = mount.kind === 'config';
  return toVolumeMount(volume, mount.target, { readOnly: isConfig, copy: !isConfig });
}

function toVolumeMount(
  volume: string,
  target: string,
  how: { readOnly: boolean; copy: boolean },
): Dockerode.MountSettings {
  const mount = { Type: 'volume' as const, Source: volume, Target: target, ReadOnly: how.readOnly };
  return how.copy ? mount : { ...mount, VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: noDriver } };
}

const noDriver = { Name: '', Options: {} };
