import type { RenderedFile } from '../../../stack/model.ts';
import type { Mapping } from '../../../stack/values/mapping.ts';
import type { ServiceRendering } from '../../render/rendering.ts';
import type { ExportedService } from '../compose-file.ts';
import { configVolume } from './config-objects.ts';
import type { KubernetesDraft } from './kubernetes-draft.ts';
import { dataVolumeOf } from './storage.ts';
import { podSecurity, resourcesOf } from './workloads.ts';

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

/** The files of a server at the paths that its config names. */
export function filesOf(keys: Parameters<typeof configVolume>[1]): Mapping {
  return {
    volumes: [configVolume('stack-files', keys)],
    volumeMounts: [{ name: 'stack-files', mountPath: '/etc/promstack/current', readOnly: true }],
  };
}
