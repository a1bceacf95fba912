import type { RenderedFile } from '../model.ts';
import { isMapping, listOf, type Mapping, mappingsIn } from '../values/mapping.ts';
import { parseDuration } from '../values/units.ts';
import { mainConfig, parseMapping, ruleFiles } from './alerts.ts';

/** What decides how many samples a scrape job brings. */
export interface JobLoad {
  readonly name: string;
  readonly intervalMs: number;
  /** The number of its targets; undefined when it discovers them. */
  readonly targets: number | undefined;
  /** The most samples of a scrape; 0 means no limit. */
  readonly sampleLimit: number;
  readonly metricRelabelings: readonly Mapping[];
  /** All else that decides which series it has, by key. */
  readonly others: ReadonlyMap<string, string>;
}

/** A recording rule and how often it is evaluated. */
export interface RecordingRule {
  readonly name: string;
  readonly file: string;
  readonly expr: string;
  /** As in PromQL: `{__name__="job:up:sum", team="a"}`. */
  readonly selector: string;
  readonly intervalMs: number;
}

/** Keys that change neither the series of a job nor the times of its samples. */
const withoutLoad =
  /^(?:job_name|scrape_timeout|.*limit.*|scheme|basic_auth|authorization|oauth2|tls_config|sigv4|azuread|follow_redirects|enable_http2|enable_compression|proxy_.*|no_proxy|http_headers|scrape_failure_log_file|scrape_protocols|fallback_scrape_protocol|honor_timestamps|track_timestamps_staleness)$/;
const ownKeys = ['scrape_interval', 'metric_relabel_configs', 'static_configs'];

/** The scrape jobs of prometheus.yml, by name. */
export function jobLoads(files: readonly RenderedFile[]): ReadonlyMap<string, JobLoad> {
  const main = mainConfig(files);
  const global = isMapping(main?.['global']) ? main['global'] : {};
  const jobs = mappingsIn(main?.['scrape_configs'], []).map(({ value: job }) => {
    const hasDiscovery = Object.keys(job).some((key) => key.endsWith('_sd_configs'));
    const targets = mappingsIn(job['static_configs'], []).flatMap(({ value }) => listOf(value['targets']));
    const others = Object.entries(job).filter(([key]) => !withoutLoad.test(key) && !ownKeys.includes(key));
    return {
      name: String(job['job_name']),
      intervalMs: parseDuration(String(job['scrape_interval'] ?? global['scrape_interval'] ?? '1m')) ?? 0,
      targets: hasDiscovery ? undefined : targets.length,
      sampleLimit: Number(job['sample_limit'] ?? global['sample_limit'] ?? 0),
      metricRelabelings: mappingsIn(job['metric_relabel_configs'], []).map(({ value }) => value),
      others: new Map(others.map(([key, value]) => [key, JSON.stringify(value)])),
    };
  });
  return new Map(jobs.map((job) => [job.name, job]));
}

/** The recording rules of all rule files, but for those that promstack writes itself. */
export function recordingRules(files: readonly RenderedFile[]): readonly RecordingRule[] {
  const main = mainConfig(files);
  const global = isMapping(main?.['global']) ? main['global'] : {};
  const own = ruleFiles(files).filter(({ path }) => !path.startsWith('rules/promstack-'));
  return own.flatMap((file) =>
    mappingsIn(parseMapping(file)?.['groups'], []).flatMap(({ value: group }) =>
      mappingsIn(group['rules'], []).flatMap(({ value: rule }): readonly RecordingRule[] => {
        const name = rule['record'];
        if (typeof name !== 'string') return [];
        const labels = { ...mappingOf(group['labels']), ...mappingOf(rule['labels']) };
        const matchers = Object.entries({ __name__: name, ...labels }).map(
          ([label, value]) => `${JSON.stringify(label)}=${JSON.stringify(String(value))}`,
        );
        const interval = String(group['interval'] ?? global['evaluation_interval'] ?? '1m');
        const selector = `{${matchers.join(', ').replaceAll(/"([a-zA-Z_]\w*)"=/g, '$1=')}}`;
        const intervalMs = parseDuration(interval) ?? 0;
        return [{ name, file: file.path, expr: String(rule['expr']).trim(), selector, intervalMs }];
      }),
    ),
  );
}

/** What is there before and after a change. */
export interface Pair<T> {
  readonly name: string;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** The jobs of which a change adds, removes or changes what decides their samples. */
export function changedJobs(
  before: ReadonlyMap<string, JobLoad>,
  after: ReadonlyMap<string, JobLoad>,
): readonly Pair<JobLoad>[] {
  const text = ({ others, ...job }: JobLoad): string => JSON.stringify([job, [...others].sort()]);
  return [
    ...[...after.values()].flatMap((job): readonly Pair<JobLoad>[] => {
      const old = before.get(job.name);
      return old !== undefined && text(old) === text(job) ? [] : [{ name: job.name, before: old, after: job }];
    }),
    ...[...before.values()].flatMap((job) =>
      after.has(job.name) ? [] : [{ name: job.name, before: job, after: undefined }],
    ),
  ];
}

/** A rule is the same by what it writes; among several of one name and labels, by its expression. */
export function changedRules(
  before: readonly RecordingRule[],
  after: readonly RecordingRule[],
): readonly Pair<RecordingRule>[] {
  const key = ({ selector, expr, intervalMs }: RecordingRule): string => JSON.stringify([selector, expr, intervalMs]);
  const without = (rules: readonly RecordingRule[], others: readonly RecordingRule[]): readonly RecordingRule[] => {
    const keys = new Set(others.map(key));
    return rules.filter((rule) => !keys.has(key(rule)));
  };
  const [removed, added] = [without(before, after), without(after, before)];
  const replaced = (rule: RecordingRule): RecordingRule | undefined =>
    removed.find(({ selector }) => selector === rule.selector);
  const olds = new Set(added.map(replaced));
  return [
    ...added.map((rule) => ({ name: rule.name, before: replaced(rule), after: rule })),
    ...removed.flatMap((rule) => (olds.has(rule) ? [] : [{ name: rule.name, before: rule, after: undefined }])),
  ];
}

/** The series that an added relabeling drops, as a selector; undefined when it does more than that. */
export function droppedBy(job: string, relabeling: Mapping): string | undefined {
  const action = String(relabeling['action'] ?? 'replace').toLowerCase();
  const [label, ...more] = listOf(relabeling['source_labels']);
  if ((action !== 'drop' && action !== 'keep') || typeof label !== 'string' || more.length > 0) return undefined;
  if (!/^[a-zA-Z_]\w*$/.test(label)) return undefined;
  const regex = JSON.stringify(String(relabeling['regex'] ?? '(.*)'));
  return `{job=${JSON.stringify(job)}, ${label}${action === 'drop' ? '=~' : '!~'}${regex}}`;
}

const mappingOf = (value: unknown): Mapping => (isMapping(value) ? value : {});
