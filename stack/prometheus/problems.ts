import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { parseDuration } from '../values/duration.ts';
import { durationProblems, mappingsIn, misspeltKeys, type Native, repeatedNames } from '../values/native.ts';
import { quoted } from '../values/words.ts';
import { jobKeys } from './job-keys.ts';
import { targetProblems } from './targets.ts';

/** Services whose own metrics the stack scrapes, each under a job of its name. */
const scraped = ['pushgateway', 'prometheus', 'alertmanager', 'grafana'] as const;

/** What is wrong with the Prometheus part of the config that its shape alone does not show. */
export function problems(config: StackConfig): readonly Problem[] {
  const own = config.prometheus;
  const path = ['prometheus', 'scrape_configs'];
  const jobs = mappingsIn(own.scrape_configs, path);
  const named = jobs.map((job) => ({ name: job.value['job_name'], path: [...job.path, 'job_name'] }));
  return [
    ...timeoutProblems(own, ['prometheus'], undefined),
    ...named.flatMap(({ name, path: at }) => ownJobProblems(config, name, at)),
    ...repeatedNames(named, 'jobs'),
    ...jobs.flatMap((job) => jobProblems(job.value, job.path, own.scrape_interval)),
  ];
}

function jobProblems(job: Native, path: KeyPath, globalInterval: string): readonly Problem[] {
  return [
    ...misspeltKeys(job, jobKeys, path),
    ...durationProblems(job, 'scrape_interval', path),
    ...durationProblems(job, 'scrape_timeout', path),
    ...timeoutProblems(job, path, globalInterval),
    ...Object.entries(job)
      .filter(([key]) => key.endsWith('_sd_configs'))
      .flatMap(([key, value]) => mappingsIn(value, [...path, key]))
      .flatMap((discovery) => durationProblems(discovery.value, 'refresh_interval', discovery.path)),
    ...targetProblems(job, path),
  ];
}

/** A scrape may not outlast the wait for the next one. */
function timeoutProblems(section: Native, path: KeyPath, globalInterval: string | undefined): readonly Problem[] {
  const timeout = durationOf(section['scrape_timeout']);
  const interval = durationOf(section['scrape_interval'] ?? globalInterval);
  if (timeout === undefined || interval === undefined || timeout <= interval) return [];
  const { scrape_timeout: written, scrape_interval: every = globalInterval } = section;
  return [
    {
      code: 'timeout-too-long',
      path: [...path, 'scrape_timeout'],
      message: `the scrape timeout ${String(written)} is longer than the scrape interval ${String(every)}`,
      hint: 'Prometheus refuses that: make the timeout shorter or the interval longer',
    },
  ];
}

function ownJobProblems(config: StackConfig, name: unknown, path: KeyPath): readonly Problem[] {
  const owner = scraped.find((service) => service === name && config[service].enabled);
  if (owner === undefined) return [];
  return [
    {
      code: 'name-twice',
      path,
      message: `the job name ${quoted(owner)} is taken: the stack scrapes its own ${owner} under it`,
      hint: 'give this job another job_name',
    },
  ];
}

function durationOf(value: unknown): number | undefined {
  return typeof value === 'string' ? parseDuration(value) : undefined;
}
