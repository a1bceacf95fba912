import { rereadAccess } from '../access/access.ts';
import type { StackConfig } from '../config.ts';
import type { ContainerSpec, HealthIndicator, Reading } from '../model.ts';
import { globalSettings } from '../prometheus/native-sections.ts';
import { defineService } from '../service.ts';
import { flagIn, goMemoryLimit, nobody, toResources } from '../values/container.ts';
import { copyFiles } from '../values/copy-data.ts';
import { explainExit } from '../values/exit-causes.ts';
import { flagChecks } from '../values/flag-check.ts';
import { type MetricSample, sampleLabel, samplesOf } from '../values/metrics-page.ts';
import { ago, parseDuration } from '../values/units.ts';
import { webConfigChecks } from '../values/web-config.ts';
import { counted } from '../values/words.ts';

const port = 9091;
const dataDir = '/pushgateway';

/** It has no config file, so there is nothing to reload; it reads its web config for each request. */
export const pushgateway = defineService({
  name: 'pushgateway',
  title: 'Pushgateway',
  startsAfter: [],
  port,
  hostPort: (config) => config.pushgateway.port,
  isEnabled: (config) => config.pushgateway.enabled,
  container: (config) => {
    const own = config.pushgateway;
    return {
      service: 'pushgateway',
      image: own.image,
      user: nobody,
      args: [
        `--web.listen-address=:${port}`,
        // A path in --web.external-url is for the user's reverse proxy, not for this server.
        '--web.route-prefix=/',
        `--persistence.file=${dataDir}/metrics.store`,
        `--persistence.interval=${own.persistence.interval}`,
        ...(own.admin_api ? ['--web.enable-admin-api'] : []),
        ...own.extra_args,
      ],
      env: { TZ: config.timezone, ...goMemoryLimit(own.resources) },
      ports: [{ bind: config.bind, host: own.port, container: port }],
      mounts: [{ kind: 'data', volume: 'pushgateway-data', target: dataDir }],
      tmpfs: [],
      resources: toResources(own.resources),
      labels: config.labels,
      stopTimeoutSeconds: 10,
    };
  },
  checks: (config, files) => {
    const { extra_args: extra, image } = config.pushgateway;
    const { args } = pushgateway.container(config);
    const started = /msg="?Listening on/;
    const flags = { service: 'pushgateway', title: 'Pushgateway', program: 'pushgateway', args, extra, image, started };
    return [...flagChecks(flags), ...webConfigChecks(flags, files)];
  },
  placeholders: (config) => ({ job_interval: jobInterval(config) }),
  reread: (files) => (files.length === 0 ? undefined : rereadAccess),
  ready: { method: 'GET', port, path: '/-/ready' },
  proofs: () => [],
  copyData: copyFiles,
  risks,
  explainExit: (lines) => explainExit(lines),
  healthIndicators,
});

/** Pushed values should be scraped soon, even if other jobs have a long interval. */
function jobInterval(config: StackConfig): string {
  const longest = '10s';
  const { scrape_interval: interval } = globalSettings(config);
  return (parseDuration(interval) ?? 0) < (parseDuration(longest) ?? 0) ? interval : longest;
}

/** Pushed metrics that a Pushgateway of another spec loses. */
function risks(before: ContainerSpec, after: ContainerSpec): readonly string[] {
  const [old, now] = [before, after].map(({ args }) => flagIn(args, 'persistence.file') ?? '');
  if (old === now) return [];
  return now === ''
    ? ['pushed metrics are kept only in memory: the next restart loses them']
    : [`pushed metrics are kept in ${now}, and those in ${old} are not loaded`];
}

function healthIndicators(): readonly HealthIndicator[] {
  const request = { method: 'GET', port, path: '/metrics' } as const;
  return [
    { label: 'groups', request, read: ({ body }, now) => readGroups(body, now) },
    { label: 'refused pushes', request, read: ({ body }, now) => readRefused(body, now) },
  ];
}

function readGroups(page: string, now: number): Reading {
  const pushes = samplesOf(page, 'push_time_seconds');
  const last = pushes.reduce((latest, push) => Math.max(latest, push.value), 0);
  const groups = pushes.length === 0 ? 'nothing pushed yet' : counted(pushes.length, 'group');
  const text = last === 0 ? groups : `${groups}, last push ${ago(last * 1000, now)}`;
  const lastPushAt = last === 0 ? {} : { lastPushAt: new Date(last * 1000).toISOString() };
  return { text, values: { groups: pushes.length, ...lastPushAt }, tone: 'right' };
}

/** More failures than this are counted instead of listed. */
const maxListed = 3;

function readRefused(page: string, now: number): Reading {
  const pushedAt = new Map(samplesOf(page, 'push_time_seconds').map((push) => [push.labels, push.value]));
  // A group keeps the time of its last failure: it counts only until the next successful push.
  const refused = samplesOf(page, 'push_failure_time_seconds').filter(
    ({ labels, value }) => value > (pushedAt.get(labels) ?? 0),
  );
  const values = { refused: refused.length, groups: refused.map(groupName) };
  if (refused.length === 0) return { text: 'none', values, tone: 'right' };
  return {
    text: `the last push of ${counted(refused.length, 'group')}`,
    values,
    tone: 'notice',
    problems: refused.slice(0, maxListed).map((failure) => ({
      message: `it refused the last push of ${groupName(failure)}, ${ago(failure.value * 1000, now)}`,
      tryThis: 'push with promstack push, which reports mistakes before it sends anything',
    })),
  };
}

/** `job backup`, with the instance if the group has one. */
function groupName(sample: MetricSample): string {
  const instance = sampleLabel(sample, 'instance') ?? '';
  return `job ${sampleLabel(sample, 'job') ?? '?'}${instance === '' ? '' : ` on ${instance}`}`;
}
