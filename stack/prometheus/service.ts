import * as z from 'zod';
import type { StackConfig } from '../config.ts';
import type { CheckCommand, ContainerSpec, HttpResponse, RenderedFile } from '../model.ts';
import { Secret } from '../secret.ts';
import { defineService } from '../service.ts';
import { configDir, configMount, externalUrl, flagIn, nobody, toResources } from '../values/container.ts';
import { type ExitCause, errIn, explainExit } from '../values/exit-causes.ts';
import { parseJson } from '../values/parse.ts';
import { parseDuration, parseSize } from '../values/units.ts';
import { alerts } from './alerts.ts';
import { healthIndicators } from './health.ts';
import { problems, unreadRules } from './problems.ts';
import { explainPromtool, explainRuleTests } from './promtool-output.ts';
import { proofs, revisionRules } from './proofs.ts';
import { prometheusSecrets } from './secret-fields.ts';

const port = 9090;
const dataDir = '/prometheus';

const replay = z.object({ data: z.object({ min: z.number(), max: z.number(), current: z.number() }) });

/** Prometheus answers this before it is ready: how far it is through its write-ahead log. */
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

/** Prometheus: scrapes, stores, evaluates the rules and hands alerts on. */
export const prometheus = defineService({
  name: 'prometheus',
  title: 'Prometheus',
  storesHistory: true,
  startsAfter: [],
  port,
  openPriority: 1,
  hostPort: (config) => config.prometheus.port,
  isEnabled: (config) => config.prometheus.enabled,
  container: (config) => {
    const own = config.prometheus;
    return {
      service: 'prometheus',
      image: own.image,
      user: nobody,
      args: [
        `--config.file=${configDir}/prometheus.yml`,
        `--storage.tsdb.path=${dataDir}`,
        `--storage.tsdb.retention.time=${own.retention.time}`,
        ...(own.retention.size === undefined ? [] : [`--storage.tsdb.retention.size=${own.retention.size}`]),
        `--web.listen-address=:${port}`,
        // The links in notifications; a path in them is for the proxy that people come through, not for this server.
        `--web.external-url=${externalUrl(config, own)}`,
        '--web.route-prefix=/',
        '--web.enable-lifecycle',
        ...own.extra_args,
      ],
      env: { TZ: config.timezone },
      ports: [{ bind: config.bind, host: own.port, container: port }],
      mounts: [
        { kind: 'config', target: configMount },
        { kind: 'data', volume: 'prometheus-data', target: dataDir },
      ],
      tmpfs: [],
      resources: toResources(own.resources),
      labels: config.labels,
      stopTimeoutSeconds: 30,
    };
  },
  collects: [{ kind: 'rules', into: 'rules', shipped: (config) => config.prometheus.shipped_rules }],
  userFiles: (config) =>
    config.prometheus.rules.map((glob, at) => ({
      key: ['prometheus', 'rules', at],
      glob,
      into: 'rules/user',
      extensions: ['.yml', '.yaml'],
      // Loaded only when there are rules to read: the grammar of PromQL is large.
      problems: async (content) => (await import('./rule-file.ts')).ruleFileProblems(content),
    })),
  secretFiles: prometheusSecrets,
  problems,
  fileProblems: unreadRules,
  stamp: (files, revision) => [...files, revisionRules(revision)],
  checks: prometheusChecks,
  ready: { method: 'GET', port, path: '/-/ready' },
  starting,
  reload: { method: 'POST', port, path: '/-/reload' },
  slowReload:
    'it may be sending what it still has for a changed remote_write, which takes two minutes when that is away',
  proofs,
  alerts,
  risks,
  explainExit: explainPrometheusExit,
  healthIndicators,
});

/** What a Prometheus that died says last (3.5.3). */
const causes: readonly ExitCause[] = [
  {
    pattern: /msg="Error loading (?:config|rule file).*/,
    say: ([line]) => `it cannot read its config: ${errIn(line) ?? 'its log says why'}`,
  },
  {
    pattern: /lock DB directory: resource temporarily unavailable/,
    say: () => 'another Prometheus uses its data volume',
  },
  {
    pattern: /(?:repair corrupted WAL|corruption in segment|unexpected checkpoint record|invalid block sequence).*/,
    say: () =>
      'its write-ahead log or a block of it is damaged: what is in the data volume has to be repaired or given up',
  },
];

/** The likely cause of a Prometheus's end. */
function explainPrometheusExit(lines: readonly string[]): string | undefined {
  return explainExit(lines, causes);
}

/** Samples that a Prometheus of another spec throws away. */
function risks(before: ContainerSpec, after: ContainerSpec): readonly string[] {
  const flag = (spec: ContainerSpec, name: string): string | undefined => flagIn(spec.args, `storage.tsdb.${name}`);
  const [oldTime, time] = [flag(before, 'retention.time') ?? '15d', flag(after, 'retention.time') ?? '15d'];
  const [oldSize, size] = [flag(before, 'retention.size'), flag(after, 'retention.size')];
  const [oldPath, path] = [flag(before, 'path'), flag(after, 'path')];
  return [
    ...((parseDuration(time) ?? 0) < (parseDuration(oldTime) ?? 0)
      ? [`samples older than ${time} are deleted; until now they were kept for ${oldTime}`]
      : []),
    ...(size !== undefined && limit(size) < limit(oldSize)
      ? [`the oldest samples beyond ${size} are deleted; until now ${oldSize ?? 'any number of bytes'} were kept`]
      : []),
    ...(path === oldPath ? [] : [`it stores samples in ${path} and does not see those in ${oldPath}`]),
  ];
}

/** No limit, or 0, is no limit. */
function limit(size: string | undefined): number {
  return (size === undefined ? undefined : parseSize(size)) || Number.POSITIVE_INFINITY;
}

/**
 * promtool reads prometheus.yml and, through it, every rule file; then it runs the tests of the rules. Tests of the
 * shipped rules read nothing but these, so a change of the person's own files does not make them run again.
 */
function prometheusChecks(
  _config: StackConfig,
  files: readonly RenderedFile[],
  tests: readonly RenderedFile[],
): readonly CheckCommand[] {
  const config: CheckCommand = {
    title: 'prometheus.yml and its rules',
    tool: 'promtool',
    argv: ['promtool', 'check', 'config', 'CONFIG/prometheus.yml'],
    explain: explainPromtool,
  };
  const isShipped = (file: RenderedFile): boolean => file.isShipped === true;
  const own = tests.filter((test) => !isShipped(test));
  const shipped = tests.filter(isShipped);
  const shippedRules = files.filter((file) => isShipped(file) && file.path.startsWith('rules/'));
  return [
    config,
    ...(own.length === 0 ? [] : [ruleTests('the tests of the rules', own, [...files, ...own])]),
    ...(shipped.length === 0
      ? []
      : [ruleTests('the tests of the shipped rules', shipped, [...shippedRules, ...shipped])]),
  ];
}

function ruleTests(title: string, tests: readonly RenderedFile[], reads: readonly RenderedFile[]): CheckCommand {
  const paths = tests.map((test) => test.path);
  return {
    title,
    tool: 'promtool',
    argv: ['promtool', 'test', 'rules', ...paths.map((path) => `CONFIG/${path}`)],
    reads,
    explain: (output) =>
      explainRuleTests(
        output,
        tests.map(({ path, content }) => ({ path, text: content instanceof Secret ? content.reveal() : content })),
      ),
  };
}
