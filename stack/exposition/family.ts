import type { SourceRange } from '../diagnostic.ts';

/** The types of the text format, and `gaugehistogram`, which the Pushgateway accepts too. */
export type MetricType = 'counter' | 'gauge' | 'summary' | 'histogram' | 'gaugehistogram' | 'untyped';

export interface Sample {
  /** As written: `request_seconds_bucket`. */
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  readonly where: SourceRange;
}

/** All samples of a metric, including the buckets, quantiles, sums and counts of a histogram or summary. */
export interface Family {
  readonly name: string;
  readonly type: MetricType;
  readonly help?: string | undefined;
  readonly samples: readonly Sample[];
  /** Its TYPE line, or else its first sample. */
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

/** The type of a `# TYPE` line or of the Pushgateway's API, in any case. */
export function toMetricType(word: string): MetricType | undefined {
  const key = word.toUpperCase();
  return Object.hasOwn(types, key) ? types[key] : undefined;
}

export function isHistogram(type: MetricType | undefined): boolean {
  return type === 'histogram' || type === 'gaugehistogram';
}

/** The suffix of a part of a histogram or summary. */
export type Part = 'count' | 'sum' | 'bucket';

export function hasPart(type: MetricType | undefined, part: Part): boolean {
  return isHistogram(type) || (type === 'summary' && part !== 'bucket');
}

/** The label that distinguishes the buckets or quantiles of a family. */
export function boundLabel(type: MetricType | undefined): 'le' | 'quantile' | undefined {
  if (isHistogram(type)) return 'le';
  return type === 'summary' ? 'quantile' : undefined;
}

export type LabelMap = ReadonlyMap<string, string>;

/**
 * The labels of a sample after a push: those of the group override its own, and it gets an empty `instance` if it has none (the
 * Pushgateway's sanitizeLabels), so that Prometheus does not add the Pushgateway's.
 */
export function pushedLabels(own: LabelMap, group: LabelMap): LabelMap {
  const labels = new Map([...own, ...group]);
  if (!labels.has('instance')) labels.set('instance', '');
  return labels;
}

/** A key that is equal for equal labels. */
export function identityOf(labels: LabelMap): string {
  return JSON.stringify([...labels].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `{job="backup", instance="a"}`. */
export function formatLabels(labels: LabelMap): string {
  return `{${[...labels].map(([name, value]) => `${quoteName(name)}=${quoteValue(value)}`).join(', ')}}`;
}

/** A string in quotes with the escapes of the text format. */
function quoteValue(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`;
}

function quoteName(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quoteValue(name);
}

/** The names a server accepts: Prometheus's classic ones, or any string (`--push.enable-utf8-names`). */
export type NameScheme = 'legacy' | 'utf8';

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function isMetricName(name: string, scheme: NameScheme): boolean {
  return scheme === 'utf8' ? name !== '' : metricName.test(name);
}

/** Whether a label name is valid, including reserved ones. */
export function isLabelName(name: string, scheme: NameScheme): boolean {
  return scheme === 'utf8' ? name !== '' : labelName.test(name);
}

/** Whether a label is internal to Prometheus; the Pushgateway rejects it. */
export function isReservedLabel(name: string): boolean {
  return name.startsWith('__');
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const infinity = /^([+-]?)inf(?:inity)?$/i;

/**
 * A number of the text format; undefined when it is not one. That is Go's strconv.ParseFloat without hexadecimal numbers and underscores,
 * which expfmt's parseFloat rejects: `NaN` has no sign, `Inf` may be spelled `infinity`, case does not matter, and a number beyond the
 * largest float is invalid.
 */
export function parseFloat64(text: string): number | undefined {
  const infinite = infinity.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return NaN;
  if (!decimal.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function formatFloat64(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

/** A metric to write; all its samples have its name. */
export interface WrittenMetric {
  readonly name: string;
  readonly type?: MetricType | undefined;
  readonly help?: string | undefined;
  readonly samples: readonly { readonly labels?: LabelMap; readonly value: number }[];
}

/** Metrics in the text format, with non-classic names in quotes. */
export function formatExposition(metrics: readonly WrittenMetric[]): string {
  return metrics.map(formatMetric).join('');
}

function formatMetric({ name, type, help, samples }: WrittenMetric): string {
  const bare = isMetricName(name, 'legacy') ? name : quoteValue(name);
  const lines = [
    ...(help === undefined ? [] : [`# HELP ${bare} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`]),
    ...(type === undefined ? [] : [`# TYPE ${bare} ${type}`]),
    ...samples.map(({ labels = new Map(), value }) => `${formatSeries(name, labels)} ${formatFloat64(value)}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** `http_requests{code="200"}`, `{"my.metric", code="200"}`. */
export function formatSeries(name: string, labels: LabelMap): string {
  if (!isMetricName(name, 'legacy')) {
    return labels.size === 0 ? `{${quoteValue(name)}}` : `{${quoteValue(name)}, ${formatLabels(labels).slice(1)}`;
  }
  return labels.size === 0 ? name : `${name}${formatLabels(labels)}`;
}
