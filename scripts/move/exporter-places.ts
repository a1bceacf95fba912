import type { Exporter } from '../../stack/exporters/exporter.ts';
import { exporters } from '../../stack/exporters/exporters.ts';
import { repositoryOf } from './compose-image.ts';
import type { ComposeService } from './compose-project.ts';

/** Which exporter of promstack a service of compose is. */
export interface ExporterPlace {
  /** Undefined for one that promstack does not ship. */
  readonly exporter: Exporter | undefined;
  /** Of an export of several instances. */
  readonly instance?: string | undefined;
  /** Whether `export compose` wrote the service: its image may be any. */
  readonly isExported: boolean;
}

/** The exporter of a service: by the names that an export gives its container, else by its image. */
export function exporterPlace({ hosts, image }: ComposeService, project: string): ExporterPlace {
  for (const exporter of exporters) {
    const { kind } = exporter;
    for (const host of hosts) {
      const [own, instance] = new RegExp(`^${kind}(?:-([a-z0-9-]+))?-exporter$`).exec(host) ?? [];
      const isContainer = hosts.includes(`${project}-${kind}${instance === undefined ? '' : `-${instance}`}`);
      if (own !== undefined && isContainer) return { exporter, instance, isExported: true };
    }
  }
  const repository = repositoryOf(image);
  return {
    exporter: exporters.find(({ defaultImage }) => repositoryOf(defaultImage) === repository),
    isExported: false,
  };
}

/** Exporters whose targets are in jobs of their own: they ask others for what Prometheus names. */
export const isProber = ({ kind }: Exporter): boolean => kind === 'blackbox' || kind === 'snmp';
