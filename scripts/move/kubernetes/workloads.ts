import { basename, dirname } from 'node:path/posix';
import { hostnameOf } from '../../../stack/model.ts';
import { configDir, configMount } from '../../../stack/values/container.ts';
import { sourceOnHost } from '../../engine/docker/create-options.ts';
import type { ServiceRendering } from '../../render/rendering.ts';
import { mask, redact } from '../../util/redaction.ts';
import type { ExportedService } from '../compose-file.ts';
import { configVolume, type FileKey } from './config-objects.ts';
import type { KubernetesDraft, SecretEntry } from './kubernetes-draft.ts';
import { dataVolumeOf, quantity } from './storage.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A service of the stack with all that its pods are made of. */
export interface PodSource {
  readonly exported: ExportedService;
  readonly rendered: ServiceRendering;
  /** Its files, without those that its server gets in another form. */
  readonly files: readonly FileKey[];
  /** Keys of Secrets that are mounted beside its files. */
  readonly generated: readonly FileKey[];
  readonly args: readonly string[];
  /** Whether its server notices changed files itself. */
  readonly reloadsItself: boolean;
}

/** Adds the Deployment, StatefulSet or DaemonSet of a service, and its volume claims. */
export function addWorkload(draft: KubernetesDraft, source: PodSource): void {
  const { service, spec } = source.exported;
  const { name } = service;
  const selector = { matchLabels: draft.selector(name) };
  const template = podTemplate(draft, source);
  const data = spec.mounts.find((mount) => mount.kind === 'data');
  const objectName = draft.nameFor('workload', name);
  if (spec.host !== undefined) {
    draft.findings.changed(
      keyOf(source),
      draft.at(...pathOf(source)),
      `DaemonSet ${objectName}`,
      'each node of the cluster has a pod that reads it',
    );
    draft.add(name, 'apps/v1', 'DaemonSet', objectName, { spec: { selector, template } });
    return;
  }
  const isStateful = data !== undefined && draft.isPlain;
  draft.findings.taken(
    keyOf(source),
    draft.at(...pathOf(source)),
    `${isStateful ? 'StatefulSet' : 'Deployment'} ${objectName}`,
  );
  if (data === undefined) {
    draft.add(name, 'apps/v1', 'Deployment', objectName, { spec: { replicas: 1, selector, template } });
    return;
  }
  const claim = dataVolumeOf(draft, service, spec);
  if (isStateful) {
    const volumeClaimTemplates = [{ metadata: { name: data.volume }, spec: claim }];
    const serviceName = hostName(draft, source.exported);
    draft.add(name, 'apps/v1', 'StatefulSet', objectName, {
      spec: { replicas: 1, serviceName, selector, template, volumeClaimTemplates },
    });
    return;
  }
  draft.add(name, 'v1', 'PersistentVolumeClaim', draft.nameFor('PersistentVolumeClaim', data.volume), { spec: claim });
  // Two servers must not write to one volume.
  const strategy = { type: 'Recreate' };
  draft.add(name, 'apps/v1', 'Deployment', objectName, { spec: { replicas: 1, strategy, selector, template } });
}

const pathOf = ({ rendered: { service } }: PodSource): readonly (string | number)[] => service.path ?? [service.name];
const keyOf = (source: PodSource): string => pathOf(source).join('.');

/** The name of a service in the network of its stack, as the name of a Service. */
const hostName = (draft: KubernetesDraft, { spec }: ExportedService): string =>
  draft.nameFor('Service', hostnameOf(spec));

/** Adds the Service by which others reach a service. */
export function addService(
  draft: KubernetesDraft,
  exported: ExportedService,
  selector: Readonly<Record<string, string>> = draft.selector(exported.service.name),
): void {
  const { service, spec } = exported;
  const port = spec.ready?.port ?? service.port;
  const ports = [{ name: 'web', port, targetPort: port, protocol: 'TCP' }, ...furtherPorts(spec.args)];
  // Each pod of a DaemonSet has an address of its own.
  const clusterIP = spec.host === undefined ? {} : { clusterIP: 'None' };
  draft.add(service.name, 'v1', 'Service', hostName(draft, exported), { spec: { ...clusterIP, selector, ports } });
}

/** Ports beside that of its metrics, such as those at which statsd_exporter takes metrics. */
function furtherPorts(args: readonly string[]): readonly Fields[] {
  return args.flatMap((argument) => {
    const [, protocol = '', number] = /^--.*listen-(udp|tcp)=.*:(\d+)$/.exec(argument) ?? [];
    if (number === undefined) return [];
    const port = Number(number);
    return [{ name: `${protocol}-${port}`, port, targetPort: port, protocol: protocol.toUpperCase() }];
  });
}

function podTemplate(draft: KubernetesDraft, source: PodSource): Fields {
  const { exported, rendered, reloadsItself } = source;
  const { service, spec } = exported;
  const annotations = {
    ...draft.podAnnotations,
    // A changed file makes a new pod, unless its server notices it.
    ...(reloadsItself ? {} : { 'dev.promstack.revision': rendered.revision }),
  };
  const { volumes, mounts } = volumesOf(draft, source);
  const { args, env } = settingsOf(draft, source);
  return {
    metadata: {
      labels: { ...draft.podLabels, ...draft.selector(service.name) },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(spec.host?.pid === true ? { hostPID: true } : {}),
      // Also those of the control plane, which take no other pods.
      ...(spec.host === undefined
        ? {}
        : { nodeSelector: { 'kubernetes.io/os': 'linux' }, tolerations: [{ operator: 'Exists' }] }),
      securityContext: podSecurity(spec.user),
      terminationGracePeriodSeconds: spec.stopTimeoutSeconds,
      containers: [
        {
          name: draft.nameFor('container', service.name),
          image: spec.image,
          ...(spec.entrypoint === undefined ? {} : { command: spec.entrypoint.map(escaped) }),
          ...(args.length === 0 ? {} : { args }),
          env,
          ports: [{ name: 'web', containerPort: spec.ready?.port ?? service.port, protocol: 'TCP' }],
          ...probesOf(exported),
          ...resourcesOf(exported),
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            readOnlyRootFilesystem: true,
          },
          ...(mounts.length === 0 ? {} : { volumeMounts: mounts }),
        },
      ],
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  };
}

/** Flags and variables: one with a secret is a key of a Secret, whose value Kubernetes fills in. */
function settingsOf(
  draft: KubernetesDraft,
  { exported: { service, spec }, args }: PodSource,
): { readonly args: readonly string[]; readonly env: readonly Fields[] } {
  const entries: SecretEntry[] = [];
  const refer = (name: string, value: string): Fields => {
    const masked = redact(value);
    entries.push({
      key: name,
      content: Buffer.from(value),
      values: ['the secrets in stack.yml'],
      masked: masked === mask ? undefined : masked,
    });
    return { name, valueFrom: { secretKeyRef: { name: draft.nameFor('Secret', `${service.name}-env`), key: name } } };
  };
  const hasSecret = (value: string): boolean => redact(value) !== value;
  const env = Object.entries(spec.env).map(([name, value]) =>
    hasSecret(value) ? refer(name, value) : { name, value: escaped(value) },
  );
  const ofArgs = args.flatMap((value, at) => (hasSecret(value) ? [refer(`PROMSTACK_ARGUMENT_${at + 1}`, value)] : []));
  if (entries.length > 0) draft.secrets.push({ name: draft.nameFor('Secret', `${service.name}-env`), entries });
  return {
    args: args.map((value, at) => (hasSecret(value) ? `$(PROMSTACK_ARGUMENT_${at + 1})` : escaped(value))),
    env: [...env, ...ofArgs],
  };
}

/** Kubernetes fills in variables in arguments, and reads two dollars as one. */
export const escaped = (text: string): string => text.replaceAll('$', '$$$$');

/** Volumes belong to the group of the server, which also reads its secrets by it. */
export function podSecurity(user: string): Fields {
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  return {
    ...(uid === 0 ? {} : { runAsNonRoot: true }),
    runAsUser: uid,
    runAsGroup: gid,
    fsGroup: gid === 0 ? uid : gid,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** The limits of stack.yml; Kubernetes reserves as much when nothing else is requested. */
export function resourcesOf({ spec: { resources } }: ExportedService): Fields {
  const { memoryBytes, cpus } = resources;
  const limits = {
    ...(cpus === undefined ? {} : { cpu: `${Math.max(1, Math.round(cpus * 1000))}m` }),
    ...(memoryBytes === undefined ? {} : { memory: quantity(memoryBytes) }),
  };
  return Object.keys(limits).length === 0 ? {} : { resources: { limits } };
}

/** A server that asks for a login refuses the request of a probe, whose headers everybody could read. */
function probesOf({ service, spec }: ExportedService): Fields {
  const { port, path } = spec.ready ?? service.ready;
  const scheme = spec.access?.tls === true ? { scheme: 'HTTPS' } : {};
  const check = spec.access?.login === true ? { tcpSocket: { port } } : { httpGet: { path, port, ...scheme } };
  return {
    // A start may take long, such as the replay of a log.
    startupProbe: { ...check, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 720 },
    readinessProbe: { ...check, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    livenessProbe: { ...check, periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 10 },
  };
}

function volumesOf(
  draft: KubernetesDraft,
  { exported, files, generated }: PodSource,
): { readonly volumes: readonly Fields[]; readonly mounts: readonly Fields[] } {
  const { service, spec } = exported;
  const [volumes, mounts]: [Fields[], Fields[]] = [[], []];
  const mount = (
    volume: Fields | undefined,
    name: string,
    mountPath: string,
    more: Fields = { readOnly: true },
  ): void => {
    if (volume !== undefined) volumes.push(volume);
    mounts.push({ name, mountPath, ...more });
  };
  if (files.length > 0) mount(configVolume('config', files), 'config', configDir);
  const { linkedFolder } = service;
  if (linkedFolder !== undefined) {
    const below = files.filter(({ path }) => path.startsWith(`${linkedFolder}/`));
    const folders = [...new Set(below.map(({ path }) => dirname(path)))].sort();
    // A volume has links to its folders, which Grafana does not follow: each folder is a volume.
    for (const [at, folder] of folders.entries()) {
      const inFolder = below.filter(({ path }) => dirname(path) === folder);
      const named = inFolder.map((file) => ({ ...file, path: basename(file.path) }));
      mount(configVolume(`linked-${at + 1}`, named), `linked-${at + 1}`, `${configMount}/${folder}`);
    }
  }
  if (generated.length > 0) mount(configVolume('generated', generated), 'generated', `${configMount}/secrets`);
  for (const item of spec.mounts) {
    if (item.kind !== 'data') continue;
    // A StatefulSet makes its claim itself.
    const claim = { claimName: draft.nameFor('PersistentVolumeClaim', item.volume) };
    mount(
      draft.isPlain ? undefined : { name: item.volume, persistentVolumeClaim: claim },
      item.volume,
      item.target,
      {},
    );
  }
  for (const [at, target] of spec.tmpfs.entries()) {
    mount({ name: `tmp-${at + 1}`, emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } }, `tmp-${at + 1}`, target, {});
  }
  for (const [at, { source, target }] of (spec.host?.mounts ?? []).entries()) {
    const name = `host-${at + 1}`;
    const path = source === '/' ? '/' : sourceOnHost(source);
    mount({ name, hostPath: { path, type: 'Directory' } }, name, target, {
      readOnly: true,
      mountPropagation: 'HostToContainer',
    });
  }
  return { volumes, mounts };
}
