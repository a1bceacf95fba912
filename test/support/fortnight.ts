import type { AlertRule } from '../../stack/alert.ts';
import type { PastSeries } from './prometheus-history.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const scrapeMs = 30_000;

/** The same for the same number, between 0 and 1. */
const noise = (seed: number): number => {
  const scaled = Math.sin(seed * 12.9898) * 43_758.5453;
  return scaled - Math.floor(scaled);
};

/** A day of people: 0 at night, 1 in the afternoon. */
const busy = (ms: number): number => (1 - Math.cos((2 * Math.PI * ms) / day)) / 2;

/** The metrics of one machine as they would be without outages, from the time since the start. */
class Machine {
  readonly #number: number;
  readonly #fromMs: number;
  #requests = 0;
  #errors = 0;
  #queue = 0;
  #free = 0;
  #startedAt = 0;

  constructor(number: number, fromMs: number) {
    this.#number = number;
    this.#fromMs = fromMs;
    this.#free = 90 - 20 * number;
  }

  /** Whether it is turned off: once every two days, for between 2 and 42 minutes. */
  isOff(ms: number): boolean {
    const round = Math.floor(ms / (2 * day));
    const at = ms - round * 2 * day - (9.3 + 11 * this.#number) * hour;
    return at >= 0 && at < 2 * minute + 40 * minute * noise(round * 10 + this.#number);
  }

  /** Once more each scrape: counters go on. */
  scrape(ms: number): Readonly<Record<string, number>> {
    const seed = ms / scrapeMs + this.#number * 1e6;
    if (this.isOff(ms - scrapeMs))
      [this.#requests, this.#errors, this.#queue, this.#startedAt] = [0, 0, 0, (this.#fromMs + ms) / 1000];
    const isCutOff = ms % (23 * hour) < 45 * minute;
    const traffic = isCutOff ? 0 : Math.floor(20 + 400 * busy(ms) * (0.8 + 0.4 * noise(seed)));
    // A bad deployment every 19 hours, for about half an hour.
    const isBad = ms % (19 * hour) < (20 + 5 * this.#number) * minute;
    this.#requests += traffic;
    this.#errors += isBad ? Math.floor(traffic * 0.2) : traffic > 0 && noise(seed + 0.3) > 0.9 ? 1 : 0;
    const isStuck = ms % (31 * hour) < 50 * minute;
    this.#queue = Math.max(0, this.#queue + (isStuck ? 4 : -9) + Math.floor(6 * noise(seed + 0.7)));
    this.#free = this.#free < 4 ? 90 : this.#free - 0.004 * (1 + this.#number) - 0.001 * noise(seed + 0.1);
    return {
      up: 1,
      node_load1: 8 * busy(ms) ** 3 + (noise(Math.floor(ms / (7 * minute)) + this.#number) > 0.97 ? 5 : 0),
      node_cpus: 4 + this.#number,
      node_filesystem_avail_bytes: Math.floor(this.#free * 1e9),
      node_filesystem_size_bytes: 100e9,
      'http_requests_total;code=200': this.#requests - this.#errors,
      'http_requests_total;code=500': this.#errors,
      queue_length: this.#queue,
      temperature_celsius: 55 + 20 * busy(ms - 2 * hour) + 12 * noise(Math.floor(ms / hour) + this.#number),
      process_start_time_seconds: this.#startedAt,
    };
  }
}

/** Samples of three machines over fourteen days: waves of the day, bursts, restarts, outages, and scrapes that are missing. */
export function fortnight(fromMs: number): readonly PastSeries[] {
  const series = new Map<string, { metric: Record<string, string>; values: number[]; timestamps: number[] }>();
  for (const number of [0, 1, 2]) {
    const instance = `web-${number}:9100`;
    const machine = new Machine(number, fromMs);
    for (let ms = 0; ms < 14 * day; ms += scrapeMs) {
      const sample = machine.isOff(ms) ? { up: 0 } : machine.scrape(ms);
      // Prometheus itself was down once, and one machine was not scraped for a while every 50 hours.
      if (ms > 6.2 * day && ms < 6.2 * day + 25 * minute) continue;
      if (number === 2 && ms % (50 * hour) > 49.5 * hour) continue;
      for (const [key, value] of Object.entries(sample)) {
        const [name = '', code] = key.split(';code=');
        const known = series.get(`${number} ${key}`) ?? {
          metric: { __name__: name, instance, ...(code === undefined ? {} : { code }) },
          values: [],
          timestamps: [],
        };
        series.set(`${number} ${key}`, known);
        known.values.push(value);
        // Each target has its own moment within the interval.
        known.timestamps.push(fromMs + ms + 3_217 + 7_100 * number);
      }
    }
  }
  return [...series.values()];
}

type Exprs = Readonly<Record<string, readonly [expr: string, holdFor: string, keepFiringFor?: string]>>;

const rate = 'rate(http_requests_total';
const last = (metric: string): string => `last_over_time(${metric}[5m])`;

/** What is usually alerted on, with `for`; it means the same in PromQL and MetricsQL. */
const exprs: Exprs = {
  InstanceDown: ['up == 0', '5m'],
  InstanceDownAtOnce: ['up == 0', '0s'],
  InstanceDownKept: ['up == 0', '2m', '20m'],
  HighLoad: [`${last('node_load1')} > 4`, '10m'],
  LoadAboveCpus: [`${last('node_load1')} > on (instance) 1.2 * ${last('node_cpus')}`, '2m'],
  DiskAlmostFull: [`${last('node_filesystem_avail_bytes')} / ${last('node_filesystem_size_bytes')} < 0.1`, '15m'],
  DiskFullSoon: ['predict_linear(node_filesystem_avail_bytes[1h], 8 * 3600) < 0', '30m'],
  ErrorRate: [`sum by (instance) (${rate}{code="500"}[5m])) / sum by (instance) (${rate}[5m])) > 0.1`, '2m'],
  ErrorRateOfAll: [`sum(${rate}{code="500"}[10m])) / sum(${rate}[10m])) > 0.1`, '0s'],
  FewRequests: [`sum by (instance) (${rate}[5m])) < 0.1`, '20m'],
  QueueLong: ['avg_over_time(queue_length[10m]) > 50', '5m'],
  QueueLongKept: [`${last('queue_length')} > 50`, '1m', '10m'],
  QueueGrows: ['deriv(queue_length[10m]) > 0.1', '10m'],
  Hot: ['max_over_time(temperature_celsius[15m]) > 80', '0s'],
  HotForLong: ['min_over_time(temperature_celsius[30m]) > 75', '1h'],
  Restarted: [`time() - ${last('process_start_time_seconds')} < 900`, '0s'],
  MachineMissing: [`count(${last('up')} == 1) < 3`, '3m'],
  MetricMissing: [`absent(${last('queue_length{instance="web-2:9100"}')})`, '5m'],
};

/** In MetricsQL a sample is used for two scrapes instead of five minutes, and a series that appears is a change. */
const promqlExprs: Exprs = {
  PlainHighLoad: ['node_load1 > 4', '10m'],
  PlainDiskAlmostFull: ['node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1', '15m'],
  PlainMachineMissing: ['count(up == 1) < 3', '3m'],
  PlainMetricMissing: ['absent(queue_length{instance="web-2:9100"})', '5m'],
  Changed: ['changes(process_start_time_seconds[15m]) > 0', '0s'],
};

/** Alerts over these samples that mean the same in both languages. */
export const commonAlerts: readonly AlertRule[] = alertsOf(exprs);
/** Alerts over these samples. */
export const promqlAlerts: readonly AlertRule[] = [...commonAlerts, ...alertsOf(promqlExprs)];

function alertsOf(rules: Exprs): readonly AlertRule[] {
  return Object.entries(rules).map(([name, [expr, holdFor, keepFiringFor = '0s']]) => ({
    ...{ name, expr, holdFor, keepFiringFor, file: 'rules/fortnight.yml', group: 'fortnight' },
    ...{ labels: { severity: 'page' }, annotations: {}, sent: {} },
  }));
}
