import type { StackConfig } from '../../stack/config.ts';
import { parseDuration, parseSize } from '../../stack/values/units.ts';
import { counted } from '../../stack/values/words.ts';
import type { ContainerSummary, Engine } from '../engine/engine.ts';
import { PrometheusClient } from '../servers/prometheus.ts';
import { NoAnswerError, openServers } from '../servers/servers.ts';
import { findContainers } from '../state/find-stack.ts';
import { specOf } from '../state/names.ts';
import { StackError } from '../util/stack-error.ts';
import { type DiskUsage, execIfThere, nearlyFull, parseDisk } from './doctor.ts';
import type { ServiceStatus, StatusProblem } from './probe.ts';
import type { StackStatus } from './status.ts';

/** How fast a server's data grows at present. */
interface Growth {
  readonly bytesPerSecond: number;
  /** Of its retention; each is undefined when it does not limit the data. */
  readonly seconds?: number | undefined;
  readonly bytes?: number | undefined;
  /** A part of the disk. */
  readonly share?: number | undefined;
}

type Vital = ServiceStatus['vitals'][number];

/** Days until a disk is full, below which that is reported. */
const fewDays = 14;

/** The data of a stack's services, by service: those whose container runs and has a data volume. */
type DataUsage = ReadonlyMap<string, Vital>;

/** Measures the data of each service, how full its disk is, and when that will be full at the present rate. */
export async function measureData(engine: Engine, config: StackConfig, signal: AbortSignal): Promise<DataUsage> {
  const containers = await findContainers(engine, config.name).catch((error: unknown) => {
    if (error instanceof StackError) return new Map<string, ContainerSummary>();
    throw error;
  });
  const measured = [...containers].map(async ([service, container]) => {
    const mount = specOf(container)?.mounts.find(({ kind }) => kind === 'data');
    const isMeasured = mount !== undefined && container.state === 'running';
    return { service, sizes: isMeasured ? await sizesOf(engine, container.id, mount.target) : undefined };
  });
  const [growth, found] = await Promise.all([prometheusGrowth(engine, config, signal), Promise.all(measured)]);
  return new Map(
    found.flatMap(({ service, sizes }): readonly (readonly [string, Vital])[] => {
      if (sizes === undefined) return [];
      return [[service, readUsage({ ...sizes, growth: service === 'prometheus' ? growth : undefined })]];
    }),
  );
}

/** The status with what was measured. */
export function withDataUsage(status: StackStatus, usage: DataUsage): StackStatus {
  const problems = [...usage].flatMap(([service, vital]): readonly StatusProblem[] =>
    vital.tone === 'right' ? [] : [{ tone: 'notice', service, ...aboutDisk(vital) }],
  );
  const services = status.services.map((service) => {
    const vital = usage.get(service.service);
    return vital === undefined ? service : { ...service, vitals: [...service.vitals, vital] };
  });
  return { ...status, services, problems: [...status.problems, ...problems] };
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
  readonly disk: DiskUsage;
  readonly growth?: Growth | undefined;
}): Vital {
  const used = 1 - disk.freeBytes / disk.bytes;
  const size = `${sizeText(bytes)}, the disk is ${Math.round(used * 100)} % full`;
  const values = { bytes, diskBytes: disk.bytes, freeBytes: disk.freeBytes };
  const isFull = used >= nearlyFull;
  const tone = isFull ? 'notice' : 'right';
  if (growth === undefined || growth.bytesPerSecond <= 0) return { label: 'data', text: size, values, tone };
  const { bytesPerSecond, seconds, bytes: most, share } = growth;
  const mostBytes = Math.min(
    seconds === undefined ? Number.POSITIVE_INFINITY : bytesPerSecond * seconds,
    most ?? Number.POSITIVE_INFINITY,
    share === undefined ? Number.POSITIVE_INFINITY : disk.bytes * share,
  );
  if (mostBytes - bytes <= disk.freeBytes) {
    return { label: 'data', text: `${size}; at most ${sizeText(mostBytes)} by its retention`, values, tone };
  }
  const days = disk.freeBytes / bytesPerSecond / 86_400;
  const when = days < 2 ? counted(Math.max(1, Math.round(days * 24)), 'hour') : `${Math.round(days)} days`;
  return {
    label: 'data',
    text: `${size}; full in about ${when} at the present rate`,
    values: { ...values, fullInDays: days },
    tone: days < fewDays || isFull ? 'notice' : 'right',
  };
}

/** Bytes of a sample in a block with its share of the index, where none has been written yet. */
const bytesPerSample = 2;

async function prometheusGrowth(engine: Engine, config: StackConfig, signal: AbortSignal): Promise<Growth | undefined> {
  const { enabled, mode } = config.prometheus;
  if (!enabled || mode !== 'server') return undefined;
  const servers = await openServers(engine, config, signal);
  try {
    const client = new PrometheusClient(servers);
    const first = async (expr: string): Promise<number | undefined> => (await client.query(expr))[0]?.value;
    const job = '{job="prometheus"}';
    const appended = `prometheus_tsdb_head_samples_appended_total${job}`;
    const uptime = `(time() - max(process_start_time_seconds${job}))`;
    const [samples = 0, measured, retention] = await Promise.all([
      // A rate counts the time before the start, too, as if nothing had been stored then.
      first(`(sum(rate(${appended}[1h])) and ${uptime} > 3600) or sum(${appended}) / ${uptime}`),
      first(
        `prometheus_tsdb_compaction_chunk_size_bytes_sum${job} / (prometheus_tsdb_compaction_chunk_samples_sum${job} > 0)`,
      ),
      client.retention(),
    ]);
    // The index takes about as much again for short series, and little for long ones.
    const bytesPerSecond = samples * (measured === undefined ? bytesPerSample : measured * 1.3);
    return { bytesPerSecond, ...parseRetention(retention) };
  } catch (error) {
    if (error instanceof NoAnswerError) return undefined;
    throw error;
  } finally {
    servers.close();
  }
}

/** What ends the growth of Prometheus's data, from its own words: `15d`, `15d or 20GiB`, `15d or 80%`. */
export function parseRetention(text: string): Omit<Growth, 'bytesPerSecond'> {
  const parts = text.split(' or ');
  const firstOf = (parse: (part: string) => number | undefined): number | undefined =>
    parts.map(parse).find((value) => value !== undefined && value > 0);
  const ms = firstOf(parseDuration);
  return {
    seconds: ms === undefined ? undefined : ms / 1000,
    bytes: firstOf(parseSize),
    share: firstOf((part) => (part.endsWith('%') ? Number(part.slice(0, -1)) / 100 : undefined)),
  };
}

/** The size of a folder in a container, and its file system; undefined when its image cannot say it. */
async function sizesOf(
  engine: Engine,
  container: string,
  folder: string,
): Promise<{ readonly bytes: number; readonly disk: DiskUsage } | undefined> {
  const script = 'df -Pk "$1" && du -sk "$1"';
  const result = await execIfThere(engine, container, ['sh', '-c', script, 'sh', folder]);
  const disk = parseDisk(result?.stdout ?? '');
  const [, size] = /^(\d+)\s+\/[^\n]*\n?$/m.exec(result?.stdout ?? '') ?? [];
  return disk === undefined || size === undefined ? undefined : { disk, bytes: Number(size) * 1024 };
}

function sizeText(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
