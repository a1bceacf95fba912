import type Dockerode from 'dockerode';
import { hardening, healthTimes, sourceOnHost } from '../docker/create-options.ts';
import type { MountedFile, PlacedSpec, ServiceState, SwarmMount, SwarmServiceSpec } from './swarm.ts';

/** The request that creates or updates a service. */
export function toServiceState(spec: SwarmServiceSpec, placed: PlacedSpec): ServiceState {
  const idOf = (name: string): string => {
    const id = placed.files.get(name);
    if (id === undefined) throw new Error(`the swarm has no file ${name}`);
    return id;
  };
  const file = ({ target, uid, gid, mode }: MountedFile) => {
    return { Name: target, UID: String(uid), GID: String(gid), Mode: mode };
  };
  const filesOf = (kind: MountedFile['kind']) => spec.files.filter((mounted) => mounted.kind === kind);
  return {
    Name: spec.name,
    Labels: { ...spec.labels },
    TaskTemplate: {
      ContainerSpec: {
        Image: spec.image,
        ...(spec.entrypoint === undefined ? {} : { Command: [...spec.entrypoint] }),
        Args: [...spec.args],
        Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
        User: spec.user,
        Hostname: spec.hostname,
        // The node of the task, as the engine's host is for containers.
        Hosts: ['host-gateway host.docker.internal'],
        Labels: { ...spec.containerLabels },
        ReadOnly: true,
        CapabilityDrop: [...hardening.CapDrop],
        // Managers before 25 ignore it.
        Privileges: { NoNewPrivileges: true },
        StopGracePeriod: spec.stopTimeoutSeconds * 1e9,
        ...(spec.healthCheck === undefined
          ? {}
          : { Healthcheck: { Test: ['CMD', ...spec.healthCheck], ...swarmHealthTimes } }),
        ...(spec.dnsOptions === undefined ? {} : { DNSConfig: { Options: [...spec.dnsOptions] } }),
        Mounts: spec.mounts.map(toMount),
        Configs: filesOf('config').map((mounted) => ({
          ConfigID: idOf(mounted.name),
          ConfigName: mounted.name,
          File: file(mounted),
        })),
        Secrets: filesOf('secret').map((mounted) => ({
          SecretID: idOf(mounted.name),
          SecretName: mounted.name,
          File: file(mounted),
        })),
      },
      Resources: {
        Limits: {
          Pids: hardening.PidsLimit,
          ...(spec.memoryBytes === undefined ? {} : { MemoryBytes: spec.memoryBytes }),
          ...(spec.cpus === undefined ? {} : { NanoCPUs: Math.round(spec.cpus * 1e9) }),
        },
      },
      RestartPolicy: { Condition: spec.isRestarted === false ? 'none' : 'any', Delay: 2e9 },
      Placement: {
        Constraints: [...spec.constraints, ...(placed.without ?? []).map((id) => `node.id!=${id}`)],
        // Replicas on one node would go down with it, and could not share its volume.
        ...(spec.replicas === undefined || spec.replicas === 1 ? {} : { MaxReplicas: 1 }),
      },
      ForceUpdate: placed.force ?? 0,
      Networks: [
        ...(placed.network === undefined ? [] : [{ Target: placed.network, Aliases: [spec.alias] }]),
        // There it has the name of its service only: other services may have its name in this stack.
        ...spec.networks.map((name) => ({ Target: placed.networks.get(name) ?? name })),
      ],
      LogDriver: { Name: hardening.LogConfig.Type, Options: { ...hardening.LogConfig.Config } },
    },
    Mode: spec.replicas === undefined ? { Global: {} } : { Replicated: { Replicas: spec.replicas } },
    UpdateConfig: {
      Parallelism: placed.parallelism,
      // An old and a new task cannot share a published port and a volume.
      Order: 'stop-first',
      // The next task is replaced only once it is certain that the one before has not failed.
      Delay: 1e9,
      Monitor: 1e9,
      FailureAction: 'pause',
    },
    EndpointSpec: {
      // Names lead to the tasks themselves: a virtual address would need IPVS in the kernels of all nodes.
      Mode: 'dnsrr',
      Ports: spec.ports.map(({ container, host }) => ({
        Protocol: 'tcp',
        TargetPort: container,
        PublishedPort: host,
        PublishMode: 'host',
      })),
    },
  } as ServiceState;
}

/** A task counts as running once it is healthy: the others of its service wait for that long. Engines before 25 know no interval of the start. */
const swarmHealthTimes = {
  Interval: 3e9,
  Timeout: healthTimes.Timeout,
  Retries: 5,
  StartPeriod: healthTimes.StartPeriod,
};

function toMount(mount: SwarmMount): Dockerode.MountSettings {
  switch (mount.kind) {
    case 'volume':
      return {
        Type: 'volume',
        Source: mount.volume,
        Target: mount.target,
        VolumeOptions: { NoCopy: false, Labels: { ...mount.labels }, DriverConfig: { Name: 'local', Options: {} } },
      };
    case 'host':
      return { Type: 'bind', Source: sourceOnHost(mount.source), Target: mount.target, ReadOnly: true };
    default:
      return {
        Type: 'tmpfs',
        Source: '',
        Target: mount.target,
        TmpfsOptions: { SizeBytes: 64 * 2 ** 20, Mode: 0o1777 },
      };
  }
}
