import type { StackConfig } from '../../stack/config.ts';
import { parseDuration } from '../../stack/values/units.ts';
import type { ContainerSummary, Engine } from '../engine/engine.ts';
import { PrometheusClient } from '../servers/prometheus.ts';
import { NoAnswerError, openServers } from '../servers/servers.ts';
import { findContainers } from '../state/find-stack.ts';
import { specOf } from '../state/names.ts';
import { diskUsage, nearlyFull } from './doctor.ts';
import type { ServiceStatus, StatusProblem } from './probe.ts';
import type { StackStatus } from './status.ts';

/** How fast a server's data grows at present. */
interface Growth {
  readonly bytesPerSecond: number;
  /** What it will have at most, by its retention. */
  readonly mostBytes: number;
}

type Vital = ServiceStatus['vitals'][number];

/** Days until a disk is full, below which that is reported. */
const fewDays = 14;

/** The status with the size of the data of each service, how full its disk is, and when that will be full at the present rate. */
export async function withDataUsage(
  engine: Engine,
  config: StackConfig,
  status: StackStatus,
  signal: AbortSignal,
): Promise<StackStatus> {
  const containers = await findContainers(engine, status.stack).catch(() => new Map<string, ContainerSummary>());
  const growth = await prometheusGrowth(engine, config, signal);
  const found = await Promise.all(
    status.services.map(async (service): Promise<{ service: ServiceStatus; problems: readonly StatusProblem[] }> => {
      const container = containers.get(service.service);
      const mount = container && specOf(container)?.mounts.find(({ kind }) => kind === 'data');
      if (container === undefined || mount === undefined || container.state !== 'running')
        return { service, problems: [] };
      const [disk, bytes] = await Promise.all([
        diskUsage(engine, container.id, mount.target),
        sizeOf(engine, container.id, mount.target),
      ]);
      if (disk === undefined || bytes === undefined) return { service, problems: [] };
      const vital = readUsage({ bytes, disk, growth: service.service === 'prometheus' ? growth : undefined });
      const problem =
        vital.tone === 'right' ? [] : [{ tone: 'notice' as const, service: service.service, ...aboutDisk(vital) }];
      return { service: { ...service, vitals: [...service.vitals, vital] }, problems: problem };
    }),
  );
  return {
    ...status,
    services: found.map(({ service }) => service),
    problems: [...status.problems, ...found.flatMap(({ problems }) => problems)],
  };
}

function aboutDisk({ text }: Vital): Pick<StatusProblem, 'message' | 'tryThis'> {
  return { message: `its data: ${text}`, tryThis: 'lower prometheus.retention, or give the engine a larger disk' };
}

/** What to show of a server's data. */
export function readUsage({
  bytes,
  disk,
  growth,
}: {
  readonly bytes: number;
  readonly disk: { readonly bytes: number; readonly freeBytes: number };
  readonly growth?: Growth | undefined;
}): Vital {
  const used = 1 - disk.freeBytes / disk.bytes;
  const size = `${sizeText(bytes)}, the disk is ${Math.round(used * 100)} % full`;
  const more = growth === undefined ? 0 : Math.max(0, growth.mostBytes - bytes);
  const values = { bytes, diskBytes: disk.bytes, freeBytes: disk.freeBytes };
  const isFull = used >= nearlyFull;
  if (growth === undefined || growth.bytesPerSecond <= 0)
    return { label: 'data', text: size, values, tone: isFull ? 'notice' : 'right' };
  if (more <= disk.freeBytes) {
    const text = `${size}; at most ${sizeText(growth.mostBytes)} by its retention`;
    return { label: 'data', text, values, tone: isFull ? 'notice' : 'right' };
  }
  const days = disk.freeBytes / growth.bytesPerSecond / 86_400;
  const when = days < 2 ? `${Math.round(days * 24)} hours` : `${Math.round(days)} days`;
  const text = `${size}; full in about ${when} at the present rate`;
  return {
    label: 'data',
    text,
    values: { ...values, fullInDays: days },
    tone: days < fewDays || isFull ? 'notice' : 'right',
  };
}

/** Bytes of a sample in a block with its share of the index, where none has been written yet. */
const bytesPerSample = 2;

async function prometheusGrowth(engine: Engine, config: StackConfig, signal: AbortSignal): Promise<Growth | undefined> {
  const { enabled, mode, retention } = config.prometheus;
  if (!enabled || mode !== 'server') return undefined;
  const servers = await openServers(engine, config, signal);
  try {
    const client = new PrometheusClient(servers);
    const first = async (expr: string): Promise<number | undefined> => (await client.query(expr))[0]?.value;
    const job = '{job="prometheus"}';
    const [samples = 0, measured] = await Promise.all([
      first(`sum(rate(prometheus_tsdb_head_samples_appended_total${job}[1h]))`),
      first(
        `prometheus_tsdb_compaction_chunk_size_bytes_sum${job} / (prometheus_tsdb_compaction_chunk_samples_sum${job} > 0)`,
      ),
    ]);
    // The index takes about as much again for short series, and little for long ones.
    const bytesPerSecond = samples * (measured === undefined ? bytesPerSample : measured * 1.3);
    const seconds = (parseDuration(retention.time) ?? 0) / 1000;
    return { bytesPerSecond, mostBytes: bytesPerSecond * seconds };
  } catch (error) {
    if (error instanceof NoAnswerError) return undefined;
    throw error;
  } finally {
    servers.close();
  }
}

async function sizeOf(engine: Engine, container: string, folder: string): Promise<number | undefined> {
  const { exitCode, stdout } = await engine
    .exec(container, ['du', '-sk', folder])
    .catch(() => ({ exitCode: 1, stdout: '' }));
  const [size] = /^\d+/.exec(stdout) ?? [];
  return exitCode === 0 && size !== undefined ? Number(size) * 1024 : undefined;
}

function sizeText(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
