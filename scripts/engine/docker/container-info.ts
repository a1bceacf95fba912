import type Dockerode from 'dockerode';
import type { Connection, ContainerDetails, ContainerState, ContainerSummary } from '../engine.ts';

export async function toSummary(docker: Dockerode, info: Dockerode.ContainerInfo): Promise<ContainerSummary> {
  return {
    id: info.Id,
    name: (info.Names[0] ?? '').replace(/^\//, ''),
    image: await referenceOf(docker, info),
    imageId: info.ImageID,
    state: toState(info.State),
    status: info.Status.replace(/ \((?:healthy|unhealthy|health: starting)\)$/, ''),
    labels: info.Labels ?? {},
    createdAt: info.Created,
    hostPorts: (info.Ports ?? [])
      .filter(({ PublicPort, Type }) => PublicPort > 0 && Type === 'tcp')
      .map(({ IP, PublicPort, PrivatePort }) => ({ address: IP ?? '', port: PublicPort, containerPort: PrivatePort })),
    networks: Object.keys(info.NetworkSettings?.Networks ?? {}),
  };
}

/** The fields of a connection that a user can give; the engine sets the others. */
interface Endpoint {
  readonly Aliases?: readonly string[] | null;
  readonly DNSNames?: readonly string[] | null;
  readonly IPAMConfig?: object | null;
  readonly Links?: readonly string[] | null;
  readonly DriverOpts?: object | null;
  readonly GwPriority?: number;
}

function toConnection(endpoint: Endpoint, id: string, name: string): Connection {
  const { IPAMConfig, Links, DriverOpts, GwPriority = 0 } = endpoint;
  const given = Object.entries({ IPAMConfig, Links, DriverOpts }).filter(
    ([, value]) => Object.keys(value ?? {}).length > 0,
  );
  const settings = { ...Object.fromEntries(given), ...(GwPriority === 0 ? {} : { GwPriority }) };
  // Engines before 25 have only the aliases. Each container is given its name and its short ID again.
  const names = new Set([...(endpoint.Aliases ?? []), ...(endpoint.DNSNames ?? [])]);
  const aliases = [...names].filter((alias) => alias !== name && !(alias.length === 12 && id.startsWith(alias)));
  return { aliases, settings: Object.keys(settings).length === 0 ? undefined : settings };
}

export function toDetails({
  Id: id,
  Name: name,
  Config: config,
  HostConfig: host,
  NetworkSettings: { Networks: networks },
  State: { StartedAt: startedAt },
}: Dockerode.ContainerInspectInfo): ContainerDetails {
  // 0 means no limit; `docker update --cpus` sets NanoCpus, Podman sets a quota and a period.
  const quota = (host.CpuQuota ?? 0) > 0 ? (host.CpuQuota ?? 0) / (host.CpuPeriod || 100_000) : 0;
  const cpus = (host.NanoCpus ?? 0) / 1e9 || quota;
  return {
    memoryBytes: host.Memory || undefined,
    cpus: cpus || undefined,
    restartPolicy: host.RestartPolicy?.Name || 'no',
    // Before the first start it is in the year 1.
    startedAt: startedAt.startsWith('0001-') ? undefined : Date.parse(startedAt),
    exposedPorts: Object.keys(config.ExposedPorts ?? {})
      .filter((port) => port.endsWith('/tcp'))
      .map((port) => Number.parseInt(port, 10)),
    networkMode: host.NetworkMode,
    networks: Object.fromEntries(
      Object.entries(networks).map(([network, endpoint]) => [
        network,
        toConnection(endpoint as Endpoint, id, name.replace(/^\//, '')),
      ]),
    ),
  };
}

/** Once a tag has moved to another image, the list shows the image's id instead; only `inspect` still has the tag. */
async function referenceOf(docker: Dockerode, info: Dockerode.ContainerInfo): Promise<string> {
  if (!info.Image.startsWith('sha256:') && !info.ImageID.includes(info.Image)) return info.Image;
  try {
    return (await docker.getContainer(info.Id).inspect()).Config.Image;
  } catch {
    return info.Image;
  }
}

/** Podman has more states than Docker. */
function toState(state: string): ContainerState {
  switch (state) {
    case 'created':
    case 'running':
    case 'paused':
    case 'restarting':
    case 'removing':
    case 'exited':
    case 'dead':
      return state;
    case 'configured':
    case 'initialized':
      return 'created';
    case 'stopping':
      return 'running';
    default:
      return 'exited';
  }
}
