import * as z from 'zod';
import { accessJobs, httpClientFiles, schemeOf } from '../access/access.ts';
import { expiryRuleFiles, hasCertificates, loadedEnds } from '../access/expiry-rules.ts';
import type { StackConfig } from '../config.ts';
import { discoversTargets, discoveryJobs, withDiscovery } from '../discovery/job.ts';
import { heartbeatRules } from '../heartbeat/heartbeat.ts';
import { hostFilesIn } from '../host-files.ts';
import { clientPath, longTermStore, remoteWrites, storeFiles } from '../long-term/store.ts';
import type { ContainerSpec, HttpResponse, RenderedFile } from '../model.ts';
import { withoutOwn } from '../own-items.ts';
import { contentOf } from '../secret.ts';
import { defineService, namedParts } from '../service.ts';
import { replicaEnv, withoutReplicaLabel } from '../swarm/replicas.ts';
import { configFiles, secretsReserved } from '../values/config-files.ts';
import {
  configDir,
  configMount,
  externalUrl,
  flagIn,
  goMemoryLimit,
  nobody,
  toResources,
} from '../values/container.ts';
import { copySamples } from '../values/copy-data.ts';
import { type ExitCause, errorIn, explainExit } from '../values/exit-causes.ts';
import { parseJson } from '../values/parse.ts';
import { parseDuration, parseSize } from '../values/units.ts';
import { webConfigPath, webConfigProblems } from '../values/web-config.ts';
import { agentFiles, agentFlag, agentProblems, isAgent } from './agent.ts';
import { alerts } from './alerts.ts';
import { checks } from './checks.ts';
import { contributedSecretFiles, leftOutContributions } from './contributed.ts';
import { rereadFiles, watchedFiles } from './file-sd.ts';
import { healthIndicators, logProblems } from './health.ts';
import { globalSettings, storageSettings } from './native-sections.ts';
import { ownJobs } from './own-jobs.ts';
import { problems, unreadRules } from './problems.ts';
import { proofs, revisionRules } from './proofs.ts';
import { withRunbookUrls } from './runbooks.ts';
import { isLimitSet, limitRules } from './sample-limits.ts';
import { prometheusSecrets } from './secret-fields.ts';
import { divideRules } from './split-rules.ts';
import { targetFileProblems } from './target-files.ts';

const port = 9090;
const dataDir = '/prometheus';

const replay = z.object({ data: z.object({ min: z.number(), max: z.number(), current: z.number() }) });

/** The progress of the write-ahead log's replay, which Prometheus reports before it is ready. */
const starting = {
  request: { method: 'GET', port: 9090, path: '/api/v1/status/walreplay' },
  read: ({ status, body }: HttpResponse): string | undefined => {
    const parsed = status === 200 ? replay.safeParse(parseJson(body)) : undefined;
    if (parsed?.success !== true) return undefined;
    const { min, max, current } = parsed.data.data;
    if (max === 0 && current === 0) return 'opening its storage';
    return `replaying the write-ahead log, segment ${Math.max(0, current - min) + 1} of ${max - min + 1}`;
  },
} as const;

export const prometheus = defineService({
  name: 'prometheus',
  title: 'Prometheus',
  storesHistory: true,
  startsAfter: [],
  port,
  openPriority: 1,
  hostPort: (config) => config.prometheus.port,
  isEnabled: (config) => config.prometheus.enabled,
  container,
  placeholders: (config) => ({
    ...globalSettings(config),
    scrape_configs: withDiscovery(withoutOwn(config.prometheus.scrape_configs, ownJobs(config)), config),
    remote_write: remoteWrites(config),
    alerting: {
      ...config.prometheus.alerting,
      alert_relabel_configs: [...config.prometheus.alerting.alert_relabel_configs, ...withoutReplicaLabel(config)],
    },
    storage: storageSettings(config),
    certificate_rules: expiryRuleFiles(config),
  }),
  scrapes: discoveryJobs,
  discoversTargets,
  ownItems: (config) => [...accessJobs(config), ...ownJobs(config)],
  collects: [
    {
      kind: 'rules',
      into: 'rules',
      shipped: (config, path) =>
        config.prometheus.shipped_rules &&
        !isAgent(config) &&
        isLimitSet(path, config) &&
        hasCertificates(path, config),
      amend: (text, { prometheus: { runbook_base: base } }) =>
        base === undefined ? text : withRunbookUrls(text, base),
    },
  ],
  userFiles: (config) => [
    ...configFiles(['prometheus', 'files'], config.prometheus.files, {
      reserved: {
        'prometheus.yml': 'set its keys under "prometheus", or replace it with templates/prometheus/prometheus.yml',
        rules: 'name rule files under "prometheus.rules"',
        [clientPath]: 'use another name',
        ...secretsReserved,
      },
    }),
    ...config.prometheus.rules.map((glob, at) => ({
      key: ['prometheus', 'rules', at],
      glob,
      into: 'rules/user',
      extensions: ['.yml', '.yaml'],
      // Imported on demand: the PromQL grammar is large.
      problems: async (content: unknown) => (await import('./rule-file.ts')).ruleFileProblems(content),
    })),
  ],
  files: (config) => [
    ...heartbeatRules(config),
    ...limitRules(config),
    ...storeFiles(config),
    ...contributedSecretFiles(config),
    ...httpClientFiles(config),
  ],
  secretFiles: prometheusSecrets,
  problems: (config) => [...problems(config), ...agentProblems(config)],
  fileProblems: (files, config) => [
    ...(isAgent(config) ? [] : unreadRules(files)),
    ...leftOutContributions(files, config),
    ...webConfigProblems(config.prometheus.extra_args, files),
    ...targetFileProblems(files),
    ...hostFilesIn(
      files,
      ['prometheus.yml', webConfigPath(config.prometheus.extra_args)],
      { section: 'prometheus', title: 'Prometheus', secretFiles: prometheusSecrets, globs: config.prometheus.files },
      config.prometheus,
    ),
  ],
  stamp,
  divide: divideRules,
  reread: rereadFiles,
  certificateEnds: loadedEnds,
  checks: (config, files, tests) => checks(container(config).args, config, files, tests),
  ready: { method: 'GET', port, path: '/-/ready' },
  starting,
  reload: { method: 'POST', port, path: '/-/reload' },
  slowReload:
    'it may be flushing samples to a changed remote_write, which takes up to two minutes when that is unreachable',
  proofs,
  parts: (read) => namedParts('job', read('prometheus.yml'), 'scrape_configs', 'job_name'),
  alerts,
  copyData: copySamples,
  risks,
  explainExit: (lines) => explainExit(lines, causes),
  healthIndicators,
  logProblems,
});

function container(config: StackConfig): ContainerSpec {
  const own = config.prometheus;
  // Prometheus's own way to limit its heap does nothing beside the variable.
  const setsOwnLimit = own.extra_args.some((arg) => /^--(?:no-)?auto-gomemlimit\b/.test(arg));
  return {
    service: 'prometheus',
    image: own.image,
    user: nobody,
    args: [
      `--config.file=${configDir}/prometheus.yml`,
      ...(isAgent(config)
        ? [agentFlag(own.image), `--storage.agent.path=${dataDir}`]
        : [
            `--storage.tsdb.path=${dataDir}`,
            `--storage.tsdb.retention.time=${own.retention.time}`,
            ...(own.retention.size === undefined ? [] : [`--storage.tsdb.retention.size=${own.retention.size}`]),
          ]),
      `--web.listen-address=:${port}`,
      // For the links in notifications; a path in it is for the user's reverse proxy, not for this server.
      `--web.external-url=${externalUrl(config, own, schemeOf(config, 'prometheus'))}`,
      '--web.route-prefix=/',
      '--web.enable-lifecycle',
      ...own.extra_args,
    ],
    env: { TZ: config.timezone, ...(setsOwnLimit ? {} : goMemoryLimit(own.resources)), ...replicaEnv(config) },
    ports: [{ bind: config.bind, host: own.port, container: port }],
    mounts: [
      { kind: 'config', target: configMount },
      // An agent cannot read the blocks of a server, and would delete none of them: each has its own volume.
      { kind: 'data', volume: isAgent(config) ? 'prometheus-agent-data' : 'prometheus-data', target: dataDir },
    ],
    tmpfs: [],
    resources: toResources(own.resources),
    labels: config.labels,
    stopTimeoutSeconds: 30,
  };
}

/** Files that Prometheus reads again by itself do not change the revision that its rule shows, since that needs a reload. */
function stamp(
  files: readonly RenderedFile[],
  revision: string,
  config: StackConfig,
  hash: (text: string) => string,
): readonly RenderedFile[] {
  const stamped = (shown: string): readonly RenderedFile[] =>
    isAgent(config)
      ? agentFiles(files, shown)
      : [...files, revisionRules(shown, longTermStore(config) === undefined ? undefined : '5s')];
  const watched = watchedFiles(files);
  if (watched.length === 0) return stamped(revision);
  const loaded = files.filter((file) => !watched.includes(file));
  const texts = loaded.map((file) => `${file.path}\0${file.mode.toString(8)}\0${contentOf(file)}\0`);
  return stamped(hash(texts.join('')));
}

/** The last log lines of a Prometheus that exited (3.5.3 to 3.14.0). */
const causes: readonly ExitCause[] = [
  {
    pattern: /msg="Error loading (?:config|dynamic scrape config|rule file).*/,
    explain: ([line]) => `it cannot load its config: ${errorIn(line) ?? 'see its log'}`,
  },
  {
    pattern: /lock DB directory: resource temporarily unavailable/,
    explain: () => 'another Prometheus uses its data volume',
  },
  {
    pattern: /(?:repair corrupted WAL|corruption in segment|unexpected checkpoint record|invalid block sequence).*/,
    explain: () => 'its write-ahead log or a block is corrupted: repair or delete the data volume',
  },
];

/** Samples that a Prometheus of another spec deletes or does not find. */
function risks(before: ContainerSpec, after: ContainerSpec): readonly string[] {
  const flag = (spec: ContainerSpec, name: string): string | undefined => flagIn(spec.args, `storage.tsdb.${name}`);
  const [wasAgent, becomesAgent] = [before, after].map(({ args }) => flagIn(args, 'storage.agent.path') !== undefined);
  if (becomesAgent && !wasAgent) return ['as an agent it cannot be queried, and its rules are no longer evaluated'];
  if (becomesAgent || wasAgent) return [];
  const [oldTime, time] = [flag(before, 'retention.time') ?? '15d', flag(after, 'retention.time') ?? '15d'];
  const [oldSize, size] = [flag(before, 'retention.size'), flag(after, 'retention.size')];
  const [oldPath, path] = [flag(before, 'path'), flag(after, 'path')];
  return [
    ...((parseDuration(time) ?? 0) < (parseDuration(oldTime) ?? 0)
      ? [`samples older than ${time} are deleted (retention was ${oldTime})`]
      : []),
    ...(size !== undefined && sizeLimit(size) < sizeLimit(oldSize)
      ? [`the oldest samples beyond ${size} are deleted (the limit was ${oldSize ?? 'none'})`]
      : []),
    ...(path === oldPath ? [] : [`it stores samples in ${path} and does not read those in ${oldPath}`]),
  ];
}

/** Absent and 0 both mean no limit. */
function sizeLimit(size: string | undefined): number {
  return (size === undefined ? undefined : parseSize(size)) || Number.POSITIVE_INFINITY;
}
