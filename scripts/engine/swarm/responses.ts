import type Dockerode from 'dockerode';
import type { SwarmFile, SwarmNode, SwarmService, SwarmTask } from './swarm.ts';

type Labels = Readonly<Record<string, string>>;

export interface NodeResponse {
  readonly ID: string;
  readonly Spec?: { readonly Role?: string; readonly Availability?: string; readonly Labels?: Labels | null };
  readonly Description: {
    readonly Hostname?: string;
    readonly Platform?: { readonly OS?: string; readonly Architecture?: string };
    readonly Engine?: { readonly Labels?: Labels | null };
  };
  readonly Status?: { readonly State?: string };
}

export function toNode({ ID: id, Spec, Description, Status }: NodeResponse): SwarmNode {
  const { Platform: { OS: os = 'linux', Architecture: arch = '' } = {} } = Description;
  return {
    id,
    name: Description.Hostname ?? id,
    isReady: Status?.State === 'ready',
    isActive: Spec?.Availability === 'active',
    role: Spec?.Role === 'manager' ? 'manager' : 'worker',
    labels: Spec?.Labels ?? {},
    engineLabels: Description.Engine?.Labels ?? {},
    platform: { os, arch },
  };
}

export interface ServiceResponse {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: Dockerode.ServiceSpec;
  readonly UpdateStatus?: { readonly State?: string; readonly Message?: string };
}

export function toService({ ID: id, Version, Spec, UpdateStatus }: ServiceResponse): SwarmService {
  const container = (Spec.TaskTemplate as { readonly ContainerSpec?: ContainerResponse } | undefined)?.ContainerSpec;
  const update = UpdateStatus?.State && { state: UpdateStatus.State, message: UpdateStatus.Message ?? '' };
  return {
    id,
    name: Spec.Name ?? id,
    version: Version.Index,
    image: container?.Image,
    mounted: [
      ...(container?.Configs ?? []).map((file) => toMounted('config', file.ConfigID, file.ConfigName, file.File)),
      ...(container?.Secrets ?? []).map((file) => toMounted('secret', file.SecretID, file.SecretName, file.File)),
    ],
    labels: Spec.Labels ?? {},
    state: { ...Spec },
    update: update || undefined,
  };
}

interface ContainerResponse {
  readonly Image?: string;
  readonly Configs?:
    | readonly { readonly ConfigID?: string; readonly ConfigName?: string; readonly File?: FileTarget }[]
    | null;
  readonly Secrets?:
    | readonly { readonly SecretID?: string; readonly SecretName?: string; readonly File?: FileTarget }[]
    | null;
}

interface FileTarget {
  readonly Name?: string;
}

const toMounted = (
  kind: SwarmFile['kind'],
  id = '',
  name = '',
  file: FileTarget = {},
): SwarmService['mounted'][number] => {
  return { kind, id, name, target: file.Name ?? '' };
};

export interface TaskResponse {
  readonly ID: string;
  readonly ServiceID: string;
  readonly CreatedAt?: string;
  readonly Slot?: number;
  readonly NodeID?: string;
  readonly DesiredState?: string;
  readonly Spec?: {
    readonly ContainerSpec?: { readonly Labels?: Labels | null };
    readonly NetworkAttachmentSpec?: { readonly ContainerID?: string };
    readonly ForceUpdate?: number;
  };
  readonly Status?: {
    readonly State?: string;
    readonly Message?: string;
    readonly Err?: string;
    readonly ContainerStatus?: { readonly ExitCode?: number };
  };
  readonly NetworksAttachments?:
    | readonly { readonly Network?: { readonly ID?: string }; readonly Addresses?: readonly string[] | null }[]
    | null;
}

export function toTask(response: TaskResponse): SwarmTask {
  const { Status: status = {}, Slot = 0, NodeID = '' } = response;
  return {
    id: response.ID,
    service: response.ServiceID,
    slot: Slot === 0 ? undefined : Slot,
    node: NodeID === '' ? undefined : NodeID,
    state: status.State ?? '',
    desired: response.DesiredState ?? '',
    why: status.Err,
    exitCode: status.ContainerStatus?.ExitCode,
    labels: response.Spec?.ContainerSpec?.Labels ?? {},
    force: response.Spec?.ForceUpdate ?? 0,
    addresses: new Map(
      (response.NetworksAttachments ?? []).flatMap(({ Network, Addresses }) => {
        const [address] = Addresses ?? [];
        return Network?.ID === undefined || address === undefined ? [] : [[Network.ID, address.replace(/\/\d+$/, '')]];
      }),
    ),
    createdAt: Date.parse(response.CreatedAt ?? '') || 0,
  };
}

export interface FileResponse {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Name: string; readonly Labels?: Labels | null; readonly Data?: string };
}

export function toFile(kind: SwarmFile['kind'], { ID: id, Version, Spec }: FileResponse): SwarmFile {
  const content = kind === 'secret' ? undefined : Buffer.from(Spec.Data ?? '', 'base64').toString('utf8');
  return { kind, id, name: Spec.Name, version: Version.Index, labels: Spec.Labels ?? {}, content };
}
