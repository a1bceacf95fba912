import { stringify } from 'yaml';
import { loginFile } from '../../../stack/access/access.ts';
import { recorderFeature } from '../../../stack/alertmanager/event-recorder.ts';
import { featuresIn, flagIn, withoutFlag } from '../../../stack/values/container.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Rendering, ServiceRendering } from '../../render/rendering.ts';
import { redact } from '../../util/redaction.ts';
import type { ExportedService } from '../compose-file.ts';
import { exportedServices, foldersToKeep, refuseInternalCa } from '../exported-services.ts';
import type { Finding } from '../findings.ts';
import type { OwnFile } from '../write-folder.ts';
import { adaptedFiles } from './adapt-files.ts';
import { addConfig, type FileKey } from './config-objects.ts';
import { type DraftSecret, KubernetesDraft, type KubernetesObject, withoutSecrets } from './kubernetes-draft.ts';
import { kubernetesReadme } from './kubernetes-readme.ts';
import { addAlertmanager } from './operator-alertmanager.ts';
import { addPrometheus } from './operator-prometheus.ts';
import { reportStackKeys } from './stack-keys.ts';
import { addService, addWorkload } from './workloads.ts';

/** A stack as a folder of Kubernetes manifests. */
export interface KubernetesExport {
  readonly namespace: string;
  readonly files: readonly OwnFile[];
  readonly objects: readonly KubernetesObject[];
  readonly secrets: readonly DraftSecret[];
  /** Those that have a secret of the stack. */
  readonly neededSecrets: readonly DraftSecret[];
  readonly findings: readonly Finding[];
  readonly images: readonly { readonly image: string; readonly isLocal: boolean }[];
}

/** The manifests of a stack: with `isPlain` of what every cluster knows, else with the objects of prometheus-operator. */
export async function exportKubernetes(
  rendering: Rendering,
  engine: Engine | undefined,
  { withSecrets, isPlain }: { readonly withSecrets: boolean; readonly isPlain: boolean },
): Promise<KubernetesExport> {
  refuseInternalCa(rendering, 'exporting the stack for Kubernetes');
  const draft = new KubernetesDraft(rendering, { isPlain });
  const services = await exportedServices(rendering, engine, { withSecrets });
  reportStackKeys(draft);
  for (const exported of services) {
    const rendered = rendering.services.find(({ service }) => service === exported.service);
    if (rendered !== undefined) addParts(draft, exported, rendered);
  }
  const namespace: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: draft.namespace,
      labels: { ...draft.partOf, 'pod-security.kubernetes.io/enforce': podSecurityLevel(rendering) },
    },
  };
  const objects = [{ path: 'namespace.yaml', object: namespace }, ...draft.objects];
  const images = services.map(({ spec: { image }, isLocalImage }) => ({ image, isLocal: isLocalImage }));
  const secrets = withSecrets ? draft.secrets.map((secret) => secretFile(draft, secret)) : [];
  const openSecrets = withSecrets ? [] : draft.secrets.filter(isOpen);
  const manifests = objects.map(({ path, object }) => ({ path, content: Buffer.from(manifest(draft, object)) }));
  const files: readonly OwnFile[] = [
    { path: 'kustomization.yaml', content: Buffer.from(kustomization(draft, [...manifests, ...secrets], openSecrets)) },
    ...manifests,
    ...secrets,
    ...(withSecrets ? [] : draft.secrets.flatMap(enteredFiles)),
    { path: '.gitignore', content: Buffer.from('/secrets/\n') },
  ];
  const neededSecrets = draft.secrets.filter((secret) => !isOpen(secret));
  const readme = redact(kubernetesReadme(draft, { secrets: withSecrets ? [] : neededSecrets, images }));
  return {
    namespace: draft.namespace,
    files: [{ path: 'README.md', content: Buffer.from(readme) }, ...files],
    objects: objects.map(({ object }) => object),
    secrets: draft.secrets,
    neededSecrets,
    findings: draft.findings.all,
    images,
  };
}

/** What Kubernetes lets the pods of a namespace do: more than the least only for exporters of host metrics, or as root. */
function podSecurityLevel({ services }: Rendering): string {
  if (services.some(({ container }) => container.host !== undefined)) return 'privileged';
  return services.some(({ container }) => container.user.startsWith('0:')) ? 'baseline' : 'restricted';
}

function addParts(draft: KubernetesDraft, exported: ExportedService, rendered: ServiceRendering): void {
  const { service } = exported;
  // Only promstack logs in by that file.
  const files = adaptedFiles(draft, rendered).filter(({ path }) => path !== loginFile);
  const isOperated = !draft.isPlain && (service.name === 'prometheus' || service.name === 'alertmanager');
  if (isOperated) {
    const add = service.name === 'prometheus' ? addPrometheus : addAlertmanager;
    add(draft, { exported, rendered, files });
    return;
  }
  const { args, reloadsItself } = argsIn(exported);
  addWorkload(draft, {
    exported,
    rendered,
    files: addConfig(draft, rendered, files, foldersToKeep(rendered)),
    generated: addGenerated(draft, exported),
    args,
    reloadsItself,
  });
  addService(draft, exported);
}

/** The arguments of a server in a cluster, where promstack does not reload it and keeps no log of alerts. */
function argsIn({ service, spec }: ExportedService): {
  readonly args: readonly string[];
  readonly reloadsItself: boolean;
} {
  if (service.name === 'alertmanager') {
    const features = featuresIn(spec.args).filter((name) => name !== recorderFeature);
    const others = withoutFlag(spec.args, 'enable-feature');
    return {
      args: features.length === 0 ? others : [...others, `--enable-feature=${features.join(',')}`],
      reloadsItself: false,
    };
  }
  const reload = service.name === 'prometheus' ? autoReload(spec.image, spec.args) : undefined;
  return { args: [...spec.args, ...(reload ?? [])], reloadsItself: reload !== undefined };
}

/** The flags with which Prometheus reads changed files itself; undefined for a version that does not. */
function autoReload(image: string, args: readonly string[]): readonly string[] | undefined {
  const [, major, minor] = /:v?(\d+)\.(\d+)/.exec(image) ?? [];
  if (major === undefined || Number(major) < 3) return undefined;
  const isOn = args.includes('--config.auto-reload') || featuresIn(args).includes('auto-reload-config');
  if (isOn || flagIn(args, 'config.auto-reload') !== undefined) return [];
  return Number(major) > 3 || Number(minor) >= 12 ? ['--config.auto-reload'] : ['--enable-feature=auto-reload-config'];
}

/** The secrets that promstack generates for a service, a Secret each: one that was made for the export is never replaced. */
function addGenerated(draft: KubernetesDraft, { service, secrets }: ExportedService): readonly FileKey[] {
  return secrets.flatMap(({ target, content, values, isNew }): readonly FileKey[] => {
    const [, key] = /^\/etc\/promstack\/secrets\/([\w-]+)$/.exec(target) ?? [];
    if (key === undefined) return [];
    const name = draft.nameFor('Secret', `${service.name}-${key}`);
    draft.secrets.push({ name, isNew, entries: [{ key, content, values }] });
    return [{ kind: 'secret', name, key, path: key, mode: 0o440 }];
  });
}

/** Whether nothing in it is secret. */
const isOpen = ({ entries }: DraftSecret): boolean => entries.every(({ values }) => values.length === 0);

/** What a Secret without a manifest is made from: its content if nothing in it is secret, else the text around the secrets. */
function enteredFiles(secret: DraftSecret): readonly OwnFile[] {
  return secret.entries.flatMap(({ key, content, values, masked }): readonly OwnFile[] => {
    if (values.length === 0 && isOpen(secret)) return [{ path: `files/${secret.name}/${key}`, content }];
    return masked === undefined ? [] : [{ path: `masked/${secret.name}/${key}`, content: Buffer.from(masked) }];
  });
}

/** YAML that both versions of its specification read alike. */
const toYaml = (value: unknown): string =>
  stringify(value, { schema: 'yaml-1.1', compat: 'core', lineWidth: 0, aliasDuplicateObjects: false });

/** The text of an object: a secret that is part of another value, such as a URL, is masked and reported. */
function manifest({ findings }: KubernetesDraft, object: KubernetesObject): string {
  const text = toYaml(object);
  const masked = toYaml(withoutSecrets(object));
  if (masked !== text) {
    const why = 'it is part of another value: write it where [secret] is';
    findings.left(`a secret in ${object.kind} ${object.metadata.name}`, undefined, why);
  }
  return masked;
}

function secretFile({ namespace, partOf }: KubernetesDraft, { name, entries, isNew }: DraftSecret): OwnFile {
  const data = Object.fromEntries(entries.map(({ key, content }) => [key, content.toString('base64')]));
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: partOf },
    type: 'Opaque',
    data,
  };
  return { path: `secrets/${name}.yaml`, content: Buffer.from(toYaml(secret)), isSecret: true, isKept: isNew };
}

function kustomization(
  { namespace }: KubernetesDraft,
  resources: readonly { readonly path: string }[],
  openSecrets: readonly DraftSecret[],
): string {
  const generated = openSecrets.map(({ name, entries }) => ({
    name,
    files: entries.map(({ key }) => `${key}=files/${name}/${key}`),
    options: { disableNameSuffixHash: true },
  }));
  return toYaml({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace,
    resources: resources.map(({ path }) => path),
    ...(generated.length === 0 ? {} : { secretGenerator: generated }),
  });
}
