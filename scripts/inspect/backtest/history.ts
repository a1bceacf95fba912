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

/** The samples of a result by time; one evaluation at a time, since a long result has a million samples. */
function* byTime(matrix: readonly RangeSeries[], offsetMs: number): Generator<Evaluation> {
  let unread = matrix.flatMap(({ metric, values, histograms }) => {
    const series = { labels: metric };
    return [values, histograms].flatMap((points) => (points.length === 0 ? [] : [{ series, points, next: 0 }]));
  });
  while (unread.length > 0) {
    let seconds = Number.POSITIVE_INFINITY;
    for (const { points, next } of unread) seconds = Math.min(seconds, points[next]?.[0] ?? seconds);
    const samples: ResultSample[] = [];
    let isOver = false;
    for (const cursor of unread) {
      const point = cursor.points[cursor.next];
      if (point?.[0] !== seconds) continue;
      samples.push({ series: cursor.series, value: String(point[1]) });
      cursor.next += 1;
      isOver ||= cursor.next === cursor.points.length;
    }
    if (isOver) unread = unread.filter(({ points, next }) => next < points.length);
    yield { at: Math.round(seconds * 1000) + offsetMs, samples };
  }
}
