import type { StackConfig } from '../config.ts';
import type { Problem } from '../diagnostic.ts';
import { configMount } from '../values/container.ts';
import { isMapping, listOf, type Mapping } from '../values/mapping.ts';

/** The job of the discovered targets. */
export const discoveredJob = 'discovered';

/** The folder of the targets in a config volume, beside the releases: what is discovered belongs to none of them. */
export const discoveredFolder = 'discovered';

/** Whether Prometheus scrapes discovered targets. */
export function discoversTargets({ prometheus, discovery }: StackConfig): boolean {
  return prometheus.enabled && discovery?.labels === true;
}

const discovery = [{ files: [`${configMount}/${discoveredFolder}/*.json`] }];

/** The job that scrapes the discovered targets, unless stack.yml has one of its name. */
export function discoveryJobs(config: StackConfig): readonly Mapping[] {
  const isNamed = config.prometheus.scrape_configs.some(isDiscoveryJob);
  return discoversTargets(config) && !isNamed ? [{ job_name: discoveredJob, file_sd_configs: discovery }] : [];
}

/** Jobs of stack.yml, with the discovered targets in the one that has the settings for them. */
export function withDiscovery(jobs: readonly unknown[], config: StackConfig): readonly unknown[] {
  if (!discoversTargets(config)) return jobs;
  return jobs.map((job) =>
    isDiscoveryJob(job) ? { ...job, file_sd_configs: [...discovery, ...listOf(job['file_sd_configs'])] } : job,
  );
}

/** Whether a job of stack.yml has the name of that of the discovered targets. */
export function isDiscoveryJob(job: unknown): job is Mapping {
  return isMapping(job) && job['job_name'] === discoveredJob;
}

export function discoveryProblems({ prometheus, discovery }: StackConfig): readonly Problem[] {
  if (discovery?.labels !== true || prometheus.enabled) return [];
  return [
    {
      code: 'service-disabled',
      path: ['discovery'],
      atKey: true,
      message: 'prometheus is disabled, so nothing scrapes the discovered targets',
      hint: 'remove it here, or set `enabled: true` for prometheus',
      dependsOn: [['prometheus', 'enabled']],
    },
  ];
}
