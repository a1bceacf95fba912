import { parse } from 'yaml';
import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import type { RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import type { FileProblem } from '../service.ts';
import { configDir } from '../values/container.ts';
import { durationProblems, isNative, mappingsIn, misspeltKeys, type Native, repeatedNames } from '../values/native.ts';
import { parseDuration } from '../values/units.ts';
import { inWords, quoted } from '../values/words.ts';
import { revisionRulePath, sampleRuleFiles } from './proofs.ts';

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

/** The keys of one scrape config, from config/config.go and discovery/ of Prometheus 3.5 to 3.14; used only to tell slips. */
const jobKeys: readonly string[] = [
  'always_scrape_classic_histograms',
  'authorization',
  'azure_sd_configs',
  'basic_auth',
  'bearer_token',
  'bearer_token_file',
  'body_size_limit',
  'consul_sd_configs',
  'convert_classic_histograms_to_nhcb',
  'digitalocean_sd_configs',
  'dns_sd_configs',
  'docker_sd_configs',
  'dockerswarm_sd_configs',
  'ec2_sd_configs',
  'enable_compression',
  'enable_http2',
  'eureka_sd_configs',
  'extra_scrape_metrics',
  'fallback_scrape_protocol',
  'file_sd_configs',
  'follow_redirects',
  'gce_sd_configs',
  'hetzner_sd_configs',
  'honor_labels',
  'honor_timestamps',
  'http_headers',
  'http_sd_configs',
  'ionos_sd_configs',
  'job_name',
  'keep_dropped_targets',
  'kubernetes_sd_configs',
  'kuma_sd_configs',
  'label_limit',
  'label_name_length_limit',
  'label_value_length_limit',
  'lightsail_sd_configs',
  'linode_sd_configs',
  'marathon_sd_configs',
  'metric_name_escaping_scheme',
  'metric_name_validation_scheme',
  'metric_relabel_configs',
  'metrics_path',
  'native_histogram_bucket_limit',
  'native_histogram_min_bucket_factor',
  'nerve_sd_configs',
  'no_proxy',
  'nomad_sd_configs',
  'oauth2',
  'openstack_sd_configs',
  'ovhcloud_sd_configs',
  'params',
  'proxy_connect_header',
  'proxy_from_environment',
  'proxy_url',
  'puppetdb_sd_configs',
  'relabel_configs',
  'sample_limit',
  'scaleway_sd_configs',
  'scheme',
  'scrape_classic_histograms',
  'scrape_failure_log_file',
  'scrape_interval',
  'scrape_native_histograms',
  'scrape_protocols',
  'scrape_timeout',
  'serverset_sd_configs',
  'stackit_sd_configs',
  'static_configs',
  'target_limit',
  'tls_config',
  'track_timestamps_staleness',
  'triton_sd_configs',
  'uyuni_sd_configs',
  'vultr_sd_configs',
];

/**
 * Rule files that a prometheus.yml of the person's own does not read: Prometheus takes that without a word, and without
 * the rule that carries the revision nothing shows what it runs.
 */
export function unreadRules(files: readonly RenderedFile[]): readonly FileProblem[] {
  const main = files.find(({ path }) => path === 'prometheus.yml');
  if (main === undefined || main.isShipped === true) return [];
  const patterns = patternsIn(main.content instanceof Secret ? main.content.reveal() : main.content);
  if (patterns === undefined) return [];
  const needed = [revisionRulePath, ...sampleRuleFiles(files)];
  const unread = needed.filter((path) => !patterns.some((pattern) => matchesGoGlob(pattern, path)));
  return unread.map((path) => ({
    file: main,
    code: 'unread-rules',
    path: ['rule_files'],
    message:
      path === revisionRulePath
        ? `no rule_files name ${path}, which promstack writes: by it Prometheus shows which files it runs`
        : `no rule_files name ${path}, so its rules would never be evaluated`,
    hint: `put "${path.replace(/[^/]+(\.[^./]+)$/, '*$1')}" into the list`,
  }));
}

/** The patterns below the folder of prometheus.yml; undefined when the file is no mapping, which promtool tells. */
function patternsIn(text: string): readonly string[] | undefined {
  try {
    const config: unknown = parse(text, { merge: true, logLevel: 'error' });
    if (!isNative(config)) return undefined;
    const written = config['rule_files'];
    const patterns = Array.isArray(written) ? written.filter((one): one is string => typeof one === 'string') : [];
    return patterns.map((pattern) =>
      pattern.startsWith(`${configDir}/`) ? pattern.slice(configDir.length + 1) : pattern,
    );
  } catch {
    return undefined;
  }
}

/** Whether a path matches a pattern of Go's filepath.Match, which Prometheus reads `rule_files` with: no wildcard crosses a slash. */
export function matchesGoGlob(pattern: string, path: string): boolean {
  const source = pattern.replaceAll(
    /\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|[*?]|[^\\[*?]+|[\\[]/g,
    (part, escaped?: string, not?: string, set?: string) => {
      if (escaped !== undefined) return literal(escaped);
      if (set !== undefined) return `[${not === '^' ? '^/' : ''}${set.replaceAll('[', '\\[')}]`;
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      // What is not closed is no pattern, and matches nothing; Prometheus refuses it.
      if (part === '[' || part === '\\') return '(?!)';
      return literal(part);
    },
  );
  try {
    return new RegExp(`^${source}$`, 'u').test(path);
  } catch {
    // A range that runs backwards is no pattern either.
    return false;
  }
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
