import type { StackConfig } from '../config.ts';
import type { KeyPath, Problem } from '../diagnostic.ts';
import { discoveredJob, discoversTargets } from '../discovery/job.ts';
import { exporterServices, pagesIn } from '../exporters/services.ts';
import type { RenderedFile } from '../model.ts';
import { isOwnAddress } from '../own-items.ts';
import type { FileProblem } from '../service.ts';
import { configDir } from '../values/container.ts';
import { matchesGoGlob } from '../values/go-glob.ts';
import {
  durationProblems,
  listOf,
  type Mapping,
  mappingsIn,
  misspelledKeys,
  repeatedNames,
} from '../values/mapping.ts';
import { replacedFile } from '../values/replaced-file.ts';
import { parseDuration } from '../values/units.ts';
import { expected, quoted } from '../values/words.ts';
import { victoriametrics } from '../victoriametrics/service.ts';
import { globalSettings, nativeProblems } from './native-sections.ts';
import { jobOwner, ownJobs } from './own-jobs.ts';
import { revisionRulePath, sampleRuleFiles } from './proofs.ts';

export function problems(config: StackConfig): readonly Problem[] {
  const own = config.prometheus;
  const jobs = mappingsIn(own.scrape_configs, ['prometheus', 'scrape_configs']);
  const named = jobs.map((job) => ({ name: job.value['job_name'], path: [...job.path, 'job_name'] }));
  return [
    ...nativeProblems(config),
    ...timeoutProblems(own, ['prometheus'], undefined),
    ...timeoutProblems(own.global ?? {}, ['prometheus', 'global'], own.scrape_interval),
    ...named.flatMap(({ name, path }) => ownJobProblems(config, name, path)),
    ...repeatedNames(named, 'jobs'),
    ...jobs.flatMap((job) => jobProblems(job.value, job.path, config)),
  ];
}

function jobProblems(job: Mapping, path: KeyPath, config: StackConfig): readonly Problem[] {
  return [
    ...misspelledKeys(job, jobKeys, path, /_sd_configs$/),
    ...durationProblems(job, 'scrape_interval', path),
    ...durationProblems(job, 'scrape_timeout', path),
    ...timeoutProblems(job, path, globalSettings(config).scrape_interval),
    ...Object.entries(job)
      .filter(([key]) => key.endsWith('_sd_configs'))
      .flatMap(([key, value]) => mappingsIn(value, [...path, key]))
      .flatMap((discovery) => durationProblems(discovery.value, 'refresh_interval', discovery.path)),
    ...mappingsIn(job['static_configs'], [...path, 'static_configs']).flatMap((group) =>
      targetsProblems(group, usesOfAddress(job), (target) => {
        const owner = jobOwner(config, job['job_name']);
        return owner !== undefined && isOwnAddress(config, owner, target);
      }),
    ),
  ];
}

/** What the relabelling of a job does with the addresses of its targets. */
type UseOfAddress = 'none' | 'reads' | 'changes';

/** As for blackbox_exporter, where a target is a parameter, and the exporter's address takes its place. */
export function usesOfAddress(job: Mapping): UseOfAddress {
  const uses = mappingsIn(job['relabel_configs'], []).map(({ value: rule }): UseOfAddress => {
    const { action, target_label: target, replacement } = rule;
    // A label's name can be made of what a regular expression matched.
    const isMap = String(action).toLowerCase() === 'labelmap';
    const names = isMap ? replacement : target;
    if (isMap && names === undefined) return 'reads';
    if (names === '__address__' || (typeof names === 'string' && names.includes('$'))) return 'changes';
    return listOf(rule['source_labels']).includes('__address__') ? 'reads' : 'none';
  });
  return uses.find((use) => use === 'changes') ?? uses.find((use) => use === 'reads') ?? 'none';
}

function timeoutProblems(section: Mapping, path: KeyPath, globalInterval: string | undefined): readonly Problem[] {
  const { scrape_timeout: timeout, scrape_interval: interval = globalInterval } = section;
  const [timeoutMs, intervalMs] = [timeout, interval].map((value) =>
    typeof value === 'string' ? parseDuration(value) : undefined,
  );
  if (timeoutMs === undefined || intervalMs === undefined || timeoutMs <= intervalMs) return [];
  return [
    {
      code: 'timeout-too-long',
      path: [...path, 'scrape_timeout'],
      message: `the scrape timeout ${String(timeout)} is longer than the scrape interval ${String(interval)}`,
      hint: 'Prometheus does not accept that: shorten the timeout or lengthen the interval',
    },
  ];
}

function ownJobProblems(config: StackConfig, name: unknown, path: KeyPath): readonly Problem[] {
  const owner = jobOwner(config, name);
  if (name === discoveredJob && discoversTargets(config)) return [settingsOf('the discovered containers', path)];
  if (owner === undefined) return furtherJobProblems(config, name, path);
  const own = ownJobs(config).find((item) => item.path.at(-1) === path.at(-2));
  if (own === undefined) {
    const message = `the job name ${quoted(owner)} is already in use: the stack scrapes its own ${owner} under it`;
    return [
      {
        code: 'name-twice',
        path,
        message,
        hint: `remove it if it scrapes the ${owner} of this stack, else use another job_name`,
      },
    ];
  }
  return [settingsOf(`its own ${owner}`, path)];
}

function settingsOf(what: string, path: KeyPath): Problem {
  const message = `the stack scrapes ${what} under this name: these are settings of that job`;
  return { severity: 'note', code: 'own-job', path, message };
}

function furtherJobProblems(config: StackConfig, name: unknown, path: KeyPath): readonly Problem[] {
  const stores = victoriametrics.isEnabled(config) ? [victoriametrics] : [];
  const owners = [...exporterServices(config), ...pagesIn(config), ...stores];
  const jobs = owners.flatMap((service) => service.scrapes?.(config) ?? []);
  if (typeof name !== 'string' || !jobs.some(({ job_name: taken }) => taken === name)) return [];
  const what = name === victoriametrics.name ? 'its own victoriametrics' : 'an exporter of its own';
  const message = `the job name ${quoted(name)} is already in use: the stack scrapes ${what} under it`;
  return [{ code: 'name-twice', path, message, hint: 'remove it if it scrapes the same, else use another job_name' }];
}

function targetsProblems(
  { value, path }: { readonly value: Mapping; readonly path: KeyPath },
  use: UseOfAddress,
  isOwn: (target: string) => boolean,
): readonly Problem[] {
  const { targets } = value;
  const here = [...path, 'targets'];
  if (Array.isArray(targets)) {
    return targets.flatMap((target: unknown, at) =>
      typeof target !== 'string' || isOwn(target) ? [] : targetProblem(target, [...here, at], use),
    );
  }
  if (targets === undefined || targets === null) return [];
  const hint = typeof targets === 'string' ? `write [${quoted(targets)}]` : 'start each target with "- "';
  return [{ code: 'wrong-type', path: here, message: expected('a list of targets', targets), hint }];
}

export function targetProblem(target: string, path: KeyPath, use: UseOfAddress): readonly Problem[] {
  if (use === 'changes') return [];
  const [, scheme, rest = ''] = /^(?:(\w+):\/\/)?(.*)$/s.exec(target) ?? [];
  const [address = ''] = rest.split('/');
  if (scheme !== undefined || rest.includes('/')) {
    // Relabelling may drop such targets: promtool knows.
    if (use === 'reads') return [];
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
  // Port 9090 is Prometheus itself.
  if (loopback === null || loopback[1] === ':9090') return [];
  return [
    {
      code: 'loopback-target',
      path,
      severity: 'warning',
      message: `Prometheus runs in a container, where ${quoted(target)} is the container itself`,
      hint: `to scrape this host, write "host.docker.internal${loopback[1] ?? ''}"`,
    },
  ];
}

/** The keys of a scrape config, from config/config.go and discovery/ of Prometheus 3.5 to 3.14; used only for hints. */
export const jobKeys: readonly string[] = `
  always_scrape_classic_histograms authorization aws_sd_configs azure_sd_configs basic_auth bearer_token
  bearer_token_file body_size_limit consul_sd_configs convert_classic_histograms_to_nhcb digitalocean_sd_configs
  dns_sd_configs docker_sd_configs dockerswarm_sd_configs ec2_sd_configs ecs_sd_configs elasticache_sd_configs
  enable_compression enable_http2 eureka_sd_configs extra_scrape_metrics fallback_scrape_protocol file_sd_configs
  follow_redirects gce_sd_configs hetzner_sd_configs honor_labels honor_timestamps http_headers http_sd_configs
  ionos_sd_configs job_name keep_dropped_targets kubernetes_sd_configs kuma_sd_configs label_limit
  label_name_length_limit label_value_length_limit lightsail_sd_configs linode_sd_configs marathon_sd_configs
  metric_name_escaping_scheme metric_name_validation_scheme metric_relabel_configs metrics_path msk_sd_configs
  native_histogram_bucket_limit native_histogram_min_bucket_factor nerve_sd_configs no_proxy nomad_sd_configs oauth2
  oci_sd_configs openstack_sd_configs outscale_sd_configs ovhcloud_sd_configs params proxy_connect_header
  proxy_from_environment proxy_url puppetdb_sd_configs rds_sd_configs relabel_configs sample_limit scaleway_sd_configs
  scheme scrape_failure_log_file scrape_interval scrape_native_histograms scrape_protocols
  scrape_timeout serverset_sd_configs stackit_sd_configs static_configs target_limit tls_config
  track_timestamps_staleness triton_sd_configs uyuni_sd_configs vultr_sd_configs
`
  .trim()
  .split(/\s+/);

/**
 * Rule files that a user's own prometheus.yml does not load. Prometheus accepts that silently, and without the revision rule it does
 * not show which files it runs.
 */
export function unreadRules(files: readonly RenderedFile[]): readonly FileProblem[] {
  const main = replacedFile(files, 'prometheus.yml');
  if (main === undefined) return [];
  const patterns = listOf(main.config['rule_files'])
    .filter((pattern) => typeof pattern === 'string')
    .map((pattern) => (pattern.startsWith(`${configDir}/`) ? pattern.slice(configDir.length + 1) : pattern));
  const unread = [revisionRulePath, ...sampleRuleFiles(files)].filter(
    (path) => !patterns.some((pattern) => matchesGoGlob(pattern, path)),
  );
  return unread.map((path) => ({
    file: main.file,
    code: 'unread-rules',
    path: ['rule_files'],
    message:
      path === revisionRulePath
        ? `rule_files does not match ${path}, by which promstack verifies which files Prometheus runs`
        : `rule_files does not match ${path}, so its rules are never evaluated`,
    hint: `add "${path.replace(/[^/]+(\.[^./]+)$/, '*$1')}" to the list`,
  }));
}
