import type { ResultSample } from '../../../stack/prometheus/alert-simulator.ts';
import { type PrometheusClient, QueryError, type RangeSeries } from '../../servers/prometheus.ts';

/** Prometheus rejects range queries of more steps. */
const mostSteps = 11_000;
/** The steps of the first query, before it is known how many series an expression returns. */
const firstSteps = 1_000;
/** A shorter query that fails would fail at any length. */
const fewestSteps = 100;
/** The most samples to ask for in one query. */
const mostSamples = 1_000_000;
const queryTimeoutMs = 30_000;

/** An expression and the times at which it is evaluated; times are milliseconds since 1970. */
export interface Evaluations {
  readonly expr: string;
  readonly fromMs: number;
  /** Inclusive. */
  readonly toMs: number;
  readonly intervalMs: number;
  /** How much earlier than the evaluation its samples are. */
  readonly offsetMs: number;
}

/** The samples of one evaluation. */
export interface Evaluation {
  readonly at: number;
  readonly samples: readonly ResultSample[];
}

/**
 * The evaluations of an expression over the history of Prometheus that have samples, in the order of time. The range is split so that
 * neither the steps nor the samples of a query are too many.
 */
export async function* evaluationsOf(
  client: Pick<PrometheusClient, 'range'>,
  { expr, fromMs, toMs, intervalMs, offsetMs }: Evaluations,
  signal: AbortSignal,
): AsyncGenerator<Evaluation> {
  let steps = firstSteps;
  for (let at = fromMs; at <= toMs; ) {
    signal.throwIfAborted();
    const left = Math.floor((toMs - at) / intervalMs) + 1;
    const now = Math.min(steps, left);
    const query = { expr, fromMs: at - offsetMs, toMs: at + (now - 1) * intervalMs - offsetMs, stepMs: intervalMs };
    let matrix: readonly RangeSeries[];
    try {
      matrix = await client.range(query, queryTimeoutMs);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof QueryError) || !error.dependsOnRange || now <= fewestSteps) throw error;
      steps = Math.max(fewestSteps, Math.floor(now / 4));
      continue;
    }
    yield* byTime(matrix, offsetMs);
    at += now * intervalMs;
    const samples = matrix.reduce((sum, { values, histograms }) => sum + values.length + histograms.length, 0);
    const perStep = Math.max(1, samples / now);
    // More than the last query by at most eleven times: the next ones may return more series.
    steps = Math.max(fewestSteps, Math.min(mostSteps, now * 11, Math.floor(mostSamples / perStep)));
  }
}

function byTime(matrix: readonly RangeSeries[], offsetMs: number): readonly Evaluation[] {
  const samplesAt = new Map<number, ResultSample[]>();
  for (const { metric, values, histograms } of matrix) {
    const series = { labels: metric };
    for (const points of [values, histograms]) {
      for (const [seconds, value] of points) {
        const at = Math.round(seconds * 1000) + offsetMs;
        const samples = samplesAt.get(at);
        const sample = { series, value: String(value) };
        if (samples === undefined) samplesAt.set(at, [sample]);
        else samples.push(sample);
      }
    }
  }
  return [...samplesAt].map(([at, samples]) => ({ at, samples })).sort((a, b) => a.at - b.at);
}
