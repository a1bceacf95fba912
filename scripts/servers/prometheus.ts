import * as z from 'zod';
import type { Labels } from '../../stack/alertmanager/matcher.ts';
import type { LiveSeries } from '../../stack/lint/linted-alert.ts';
import { samplesOf } from '../../stack/values/metrics-page.ts';
import { parseJson } from '../../stack/values/parse.ts';
import { StackError } from '../util/stack-error.ts';
import { NoAnswerError, type Servers } from './servers.ts';

const service = 'prometheus';

const labelsSchema = z.record(z.string(), z.string());
const dataOf = <T extends z.ZodType>(data: T) => z.object({ data });
const vectorSchema = dataOf(z.object({ result: z.array(z.object({ metric: labelsSchema })) }));
const valueSchema = z.tuple([z.number(), z.string()]);
const resultSchema = dataOf(
  z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('scalar'), result: valueSchema }),
    z.object({
      resultType: z.literal('vector'),
      result: z.array(z.object({ metric: labelsSchema, value: valueSchema.optional() })),
    }),
    z.object({ resultType: z.enum(['matrix', 'string']) }),
  ]),
);
const scalarSchema = dataOf(z.object({ result: z.tuple([z.number(), z.string()]) }));
const targetSchema = z.object({
  scrapeUrl: z.string(),
  scrapePool: z.string(),
  health: z.string(),
  lastError: z.string(),
  labels: labelsSchema.default({}),
  lastScrape: z.string().optional(),
  lastScrapeDuration: z.number().optional(),
  scrapeInterval: z.string().optional(),
  scrapeTimeout: z.string().optional(),
});
const targetsSchema = dataOf(z.object({ activeTargets: z.array(targetSchema) }));
const alertSchema = z.object({
  labels: labelsSchema,
  annotations: labelsSchema.default({}),
  state: z.string(),
  activeAt: z.string().optional(),
});
const ruleSchema = z.object({
  name: z.string(),
  query: z.string(),
  type: z.enum(['alerting', 'recording']).optional(),
  health: z.string(),
  lastError: z.string().optional(),
  alerts: z.array(alertSchema).default([]),
  labels: labelsSchema.default({}),
  annotations: labelsSchema.default({}),
  /** `for`, in seconds. */
  duration: z.number().optional(),
  lastEvaluation: z.string().optional(),
  /** In seconds. */
  evaluationTime: z.number().optional(),
});
const groupSchema = z.object({ name: z.string(), file: z.string().default(''), rules: z.array(ruleSchema) });
const rulesSchema = dataOf(z.object({ groups: z.array(groupSchema) }));
const alertmanagersSchema = dataOf(z.object({ activeAlertmanagers: z.array(z.object({ url: z.string() })) }));

const errorSchema = z.object({ status: z.literal('error'), error: z.string() });
const tryThis = 'promstack logs prometheus';
/** Tens of thousands of samples in one response are not validated each. */
const pointsSchema = z.custom<readonly (readonly [seconds: number, value: unknown])[]>(Array.isArray).default([]);
const matrixSchema = dataOf(
  z.object({
    result: z.array(z.object({ metric: labelsSchema, values: pointsSchema, histograms: pointsSchema })),
  }),
);

/** A range query; times are in milliseconds. */
export interface RangeQuery {
  readonly expr: string;
  readonly fromMs: number;
  /** Inclusive. */
  readonly toMs: number;
  readonly stepMs: number;
}

/** A series of the result of a range query. */
export type RangeSeries = z.infer<typeof matrixSchema>['data']['result'][number];

/** Prometheus rejects an expression, or its result. */
export class QueryError extends StackError {
  /** Whether a shorter range may succeed: it took too long, or has too many samples, or its result is an error at some time. */
  readonly dependsOnRange: boolean;

  constructor(status: number, why: string) {
    super({ doing: 'evaluating an expression', why, tryThis });
    this.name = 'QueryError';
    this.dependsOnRange = status === 422 || status === 503;
  }
}

/** A scrape target of the running Prometheus. */
export type ScrapeTarget = z.infer<typeof targetSchema>;

/** A rule of the running Prometheus, and the name and file of its group. */
export type RunningRule = z.infer<typeof ruleSchema> & { readonly group: string; readonly file: string };

/** An alert of the running Prometheus: `state` is `pending` or `firing`, `activeAt` ISO 8601. */
export type RunningAlert = z.infer<typeof alertSchema>;

/** What the running Prometheus stores. */
interface Storage {
  readonly headSeries: number | undefined;
  readonly blockBytes: number | undefined;
  /** When the oldest sample is from, in milliseconds since 1970. */
  readonly oldestMs: number | undefined;
}

/** A sample of an instant query. */
export interface QueriedSample {
  /** With `__name__`; none for a scalar. */
  readonly labels: Labels;
  /** NaN for a native histogram. */
  readonly value: number;
}

/** The path of an instant query. */
export function queryPath(expr: string): string {
  return `/api/v1/query?query=${encodeURIComponent(expr)}`;
}

/** The labels of the series in the response to an instant query; undefined when it is not such a response. */
export function seriesIn(response: unknown): readonly Labels[] | undefined {
  return vectorSchema.safeParse(response).data?.data.result.map(({ metric }) => metric);
}

/** Prometheus's HTTP API. Every method rejects with a NoAnswerError when there is no usable response. */
export class PrometheusClient {
  readonly #servers: Servers;

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  /** The samples of an instant query; rejects with a StackError that says what is wrong with the expression. */
  async query(expr: string, timeoutMs?: number): Promise<readonly QueriedSample[]> {
    const doing = `querying ${expr}`;
    const request = { method: 'GET', path: queryPath(expr) } as const;
    const { status, body } = await this.#servers.request(service, request, undefined, timeoutMs);
    const refused = errorSchema.safeParse(parseJson(body)).data;
    if (refused !== undefined) throw new StackError({ doing, why: refused.error, tryThis: 'correct the expression' });
    const response = resultSchema.safeParse(parseJson(body)).data?.data;
    if (response === undefined) {
      throw new NoAnswerError({ doing, service, why: `its response has an unknown format, status ${status}`, tryThis });
    }
    switch (response.resultType) {
      case 'scalar':
        return [{ labels: {}, value: toNumber(response.result) }];
      case 'vector':
        return response.result.map(({ metric, value }) => ({ labels: metric, value: toNumber(value) }));
      default: {
        const why = `it has the type ${response.resultType}, not that of an instant vector or a scalar`;
        throw new StackError({
          doing,
          why,
          tryThis: 'without a range such as [5m] the expression has one value a series',
        });
      }
    }
  }

  /** The labels of the series an instant query returns. */
  async series(expr: string): Promise<readonly Labels[]> {
    const { data } = await this.#servers.json(service, queryPath(expr), vectorSchema);
    return data.result.map(({ metric }) => metric);
  }

  /** A range query: at most 11,000 steps. Rejects with a QueryError when Prometheus does not evaluate it in time. */
  async range({ expr, fromMs, toMs, stepMs }: RangeQuery, timeoutMs: number): Promise<readonly RangeSeries[]> {
    const parameters = {
      query: expr,
      start: String(fromMs / 1000),
      end: String(toMs / 1000),
      step: String(stepMs / 1000),
      timeout: `${timeoutMs}ms`,
    };
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(parameters).toString();
    // Prometheus ends a query in time, and says so; its answer needs time, too.
    const { status, body: response } = await this.#servers.request(
      service,
      { method: 'POST', path: '/api/v1/query_range', body, headers },
      'evaluating an expression',
      2 * timeoutMs,
    );
    const value = parseJson(response);
    const matrix = status === 200 ? matrixSchema.safeParse(value) : undefined;
    if (matrix?.success === true) return matrix.data.data.result;
    const refused = errorSchema.safeParse(value).data;
    throw new QueryError(status, refused?.error ?? `it answers ${status} to a range query`);
  }

  /** Whether a selector such as `up{job="node"}` selects samples in a time. */
  async hasSeries(selector: string, fromMs: number, toMs: number): Promise<boolean> {
    const query = new URLSearchParams({
      'match[]': selector,
      start: `${fromMs / 1000}`,
      end: `${toMs / 1000}`,
      limit: '1',
    });
    const schema = dataOf(z.array(z.unknown()));
    return (await this.#servers.json(service, `/api/v1/series?${query}`, schema)).data.length > 0;
  }

  /** When its oldest stored sample is from, in milliseconds since 1970; undefined when that is unknown. */
  async oldestSample(): Promise<number | undefined> {
    return (await this.storage()).oldestMs;
  }

  /** How much it stores; a number is undefined when its version does not say it. */
  async storage(): Promise<Storage> {
    const page = await this.#servers.text(service, '/metrics');
    const gauge = (name: string): number | undefined => samplesOf(page, name)[0]?.value;
    const oldest = gauge('prometheus_tsdb_lowest_timestamp_seconds');
    return {
      headSeries: gauge('prometheus_tsdb_head_series'),
      blockBytes: gauge('prometheus_tsdb_storage_blocks_bytes'),
      oldestMs: oldest === undefined || oldest <= 0 ? undefined : oldest * 1000,
    };
  }

  /** What ends the time or the size of its data, in its own words: `15d or 20GiB`. */
  async retention(): Promise<string> {
    const schema = dataOf(z.object({ storageRetention: z.string() }));
    return (await this.#servers.json(service, '/api/v1/status/runtimeinfo', schema)).data.storageRetention;
  }

  /** The value of a command-line flag, by its name without dashes; undefined when it has no such flag. */
  async flag(name: string): Promise<string | undefined> {
    const { data } = await this.#servers.json(
      service,
      '/api/v1/status/flags',
      dataOf(z.record(z.string(), z.string())),
    );
    return data[name];
  }

  async targets(): Promise<readonly ScrapeTarget[]> {
    return (await this.#servers.json(service, '/api/v1/targets?state=active', targetsSchema)).data.activeTargets;
  }

  /** All rules, or only those of alerts. */
  async rules(type?: 'alert'): Promise<readonly RunningRule[]> {
    const path = type === undefined ? '/api/v1/rules' : `/api/v1/rules?type=${type}`;
    const { data } = await this.#servers.json(service, path, rulesSchema);
    return data.groups.flatMap(({ name, file, rules }) => rules.map((rule) => ({ ...rule, group: name, file })));
  }

  /** The URLs of the Alertmanagers it sends alerts to. */
  async alertmanagers(): Promise<readonly string[]> {
    const { data } = await this.#servers.json(service, '/api/v1/alertmanagers', alertmanagersSchema);
    return data.activeAlertmanagers.map(({ url }) => url);
  }

  /** Seconds since it loaded its config, by its own clock; its list of targets follows up to 5 s later. */
  async configAge(): Promise<number> {
    const [loadedAt, time] = await Promise.all([
      this.configLoadedAt(),
      this.#servers.json(service, queryPath('time()'), scalarSchema),
    ]);
    return time.data.result[0] - loadedAt / 1_000;
  }

  /** When it had loaded its config, in milliseconds since 1970 by its own clock, which says it in whole seconds. */
  async configLoadedAt(): Promise<number> {
    const infoSchema = dataOf(z.object({ lastConfigTime: z.string() }));
    const { data } = await this.#servers.json(service, '/api/v1/status/runtimeinfo', infoSchema);
    return Date.parse(data.lastConfigTime) + 1_000;
  }

  /** The names in all stored series; undefined until every target has been scraped once. */
  async storedSeries(): Promise<LiveSeries | undefined> {
    const targets = await this.targets();
    if (targets.some(({ health }) => health === 'unknown')) return undefined;
    const schema = dataOf(z.array(z.string()));
    const namesAt = async (path: string): Promise<ReadonlySet<string>> =>
      new Set((await this.#servers.json(service, path, schema)).data);
    const [metrics, labels, anHourAgo] = await Promise.all([
      namesAt('/api/v1/label/__name__/values'),
      namesAt('/api/v1/labels'),
      this.series('count(up offset 1h)'),
    ]);
    return { metrics, labels, isComplete: anHourAgo.length > 0 && targets.every(({ health }) => health === 'up') };
  }
}

/** Prometheus writes NaN and infinity as `NaN`, `+Inf` and `-Inf`. */
function toNumber([, text]: readonly [number, string] | undefined = [0, 'NaN']): number {
  return Number(text.replace('Inf', 'Infinity'));
}
