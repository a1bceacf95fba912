import type { StackConfig } from '../config.ts';
import { exporterServices } from '../exporters/services.ts';
import { servicePorts, type UsedService } from '../own-items.ts';
import { toResources } from '../values/container.ts';
import { isMapping, listOf, type Mapping } from '../values/mapping.ts';

/** A server of the stack whose own metrics Prometheus scrapes, by the labels of its series. */
export interface ScrapedServer {
  readonly service: string;
  readonly job: string;
  readonly instance: string;
  readonly memoryBytes: number | undefined;
}

/** The servers of a stack that Prometheus scrapes; those that are only asked about others, such as blackbox_exporter, are not. */
export function scrapedServers(config: StackConfig): readonly ScrapedServer[] {
  const core = (Object.keys(servicePorts) as UsedService[]).filter((service) => config[service].enabled);
  const store = config.long_term?.victoriametrics;
  return [
    ...core.map((service) => server(service, servicePorts[service], config[service].resources)),
    ...(store?.enabled === true ? [server('victoriametrics', 8428, store.resources)] : []),
    ...scrapedExporters(config),
  ];
}

function server(service: string, port: number, resources: Parameters<typeof toResources>[0]): ScrapedServer {
  const { memoryBytes } = toResources(resources);
  return { service, job: service, instance: `${service}:${port}`, memoryBytes };
}

function scrapedExporters(config: StackConfig): readonly ScrapedServer[] {
  const services = exporterServices(config).filter((service) => service.isEnabled(config));
  const targets = services
    .flatMap((service) => service.scrapes?.(config) ?? [])
    .flatMap((job) =>
      listOf(job['static_configs'])
        .filter(isMapping)
        .flatMap((group) => listOf(group['targets']).map((target) => ({ job, group, target }))),
    );
  return services.flatMap((service) => {
    const { hostname = service.name, resources } = service.container(config);
    const address = `${hostname}:${service.port}`;
    return targets
      .filter(({ target }) => target === address)
      .map(({ job, group }) => ({
        service: service.name,
        job: String(job['job_name']),
        instance: instanceOf(group) ?? address,
        memoryBytes: resources.memoryBytes,
      }));
  });
}

function instanceOf(group: Mapping): string | undefined {
  const { labels } = group;
  return isMapping(labels) && labels['instance'] !== undefined ? String(labels['instance']) : undefined;
}

/** The memory limits of stack.yml as recording rules: no server knows the limit of its container. */
export function memoryLimitRecords(config: StackConfig): readonly object[] {
  return scrapedServers(config).flatMap(({ job, instance, memoryBytes }) =>
    memoryBytes === undefined
      ? []
      : [{ record: 'promstack_memory_limit_bytes', expr: `vector(${memoryBytes})`, labels: { job, instance } }],
  );
}
