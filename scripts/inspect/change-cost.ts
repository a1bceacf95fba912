import type { RenderedFile } from '../../stack/model.ts';
import {
  changedJobs,
  changedRules,
  droppedBy,
  type JobLoad,
  jobLoads,
  type Pair,
  type RecordingRule,
  recordingRules,
} from '../../stack/prometheus/scrape-load.ts';
import { parseDuration } from '../../stack/values/units.ts';
import { andList, counted } from '../../stack/values/words.ts';
import type { StackFiles } from '../plan/alert-impact.ts';
import type { PrometheusClient } from '../servers/prometheus.ts';
import { mapLimit } from '../util/map-limit.ts';
import { StackError } from '../util/stack-error.ts';

/** What a change of a job or of a recording rule does to the number of series and samples, by what Prometheus knows. */
export interface CostItem {
  readonly kind: 'job' | 'recording rule';
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Undefined when it is not known. */
  readonly series: number | undefined;
  readonly samplesPerSecond: number | undefined;
  /** What of it is not known, or is to be known besides the numbers. */
  readonly notes: readonly string[];
}

/** What a change costs; numbers are differences, but for those of today. */
export interface ChangeCost {
  readonly items: readonly CostItem[];
  readonly series: number;
  readonly samplesPerSecond: number;
  /** Of the running Prometheus; undefined when unknown. */
  readonly seriesNow: number | undefined;
  readonly samplesPerSecondNow: number | undefined;
  readonly disk: DiskEstimate | undefined;
  /** Why less is known than could be. */
  readonly notes: readonly string[];
}

/** What a new retention needs on disk, at the current rate. */
interface DiskEstimate {
  readonly retentionBefore: string;
  readonly retentionAfter: string;
  readonly bytesNow: number;
  /** Undefined while there is less than a day of data. */
  readonly bytesAfter: number | undefined;
}

/** Queries at a time: Prometheus goes on with its own work. */
const atOnce = 2;
/** Rules whose results are counted. */
const mostRules = 100;
/** Series per target that Prometheus adds to those that it scrapes: `up` and the like. */
const ownSeries = 5;
const dayMs = 86_400_000;

type CostClient = Pick<PrometheusClient, 'query' | 'storage' | 'flag'>;

/** A change of jobs and rules, or of the retention; undefined when it costs nothing. */
export async function changeCost({
  client,
  before,
  after,
  retention,
  nowMs,
  deadline,
  signal,
}: {
  readonly client: CostClient;
  readonly before: StackFiles;
  readonly after: StackFiles;
  /** Of stack.yml. */
  readonly retention: string;
  readonly nowMs: number;
  /** Aborts when the time is over; what is not known by then is unknown. */
  readonly deadline: AbortSignal;
  readonly signal: AbortSignal;
}): Promise<ChangeCost | undefined> {
  const [oldFiles, newFiles] = [prometheusFiles(before), prometheusFiles(after)];
  const jobs = changedJobs(jobLoads(oldFiles), jobLoads(newFiles));
  const rules = changedRules(recordingRules(oldFiles), recordingRules(newFiles));
  const ask = <T>(request: Promise<T>): Promise<T | Unknown> =>
    request.catch((error: unknown) => {
      signal.throwIfAborted();
      if (deadline.aborted) return new Unknown('the time was over');
      if (error instanceof StackError) return new Unknown(error.why);
      throw error;
    });
  const runningRetention = await ask(client.flag('storage.tsdb.retention.time'));
  const isKept = typeof runningRetention !== 'string' || parseDuration(runningRetention) === parseDuration(retention);
  if (jobs.length === 0 && rules.length === 0 && isKept) return undefined;
  const count: Count = async (selection) => {
    const samples = await ask(client.query(`count(${selection})`));
    return samples instanceof Unknown ? samples : samples[0]?.value;
  };
  const [scraped, stored] = await Promise.all([
    measureJobs(jobs, (expr) => ask(client.query(expr))),
    ask(client.storage()),
  ]);
  const storage = stored instanceof Unknown ? undefined : stored;
  const items = [
    ...(await mapLimit(jobs, atOnce, (pair) => jobCost(pair, scraped, count))),
    ...(await mapLimit(rules.slice(0, mostRules), atOnce, (pair) => ruleCost(pair, count))),
  ];
  const left = rules.length - mostRules;
  return {
    items,
    series: sum(items.map(({ series }) => series)),
    samplesPerSecond: sum(items.map(({ samplesPerSecond }) => samplesPerSecond)),
    seriesNow: storage?.headSeries,
    samplesPerSecondNow: scraped.samplesPerSecond,
    disk:
      isKept || storage === undefined || storage.blockBytes === undefined
        ? undefined
        : {
            retentionBefore: runningRetention,
            retentionAfter: retention,
            bytesNow: storage.blockBytes,
            bytesAfter: diskAfter(storage.blockBytes, storage.oldestMs, nowMs, parseDuration(retention) ?? 0),
          },
    notes: [...(left > 0 ? [`${counted(left, 'more recording rule')} not evaluated`] : [])],
  };
}

/** Why something is not known. */
class Unknown {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** The number of series of an expression; undefined when it has none. */
type Count = (selection: string) => Promise<number | Unknown | undefined>;

/** The files of the service that has rules and jobs. */
function prometheusFiles(stack: StackFiles): readonly RenderedFile[] {
  return stack.flatMap(({ service, files }) => (service.alerts === undefined ? [] : files));
}

/** What Prometheus has scraped lately, by job. */
interface Scraped {
  readonly jobs: ReadonlyMap<string, { readonly targets: number; readonly samples: number; readonly most: number }>;
  readonly samplesPerSecond: number | undefined;
  readonly failure: Unknown | undefined;
}

async function measureJobs(
  changed: readonly Pair<JobLoad>[],
  query: (expr: string) => Promise<Awaited<ReturnType<CostClient['query']>> | Unknown>,
): Promise<Scraped> {
  const samples = 'scrape_samples_post_metric_relabeling';
  const names = changed.map(({ name }) => name);
  const regex = JSON.stringify(names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'));
  const jobs = new Map<string, { targets: number; samples: number; most: number }>();
  let failure: Unknown | undefined;
  // A job that was removed some time ago is known, too.
  for (const selection of [`last_over_time(${samples}{job=~${regex}}[1d])`, `${samples}{job=~${regex}}`]) {
    const [sums, counts, most] = await Promise.all(
      ['sum', 'count', 'max'].map(async (aggregation) => {
        const result = changed.length === 0 ? [] : await query(`${aggregation} by (job) (${selection})`);
        if (result instanceof Unknown) failure = result;
        return new Map(
          result instanceof Unknown ? [] : result.map(({ labels, value }) => [labels['job'] ?? '', value]),
        );
      }),
    );
    for (const [name, value] of sums ?? [])
      jobs.set(name, { samples: value, targets: counts?.get(name) ?? 0, most: most?.get(name) ?? 0 });
  }
  const rate = await query('sum(rate(prometheus_tsdb_head_samples_appended_total{job="prometheus"}[5m]))');
  return { jobs, samplesPerSecond: rate instanceof Unknown ? undefined : rate[0]?.value, failure };
}

async function jobCost(
  { name, before, after }: Pair<JobLoad>,
  { jobs, failure }: Scraped,
  count: Count,
): Promise<CostItem> {
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  const known = jobs.get(name);
  const item = { kind: 'job', name, change } as const;
  if (known === undefined || known.targets === 0) {
    const notes = [`unknown: ${failure?.why ?? 'it was not scraped within a day'}`];
    return { ...item, series: undefined, samplesPerSecond: undefined, notes };
  }
  const now = known.samples + ownSeries * known.targets;
  const perSecond = (series: number, job: JobLoad | undefined): number =>
    job === undefined || job.intervalMs === 0 ? 0 : (series * 1000) / job.intervalMs;
  if (before === undefined || after === undefined) {
    const series = after === undefined ? -now : now;
    const notes = after === undefined ? [] : ['as when it was scraped last', ...limitNotes(after, known.most)];
    return { ...item, series, samplesPerSecond: Math.sign(series) * perSecond(now, after ?? before), notes };
  }
  const notes: string[] = [];
  let series = now;
  if (before.targets !== undefined && after.targets !== undefined && before.targets > 0) {
    series *= after.targets / before.targets;
    if (after.targets !== before.targets) notes.push(`${before.targets} -> ${counted(after.targets, 'target')}`);
  }
  const text = (value: unknown): string => JSON.stringify(value);
  const added = after.metricRelabelings.filter((rule) => !before.metricRelabelings.map(text).includes(text(rule)));
  const isOnlyAdded = before.metricRelabelings.every((rule) => after.metricRelabelings.map(text).includes(text(rule)));
  const drops = added.map((rule) => droppedBy(name, rule));
  if (isOnlyAdded && drops.every((selector) => selector !== undefined)) {
    for (const selector of drops) {
      const dropped = (await count(selector)) ?? 0;
      if (dropped instanceof Unknown) {
        notes.push(`unknown: what its metric_relabel_configs do: ${dropped.why}`);
        continue;
      }
      series -= dropped;
      notes.push(`${dropped} series dropped by metric_relabel_configs`);
    }
  } else notes.push('unknown: what its metric_relabel_configs do');
  if (before.intervalMs !== after.intervalMs)
    notes.push(`scrape_interval ${before.intervalMs / 1000}s -> ${after.intervalMs / 1000}s`);
  const keys = [...new Set([...before.others.keys(), ...after.others.keys()])].filter(
    (key) => before.others.get(key) !== after.others.get(key),
  );
  if (keys.length > 0)
    notes.push(`unknown: what a different ${andList(keys, '')} ${keys.length === 1 ? 'does' : 'do'}`);
  return {
    ...item,
    series: Math.round(series - now),
    samplesPerSecond: perSecond(series, after) - perSecond(now, before),
    notes: [...notes, ...(before.sampleLimit === after.sampleLimit ? [] : limitNotes(after, known.most))],
  };
}

function limitNotes({ sampleLimit }: JobLoad, most: number): readonly string[] {
  if (sampleLimit === 0 || most <= sampleLimit) return [];
  return [`a scrape has ${most} samples, more than its sample_limit of ${sampleLimit}: Prometheus would drop it`];
}

async function ruleCost({ name, before, after }: Pair<RecordingRule>, count: Count): Promise<CostItem> {
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  const [old, now] = await Promise.all([
    before === undefined ? 0 : count(before.selector),
    after === undefined ? 0 : count(after.expr),
  ]);
  const item = { kind: 'recording rule', name, change } as const;
  if (typeof old !== 'number' || typeof now !== 'number') {
    const empty = now === undefined ? 'its expression has no result at the moment' : 'it has no series at the moment';
    const why = [now, old].find((result) => result instanceof Unknown)?.why ?? empty;
    return { ...item, series: undefined, samplesPerSecond: undefined, notes: [`unknown: ${why}`] };
  }
  const perSecond = (series: number, rule: RecordingRule | undefined): number =>
    rule === undefined || rule.intervalMs === 0 ? 0 : (series * 1000) / rule.intervalMs;
  const notes =
    before !== undefined && after !== undefined && before.intervalMs !== after.intervalMs
      ? [`interval ${before.intervalMs / 1000}s -> ${after.intervalMs / 1000}s`]
      : [];
  return { ...item, series: now - old, samplesPerSecond: perSecond(now, after) - perSecond(old, before), notes };
}

/** Blocks of a longer time have as many bytes a day; less than a day of them says too little. */
function diskAfter(
  bytes: number,
  oldestMs: number | undefined,
  nowMs: number,
  retentionMs: number,
): number | undefined {
  const coveredMs = oldestMs === undefined ? 0 : nowMs - oldestMs;
  return coveredMs < dayMs ? undefined : (bytes * retentionMs) / coveredMs;
}

const sum = (values: readonly (number | undefined)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);
