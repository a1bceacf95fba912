import type { StackConfig } from '../config.ts';
import { isOwnAddress, type OwnItem, servicePorts, type UsedService } from '../own-items.ts';
import { isMapping, listOf, type Mapping } from '../values/mapping.ts';

/** The service whose own job has a name; undefined when the stack has none. */
export function jobOwner(config: StackConfig, name: unknown): UsedService | undefined {
  const services = Object.keys(servicePorts) as UsedService[];
  return services.find((service) => service === name && config[service].enabled);
}

/** The jobs of stack.yml that are settings of the stack's own ones: they have the name of one, and its target or none. */
export function ownJobs(config: StackConfig): readonly OwnItem[] {
  return config.prometheus.scrape_configs.flatMap((job, at): readonly OwnItem[] => {
    const owner = jobOwner(config, job.job_name);
    if (owner === undefined || Object.keys(job).some((key) => key.endsWith('_sd_configs'))) return [];
    const groups = listOf(job['static_configs']);
    const targets = groups.flatMap((group) => (isMapping(group) ? listOf(group['targets']) : []));
    const isOwn = (target: unknown): boolean => typeof target === 'string' && isOwnAddress(config, owner, target);
    if (targets.length > 0 && !targets.some(isOwn)) return [];
    const { job_name: _name, static_configs: written, ...others } = job;
    const renamed = groups.map((group) => (isMapping(group) ? withOwnTarget(group, isOwn, owner) : group));
    // What is not a list is left to promtool.
    const isList = Array.isArray(written) || written === undefined || written === null;
    const hasGroups = !isList || targets.length > 0;
    return [
      {
        kind: 'scrapes',
        identity: ['job_name', owner],
        path: ['prometheus', 'scrape_configs', at],
        settings: hasGroups ? { ...others, static_configs: isList ? renamed : written } : others,
      },
    ];
  });
}

function withOwnTarget(group: Mapping, isOwn: (target: unknown) => boolean, owner: UsedService): Mapping {
  const address = `${owner}:${servicePorts[owner]}`;
  const targets = listOf(group['targets']).map((target) => (isOwn(target) ? address : target));
  return { ...group, targets: [...new Set(targets)] };
}
