import { httpClient, rereadAccess } from '../access/access.ts';
import type { StackConfig } from '../config.ts';
import type { CheckCommand, ContainerSpec, HealthIndicator, Reading } from '../model.ts';
import { defineService } from '../service.ts';
import { isSwarm } from '../swarm/replicas.ts';
import { shortestInterval } from '../swarm/shortest-interval.ts';
import { nobody, toResources } from '../values/container.ts';
import { type ExitCause, explainExit } from '../values/exit-causes.ts';
import { type MetricSample, sampleLabel, samplesOf, sumOf } from '../values/metrics-page.ts';
import { toSize } from '../values/units.ts';
import { counted } from '../values/words.ts';
import { parseRetention, victoriametricsConfig } from './config.ts';

const port = 8428;
const dataDir = '/victoria-metrics-data';
/**
 * On a swarm nobody makes a new volume that of its user. This folder of its image is everybody's, and a volume that is mounted there
 * becomes so too.
 */
const sharedDir = '/var/tmp';
const program = '/victoria-metrics-prod';

const section = (config: StackConfig) => config.long_term?.victoriametrics;

/** A stack without the section has the service only to be removed. */
const own = (config: StackConfig): NonNullable<ReturnType<typeof section>> =>
  section(config) ?? victoriametricsConfig.unwrap().parse({});

/** The store of `long_term`; it has no files but those of `access`, which it reads again by itself. */
export const victoriametrics = defineService({
  name: 'victoriametrics',
  title: 'VictoriaMetrics',
  path: ['long_term', 'victoriametrics'],
  startsAfter: [],
  confirmedBy: 'prometheus',
  needsVolumeOwner: true,
  port,
  hostPort: (config) => own(config).port,
  isEnabled: (config) => section(config)?.enabled === true,
  container: (config) => {
    const { image, retention, port: hostPort, extra_args, resources } = own(config);
    const folder = isSwarm(config) ? sharedDir : dataDir;
    return {
      service: 'victoriametrics',
      image,
      user: nobody,
      args: [
        `-storageDataPath=${folder}`,
        `-retentionPeriod=${retention}`,
        `-httpListenAddr=:${port}`,
        ...oneOfReplicas(config, extra_args),
        ...extra_args,
      ],
      env: { TZ: config.timezone },
      ports: hostPort === undefined ? [] : [{ bind: config.bind, host: hostPort, container: port }],
      mounts: [{ kind: 'data', volume: 'victoriametrics-data', target: folder }],
      tmpfs: ['/tmp'],
      resources: toResources(resources),
      labels: config.labels,
      stopTimeoutSeconds: 30,
    };
  },
  scrapes: (config) => [
    {
      job_name: 'victoriametrics',
      ...httpClient(config, 'victoriametrics'),
      static_configs: [{ targets: [`victoriametrics:${port}`] }],
    },
  ],
  reread: (files) => (files.length === 0 ? undefined : rereadAccess),
  checks: (config) => flagCheck(own(config).extra_args),
  ready: { method: 'GET', port, path: '/health' },
  proofs: () => [],
  risks,
  explainExit: (lines) => explainExit(lines, causes),
  healthIndicators: () => [storage],
});

/** The replicas of Prometheus on a swarm write the same series: of each interval it keeps one sample. */
function oneOfReplicas(config: StackConfig, extra: readonly string[]): readonly string[] {
  const flag = '-dedup.minScrapeInterval';
  const isGiven = extra.some((argument) => argument.replace(/^--/, '-').startsWith(flag));
  return isSwarm(config) && !isGiven ? [`${flag}=${shortestInterval(config)}ms`] : [];
}

/** The program parses its flags and exits, without its storage. */
function flagCheck(extra: readonly string[]): readonly CheckCommand[] {
  if (extra.length === 0) return [];
  return [
    {
      title: 'the flags of VictoriaMetrics',
      tool: 'victoria-metrics',
      argv: [program, '-dryRun', ...extra],
      reads: [],
      explain: (output) => [{ message: whyRefused(output), key: ['long_term', 'victoriametrics', 'extra_args'] }],
    },
  ];
}

function whyRefused(output: string): string {
  const [, refusal] = /^((?:flag provided but not defined|invalid (?:boolean )?value).*)$/m.exec(output) ?? [];
  return refusal ?? `VictoriaMetrics does not start with them: ${output.trim().split('\n').at(-1) ?? ''}`;
}

/** The last log lines of a VictoriaMetrics that exited (1.145). */
const causes: readonly ExitCause[] = [
  {
    pattern: /cannot acquire lock on file|cannot create lock file/,
    explain: () => 'another VictoriaMetrics uses its data volume, or its user may not write to it',
  },
  { pattern: /\t(?:fatal|panic)\t\S+\t(.*)/, explain: ([, message = '']) => message },
  { pattern: /^((?:flag provided but not defined|invalid value).*)/, explain: ([, message = '']) => message },
];

/** Samples that a VictoriaMetrics of another spec deletes or does not find. */
function risks(before: ContainerSpec, after: ContainerSpec): readonly string[] {
  const retentionOf = ({ args }: ContainerSpec): string =>
    args.find((argument) => argument.startsWith('-retentionPeriod='))?.slice('-retentionPeriod='.length) ?? '';
  const [old, now] = [retentionOf(before), retentionOf(after)];
  if ((parseRetention(now) ?? 0) >= (parseRetention(old) ?? 0)) return [];
  return [`samples older than ${now} are deleted (retention was ${old})`];
}

/** Whether it takes samples. */
const storage: HealthIndicator = {
  label: 'storage',
  request: { method: 'GET', port, path: '/metrics' },
  read: ({ body }) => readStorage(body),
};

function readStorage(page: string): Reading | undefined {
  if (samplesOf(page, 'vm_app_version').length === 0) return undefined;
  const isSample = (sample: MetricSample): boolean => sampleLabel(sample, 'type')?.startsWith('storage/') === true;
  // The others are entries of the index.
  const rows = samplesOf(page, 'vm_rows').filter(isSample);
  const samples = rows.reduce((sum, { value }) => sum + value, 0);
  const bytes = sumOf(page, 'vm_data_size_bytes');
  const free = sumOf(page, 'vm_free_disk_space_bytes');
  const isReadOnly = sumOf(page, 'vm_storage_is_read_only') > 0;
  const values = { samples, bytes, freeBytes: free, isReadOnly };
  const text = `${counted(samples, 'sample')} in ${roundSize(bytes)}, ${roundSize(free)} free`;
  if (!isReadOnly) return { text, values, tone: 'right' };
  const message = `it takes no samples: its disk has only ${roundSize(free)} left`;
  const tryThis = 'free space on the disk of its volume, or lower long_term.victoriametrics.retention';
  return { text: `read-only, ${text}`, values, tone: 'wrong', problems: [{ message, tryThis }] };
}

/** `3GB`: whole units of the largest that fits. */
function roundSize(bytes: number): string {
  const step = [2 ** 30, 2 ** 20, 2 ** 10].find((unit) => bytes >= unit) ?? 1;
  return toSize(Math.round(bytes / step) * step);
}
