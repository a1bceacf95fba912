import type { StackConfig } from '../../stack/config.ts';
import type { KeyPath } from '../../stack/diagnostic.ts';
import { type ScrapedServer, scrapedServers } from '../../stack/prometheus/memory-limits.ts';
import { keyPath, sectionPath } from '../../stack/service.ts';
import { enabledServices } from '../../stack/services.ts';
import { samplesOf } from '../../stack/values/metrics-page.ts';
import type { Engine } from '../engine/engine.ts';
import { PrometheusClient, type QueriedSample } from '../servers/prometheus.ts';
import { NoAnswerError, openServers, type Servers } from '../servers/servers.ts';
import { findContainers } from '../state/find-stack.ts';

/** What is known of a server's memory; sizes are bytes. */
export interface MemoryUse {
  /** Seconds that Prometheus has of it; 0 when only the present is known. */
  readonly seconds: number;
  /** The most that was resident, of files that it has mapped too; undefined when its server does not say it. */
  readonly residentBytes?: number | undefined;
  /** The most that a Go program had in use after it had collected garbage; undefined for others. */
  readonly heapBytes?: number | undefined;
  /** What of a Go program was always resident besides its heap, which is its code; undefined for others. */
  readonly codeBytes?: number | undefined;
}

/** The memory of a server, and what its limit should be. */
export interface MemoryAdvice extends MemoryUse {
  readonly service: string;
  /** The limit of its container; undefined when there is none. */
  readonly limitBytes: number | undefined;
  /** `keep`: the limit fits; `unknown`: there is too little to go by. */
  readonly verdict: 'keep' | 'set' | 'raise' | 'lower' | 'unknown';
  /** The limit that is proposed; only with `set`, `raise` and `lower`. */
  readonly proposedBytes?: number | undefined;
  /** A sentence. */
  readonly because: string;
  /** Where its limit is in stack.yml. */
  readonly key: KeyPath;
}

/** What is advised for a stack. */
export interface Advice {
  readonly servers: readonly MemoryAdvice[];
  /** The series that Prometheus holds in memory now, and the most in the time it has; undefined when it does not say it. */
  readonly series?: { readonly now: number; readonly most: number } | undefined;
  /** The memory of the engine; undefined when it does not say it. */
  readonly engineBytes: number | undefined;
  /** The sum of the limits, where those that are proposed are in place. */
  readonly totalBytes: number;
  /** Servers without a limit, also after what is proposed. */
  readonly unlimited: readonly string[];
}

interface AdviseOptions {
  readonly engine: Engine;
  readonly config: StackConfig;
  readonly signal: AbortSignal;
}

/** Looks at what the servers of a running stack hold in memory, and proposes limits; changes nothing. */
export async function advise({ engine, config, signal }: AdviseOptions): Promise<Advice> {
  const [containers, { memoryBytes: engineBytes }] = await Promise.all([
    findContainers(engine, config.name),
    engine.details(signal),
  ]);
  const servers = await openServers(engine, config, signal);
  try {
    const scraped = scrapedServers(config);
    const history = await readHistory(servers, scraped);
    const advised = await Promise.all(
      enabledServices(config).map(async (service): Promise<MemoryAdvice> => {
        const container = containers.get(service.name);
        const details = container && (await engine.inspectContainer(container.id));
        const limitBytes = details?.memoryBytes;
        const server = scraped.find((each) => each.service === service.name);
        const use = history?.uses.get(service.name) ?? (await presentUse(servers, server));
        const key = keyPath(sectionPath(service), config, 'resources');
        return { service: service.name, key: [...key, 'memory'], limitBytes, ...use, ...judge(use, limitBytes) };
      }),
    );
    const limitAfter = ({ proposedBytes, limitBytes }: MemoryAdvice): number => proposedBytes ?? limitBytes ?? 0;
    return {
      servers: advised,
      series: history?.series,
      engineBytes,
      totalBytes: advised.reduce((sum, each) => sum + limitAfter(each), 0),
      unlimited: advised.filter((each) => limitAfter(each) === 0).map(({ service }) => service),
    };
  } finally {
    servers.close();
  }
}

const window = '7d';
/** Prometheus compacts the newest samples every two hours, which takes the most memory: less says nothing of it. */
const leastSeconds = 3 * 3_600;
const stepSeconds = 300;
const queryMs = 20_000;

interface MemoryHistory {
  readonly uses: ReadonlyMap<string, MemoryUse>;
  readonly series: Advice['series'];
}

/** What Prometheus has of the memory of the servers; undefined when it cannot be queried. */
async function readHistory(servers: Servers, scraped: readonly ScrapedServer[]): Promise<MemoryHistory | undefined> {
  const { enabled, mode } = servers.config.prometheus;
  if (!enabled || mode !== 'server' || scraped.length === 0) return undefined;
  const client = new PrometheusClient(servers);
  const jobs = [...new Set(scraped.map(({ job }) => job.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')))];
  const of = (metric: string): string => `${metric}{job=~${JSON.stringify(jobs.join('|'))}}`;
  // A page may have a metric several times, with further labels.
  const each = (expr: string): string => `max by (job, instance) (${expr})`;
  const [resident, heap] = [of('process_resident_memory_bytes'), of('go_memstats_heap_inuse_bytes')];
  const managed = `(${each(of('go_memstats_sys_bytes'))} - ${each(of('go_memstats_heap_released_bytes'))})`;
  // What is in use only while it starts, as when it replays its log, is garbage soon; a short time may have no collection.
  const starting = `time() - ${each(of('process_start_time_seconds'))} < 900`;
  const wasThere = `${each(heap)} and ${each(`${heap} offset 10m`)}`;
  const collected = `${each(`min_over_time(${heap}[10m])`)} and ${wasThere} unless ${starting}`;
  const head = 'prometheus_tsdb_head_series{job="prometheus"}';
  const query = (expr: string): Promise<readonly QueriedSample[]> => client.query(expr, queryMs);
  try {
    const [steps, residents, heaps, codes, [now], [most]] = await Promise.all([
      query(`count_over_time(${each(resident)}[${window}:${stepSeconds}s])`),
      query(each(`max_over_time(${resident}[${window}])`)),
      query(`max_over_time((${collected})[${window}:${stepSeconds}s])`),
      query(`min_over_time((${each(resident)} - ${managed})[${window}:${stepSeconds}s])`),
      query(head),
      query(`max_over_time(${head}[${window}])`),
    ]);
    const amountOf = (samples: readonly QueriedSample[], { job, instance }: ScrapedServer): number | undefined =>
      samples.find(({ labels }) => labels['job'] === job && labels['instance'] === instance)?.value;
    const uses = scraped.flatMap((server): readonly (readonly [string, MemoryUse])[] => {
      const residentBytes = amountOf(residents, server);
      if (residentBytes === undefined) return [];
      const seconds = ((amountOf(steps, server) ?? 1) - 1) * stepSeconds;
      const codeBytes = amountOf(codes, server);
      return [[server.service, { seconds, residentBytes, heapBytes: amountOf(heaps, server), codeBytes }]];
    });
    const series = now === undefined || most === undefined ? undefined : { now: now.value, most: most.value };
    return { uses: new Map(uses), series };
  } catch (error) {
    if (error instanceof NoAnswerError) return undefined;
    throw error;
  }
}

/** What a server says of itself now. */
async function presentUse(servers: Servers, server: ScrapedServer | undefined): Promise<MemoryUse> {
  if (server === undefined) return { seconds: 0 };
  try {
    const page = await servers.text(server.service, '/metrics', 'reading its memory');
    const amountOf = (metric: string): number | undefined =>
      samplesOf(page, metric).find(({ labels }) => labels === '')?.value;
    const residentBytes = amountOf('process_resident_memory_bytes');
    const heapBytes = amountOf('go_memstats_heap_inuse_bytes');
    return { seconds: 0, residentBytes, heapBytes };
  } catch (error) {
    if (error instanceof NoAnswerError) return { seconds: 0 };
    throw error;
  }
}

/** Go lets the heap grow to this many times what is in use before it collects garbage, as long as its limit allows it. */
const growth = 2;
/** The part of the limit that promstack gives a Go program as GOMEMLIMIT. */
const share = 0.9;
/** For programs of which only the resident memory is known. */
const perResident = 1.5;
/** A limit is too low below this part of what is proposed: the shipped alert is near then. */
const tight = 0.75;
/** A limit is lowered only if it is this many times what is proposed, and when that frees something. */
const generous = 4;
const worthLowering = 256 * 2 ** 20;

/** What the limit of a server should be. */
export function judge(
  { seconds, residentBytes, heapBytes, codeBytes = 0 }: MemoryUse,
  limitBytes: number | undefined,
): Pick<MemoryAdvice, 'verdict' | 'proposedBytes' | 'because'> {
  const used = heapBytes ?? residentBytes;
  if (used === undefined) return { verdict: 'unknown', because: 'nothing is known of its memory' };
  if (seconds < leastSeconds) {
    const known =
      seconds < 60 ? 'only its memory of now is known' : `only ${timeText(seconds)} of its memory are known`;
    return { verdict: 'unknown', because: `${known}: a proposal needs ${timeText(leastSeconds)}` };
  }
  const code = Math.max(0, codeBytes);
  const proposedBytes = roundUp(heapBytes === undefined ? used * perResident : (heapBytes * growth + code) / share);
  const what =
    heapBytes === undefined ? 'resident' : `in use after garbage collection, beside ${megabytes(code)} of code`;
  const most = `in ${timeText(seconds)} at most ${megabytes(used)} were ${what}`;
  if (limitBytes === undefined) {
    return { verdict: 'set', proposedBytes, because: `${most}; without a limit it can take the memory of all others` };
  }
  const ofLimit = `of its limit of ${megabytes(limitBytes)}`;
  if (limitBytes < proposedBytes * tight) return { verdict: 'raise', proposedBytes, because: `${most}, ${ofLimit}` };
  if (limitBytes > proposedBytes * generous && limitBytes - proposedBytes > worthLowering) {
    return { verdict: 'lower', proposedBytes, because: `${most}, ${ofLimit}` };
  }
  return { verdict: 'keep', because: `${most}, ${ofLimit}` };
}

/** Up to a size that one would write: in steps of about an eighth, and 32 MB at least. */
function roundUp(bytes: number): number {
  const megabyte = 2 ** 20;
  const least = 32;
  const size = Math.max(least, bytes / megabyte);
  const step = 2 ** Math.max(3, Math.floor(Math.log2(size)) - 3);
  return Math.ceil(size / step) * step * megabyte;
}

export function megabytes(bytes: number): string {
  const size = bytes / 2 ** 20;
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} MB`;
}

/** `40 minutes`, `5 hours`, `7 days` */
function timeText(seconds: number): string {
  if (seconds < 7_200) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 2 * 86_400 ? `${Math.floor(seconds / 3_600)} hours` : `${Math.round(seconds / 86_400)} days`;
}
