import type { RenderedFile } from '../../../stack/model.ts';
import type { Mapping } from '../../../stack/values/mapping.ts';
import type { ServiceRendering } from '../../render/rendering.ts';
import { shown } from '../../render/show.ts';
import type { ExportedService } from '../compose-file.ts';
import { configVolume } from './config-objects.ts';
import type { KubernetesDraft } from './kubernetes-draft.ts';
import { dataVolumeOf } from './storage.ts';
import { escaped, podSecurity, resourcesOf } from './workloads.ts';

/** What the objects of a server are made of. */
export interface OperatedServer {
  readonly exported: ExportedService;
  readonly rendered: ServiceRendering;
  readonly files: readonly RenderedFile[];
}

/** The published schemas demand these of a claim inside another object; a cluster takes any text there. */
const embeddedClaim = { apiVersion: 'monitoring.coreos.com/v1', kind: 'EmbeddedPersistentVolumeClaim' } as const;

/** What both servers of the operator have of their containers. */
export function podFields(draft: KubernetesDraft, exported: ExportedService): Mapping {
  const { service, spec } = exported;
  const { podLabels: labels, podAnnotations: annotations } = draft;
  return {
    ...resourcesOf(exported),
    securityContext: podSecurity(spec.user),
    podMetadata: {
      labels: { ...labels, ...draft.partOf },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    portName: 'web',
    storage: { volumeClaimTemplate: { ...embeddedClaim, spec: dataVolumeOf(draft, service, spec) } },
  };
}

/** Variables of the operator's reloader, which it needs. */
const ownVariables = ['POD_NAME', 'SHARD'] as const;

/**
 * The variables of a server, and those of the operator's reloader: it fills in each `$(NAME)` in a config that is a variable of its
 * container, such as `$(HOSTNAME)`, so that each has the text itself as its value.
 */
export function containersOf(
  { findings }: KubernetesDraft,
  { service, spec }: ExportedService,
  main: RenderedFile | undefined,
): Mapping {
  const env = Object.entries(spec.env).map(([name, value]) => ({ name, value: escaped(value) }));
  const names = new Set(
    [...(main === undefined ? '' : shown(main)).matchAll(/\$\((\w+)\)/g)].map(([, name = '']) => name),
  );
  for (const name of ownVariables) {
    if (!names.delete(name)) continue;
    const why = "the operator's reloader has a variable of this name, and fills in its value";
    findings.changed(`$(${name}) in ${service.name}/${main?.path}`, undefined, undefined, why);
  }
  const asWritten = [...names].map((name) => ({ name, value: `$$(${name})` }));
  const containers = [
    ...(env.length === 0 ? [] : [{ name: service.name, env }]),
    ...(asWritten.length === 0 ? [] : [{ name: 'config-reloader', env: asWritten }]),
  ];
  return {
    ...(containers.length === 0 ? {} : { containers }),
    ...(asWritten.length === 0 ? {} : { initContainers: [{ name: 'init-config-reloader', env: asWritten }] }),
  };
}

/** The files of a server at the paths that its config names. */
export function filesOf(keys: Parameters<typeof configVolume>[1]): Mapping {
  return {
    volumes: [configVolume('stack-files', keys)],
    volumeMounts: [{ name: 'stack-files', mountPath: '/etc/promstack/current', readOnly: true }],
  };
}
