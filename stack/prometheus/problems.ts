import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { parseDuration } from '../values/duration.ts';
import { durationProblems, mappingsIn, misspeltKeys, type Native, repeatedNames } from '../values/native.ts';
import { inWords, quoted } from '../values/words.ts';
import { jobKeys } from './job-keys.ts';

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

/** What people most often get wrong in the static targets of a job. */
function targetProblems(job: Native, path: KeyPath): readonly Problem[] {
  return mappingsIn(job['static_configs'], [...path, 'static_configs']).flatMap((group) => {
    const targets = group.value['targets'];
    const here = [...group.path, 'targets'];
    if (Array.isArray(targets)) return targets.flatMap((target: unknown, at) => targetProblem(target, [...here, at]));
    if (targets === undefined || targets === null) return [];
    const message = `a list of targets is expected here, not ${inWords(targets)}`;
    const hint = typeof targets === 'string' ? `[${quoted(targets)}]` : 'begin each target with "- "';
    return [{ code: 'wrong-type', path: here, message, hint }];
  });
}

function targetProblem(target: unknown, path: KeyPath): readonly Problem[] {
  if (typeof target !== 'string') return [];
  const [, scheme, rest = ''] = /^(?:(\w+):\/\/)?(.*)$/s.exec(target) ?? [];
  const [address = ''] = rest.split('/');
  if (scheme !== undefined || rest.includes('/')) {
    const moved = [
      ...(scheme === 'https' ? ['"scheme: https"'] : []),
      ...(rest.length > address.length + 1 ? [`"metrics_path: ${rest.slice(address.length)}"`] : []),
    ];
    return [
      {
        code: 'wrong-target',
        path,
        message: `a target is host:port, without ${scheme === undefined ? 'a path' : `"${scheme}://"`}`,
        hint: `write "${address}"${moved.length > 0 ? ` here and ${moved.join(' and ')} in the job` : ''}`,
      },
    ];
  }
  const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.exec(target);
  // Port 9090 of itself is a target that makes sense.
  if (loopback === null || loopback[1] === ':9090') return [];
  return [
    {
      code: 'loopback-target',
      path,
      severity: 'warning',
      message: `to Prometheus, which runs in a container, ${quoted(target)} is that container itself`,
      hint: `this machine is "host.docker.internal${loopback[1] ?? ''}"`,
    },
  ];
}
