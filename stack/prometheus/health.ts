import * as z from 'zod';
import type { StackConfig } from '../config.ts';
import { discoveredJob, discoversTargets, isDiscoveryJob } from '../discovery/job.ts';
import { heartbeatAlert } from '../heartbeat/heartbeat.ts';
import { remoteWrites } from '../long-term/store.ts';
import type { HealthIndicator, Reading } from '../model.ts';
import { logfmt } from '../values/logfmt.ts';
import { type MetricSample, sampleLabel, samplesOf } from '../values/metrics-page.ts';
import { parseJson } from '../values/parse.ts';
import { ago } from '../values/units.ts';
import { isAgent, revisionInConfig } from './agent.ts';
import { listed, notYet } from './problem-lists.ts';
import { remoteWrite } from './remote-write.ts';
import { readTargets } from './targets.ts';

const port = 9090;

export function healthIndicators(config: StackConfig): readonly HealthIndicator[] {
  return [
    {
      label: 'targets',
      request: { method: 'GET', port, path: '/api/v1/targets?state=active' },
      read: ({ body }, _now, startedAt = new Map()) => readTargets(parseJson(body), startedAt),
    },
    {
      label: 'jobs',
      request: { method: 'GET', port, path: '/metrics' },
      read: ({ body }) => readJobs(body, config),
    },
    ...(isAgent(config) ? [] : evaluation),
    ...(remoteWrites(config).length === 0 ? [] : [remoteWrite]),
    {
      label: 'last reload',
      request: { method: 'GET', port, path: '/api/v1/status/runtimeinfo' },
      read: ({ body }, now) => readReload(parseJson(body), now),
    },
    ...(isAgent(config) ? [shownRevision] : []),
  ];
}

/** An agent has no rules, and shows its revision in its config, unless `scrape_config_files` of the user's own are there. */
const shownRevision: HealthIndicator = {
  label: 'revision',
  request: { method: 'GET', port, path: '/api/v1/status/config' },
  read: ({ body }) =>
    revisionInConfig(body) === undefined
      ? {
          text: 'not in its config, which has scrape_config_files of its own: only its last reload shows what it runs',
          values: { isShown: false },
          tone: 'notice',
        }
      : { text: 'in its config', values: { isShown: true }, tone: 'right' },
};

/** What an agent does not have. */
const evaluation: readonly HealthIndicator[] = [
  {
    label: 'rules',
    request: { method: 'GET', port, path: '/api/v1/rules' },
    read: ({ body }) => readRules(parseJson(body)),
  },
  {
    label: 'alerts',
    request: { method: 'GET', port, path: '/api/v1/alerts' },
    read: ({ body }) => readAlerts(parseJson(body)),
  },
];

/** Jobs without any target: an empty file, a name that does not resolve, a relabelling that drops everything. */
function readJobs(page: string, config: StackConfig): Reading | undefined {
  // How many targets are discovered has an indicator of its own, and may be none. Without its stack.yml, the name of the job shows
  // that a stack discovers them.
  const isOfUser = !discoversTargets(config) && config.prometheus.scrape_configs.some(isDiscoveryJob);
  const isOwn = (sample: MetricSample): boolean => !isOfUser && sampleLabel(sample, 'scrape_job') === discoveredJob;
  const pools = samplesOf(page, 'prometheus_target_scrape_pool_targets').filter((sample) => !isOwn(sample));
  if (pools.length === 0) {
    // For the first 5 s it has discovered jobs but no scrape pools.
    if (samplesOf(page, 'prometheus_build_info').length === 0) return undefined;
    return { text: 'none yet', values: { withTargets: 0, withoutTargets: [] }, tone: 'notice' };
  }
  const discovered = new Map(
    samplesOf(page, 'prometheus_sd_discovered_targets')
      .filter((sample) => sampleLabel(sample, 'name') === 'scrape')
      .map((sample) => [sampleLabel(sample, 'config'), sample.value]),
  );
  const empty = pools
    .filter(({ value }) => value === 0)
    .map((sample) => sampleLabel(sample, 'scrape_job') ?? '')
    .sort();
  const withTargets = pools.length - empty.length;
  return {
    text: empty.length === 0 ? `${withTargets} with targets` : `${withTargets} with targets, ${empty.length} without`,
    values: { withTargets, withoutTargets: empty },
    tone: empty.length > 0 ? 'notice' : 'right',
    problems: listed(empty, (job) => `the job ${job} has no targets: ${whyEmpty(discovered.get(job) ?? 0)}`, {
      others: 'jobs have no targets',
      tryThis: 'check the files, names and relabel_configs of its discovery; promstack logs prometheus',
    }),
  };
}

function whyEmpty(discovered: number): string {
  if (discovered === 0) return 'nothing was discovered';
  return `its relabel_configs drop ${discovered === 1 ? 'the one' : `all ${discovered}`} that ${discovered === 1 ? 'was' : 'were'} discovered`;
}

const ruleGroups = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        rules: z.array(z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() })),
      }),
    ),
  }),
});

/** Rules that fail at every evaluation: no alert fires and no series is recorded, while everything else looks healthy. */
function readRules(answer: unknown): Reading | undefined {
  const parsed = ruleGroups.safeParse(answer);
  if (!parsed.success) return undefined;
  const rules = parsed.data.data.groups.flatMap((group) => group.rules.map((rule) => ({ ...rule, group: group.name })));
  const failing = rules.filter(({ health }) => health === 'err');
  const waiting = rules.filter(({ health }) => health === 'unknown').length;
  const evaluated = rules.length - failing.length - waiting;
  const text = [
    `${evaluated} evaluated`,
    ...(failing.length > 0 ? [`${failing.length} failing`] : []),
    ...(waiting > 0 ? [`${waiting} not evaluated yet`] : []),
  ].join(', ');
  return {
    text,
    values: { evaluated, failing: failing.length, waiting, failingNames: failing.map(({ name }) => name) },
    tone: failing.length > 0 ? 'wrong' : waiting > 0 ? 'notice' : 'right',
    problems:
      failing.length > 0
        ? listed(failing, ruleFailure, { others: 'rules fail', tryThis: fixRule })
        : notYet(waiting, 'rule', 'evaluated'),
  };
}

const fixRule = 'fix it in its rule file, then promstack reload';

/** `the rule A of group g fails: many-to-many matching not allowed`. */
export function ruleFailure({
  name,
  group,
  lastError,
}: {
  readonly name: string;
  readonly group: string;
  readonly lastError?: string | undefined;
}): string {
  return `the rule ${name} of group ${group} fails: ${lastError ?? 'Prometheus gives no reason'}`;
}

/** Alerts that are sent with an error in place of an annotation or a label, from Prometheus's log. */
export function logProblems(lines: readonly string[]): NonNullable<Reading['problems']> {
  const errors = new Map<string, string>();
  for (const line of lines) {
    const { msg = '', alert, err = '' } = logfmt(line);
    if (/^expanding alert template failed/i.test(msg) && alert !== undefined) errors.set(alert, err);
  }
  return listed([...errors], ([alert, error]) => `a template of the alert ${alert} fails: ${templateError(error)}`, {
    others: 'alerts have templates that fail',
    tryThis: 'fix its labels and annotations in its rule file, then promstack reload',
  });
}

/** The message of Go's template package without the name and the position that Prometheus gave the template. */
export function templateError(error: string): string {
  return error.replace(
    /^error (?:executing|parsing) template .*?: template: .*?:\d+(?::\d+)?: (?:executing ".*?" (?=at ))?/,
    '',
  );
}

const alerts = z.object({
  data: z.object({
    alerts: z.array(z.object({ state: z.string(), labels: z.record(z.string(), z.string()) })),
  }),
});

function readAlerts(answer: unknown): Reading | undefined {
  const parsed = alerts.safeParse(answer);
  if (!parsed.success) return undefined;
  // The heartbeat fires while all is well.
  const all = parsed.data.data.alerts.filter(({ labels }) => labels['alertname'] !== heartbeatAlert);
  const firing = all.filter((alert) => alert.state === 'firing');
  const pending = all.filter((alert) => alert.state === 'pending');
  const names = [...new Set(firing.map((alert) => alert.labels['alertname'] ?? ''))].sort();
  const firingText = firing.length === 0 ? 'none firing' : `${firing.length} firing (${names.join(', ')})`;
  return {
    text: pending.length === 0 ? firingText : `${firingText}, ${pending.length} pending`,
    values: { firing: firing.length, pending: pending.length, firingNames: names },
    tone: firing.length > 0 ? 'notice' : 'right',
  };
}

const runtimeInfo = z.object({ data: z.object({ reloadConfigSuccess: z.boolean(), lastConfigTime: z.string() }) });

function readReload(answer: unknown, now: number): Reading | undefined {
  const parsed = runtimeInfo.safeParse(answer);
  if (!parsed.success) return undefined;
  const { reloadConfigSuccess, lastConfigTime } = parsed.data.data;
  return lastReload(reloadConfigSuccess, Date.parse(lastConfigTime) / 1000, now);
}

/** Whether a server accepted its last reload, and when it last accepted one, in seconds since 1970. */
export function lastReload(succeeded: boolean, lastSuccess: number, now: number): Reading {
  const values = { succeeded, lastSuccessAt: new Date(lastSuccess * 1000).toISOString() };
  const time = ago(lastSuccess * 1000, now);
  if (succeeded) return { text: time, values, tone: 'right' };
  return {
    text: `failed; the running config was loaded ${time}`,
    values,
    tone: 'wrong',
    problems: [{ message: 'its last reload failed, and it runs an older config', tryThis: 'promstack up' }],
  };
}
