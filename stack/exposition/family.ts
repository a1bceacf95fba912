import type { SourceRange } from '../diagnostic.ts';

/** The types of the text format; `gaugehistogram` is taken by the Pushgateway though the format has no such word. */
export type MetricType = 'counter' | 'gauge' | 'summary' | 'histogram' | 'gaugehistogram' | 'untyped';

/** One line with a value. */
export interface Sample {
  /** As written: `request_seconds_bucket`. */
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  readonly where: SourceRange;
}

/** All samples of one metric; those of a histogram or summary with its buckets, quantiles, sums and counts. */
export interface Family {
  readonly name: string;
  readonly type: MetricType;
  readonly help?: string;
  readonly samples: readonly Sample[];
  /** Where its type is told, or else its first sample. */
  readonly where: SourceRange;
}

const types: Readonly<Record<string, MetricType>> = {
  COUNTER: 'counter',
  GAUGE: 'gauge',
  SUMMARY: 'summary',
  HISTOGRAM: 'histogram',
  UNTYPED: 'untyped',
  GAUGEHISTOGRAM: 'gaugehistogram',
  GAUGE_HISTOGRAM: 'gaugehistogram',
};

/** The type of that name in any case, as a `# TYPE` line or the Pushgateway's API writes it. */
export function toMetricType(word: string): MetricType | undefined {
  const key = word.toUpperCase();
  return Object.hasOwn(types, key) ? types[key] : undefined;
}

/** Whether its samples are parts (buckets and the like) of one value. */
export function isHistogram(type: MetricType | undefined): boolean {
  return type === 'histogram' || type === 'gaugehistogram';
}
