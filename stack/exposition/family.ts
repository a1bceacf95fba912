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

/** Label names and values in any order. */
export type LabelMap = ReadonlyMap<string, string>;

/**
 * The labels a pushed sample ends up with: those of the group win over its own, and one that has no `instance` gets an
 * empty one (the Pushgateway's sanitizeLabels), which keeps Prometheus from adding the Pushgateway's.
 */
export function pushedLabels(own: LabelMap, group: LabelMap): LabelMap {
  const labels = new Map([...own, ...group]);
  if (!labels.has('instance')) labels.set('instance', '');
  return labels;
}

/** The same text for the same labels. */
export function identityOf(labels: LabelMap): string {
  return JSON.stringify([...labels].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Labels as people write them: `{job="backup", instance="a"}`. */
export function formatLabels(labels: LabelMap): string {
  return `{${[...labels].map(([name, value]) => `${quoteName(name)}=${quoteValue(value)}`).join(', ')}}`;
}

/** A text in quotes with the escapes of the text format. */
function quoteValue(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`;
}

function quoteName(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quoteValue(name);
}

/** Which names a server takes: Prometheus's own of old, or any text (`--push.enable-utf8-names`). */
export type NameScheme = 'legacy' | 'utf8';

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Whether a metric may be called so. */
export function isMetricName(name: string, scheme: NameScheme): boolean {
  return scheme === 'utf8' ? name !== '' : metricName.test(name);
}

/** Whether a label may be called so; names that begin with `__` are reserved besides, see `isReservedLabel`. */
export function isLabelName(name: string, scheme: NameScheme): boolean {
  return scheme === 'utf8' ? name !== '' : labelName.test(name);
}

/** Labels that Prometheus keeps for itself; the Pushgateway refuses them. */
export function isReservedLabel(name: string): boolean {
  return name.startsWith('__');
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const infinity = /^([+-]?)inf(?:inity)?$/i;

/**
 * A number as the text format takes it, undefined when it is none. That is Go's strconv.ParseFloat without
 * hexadecimal and without underscores, which expfmt's parseFloat turns away first: `NaN` takes no sign, `Inf` may be
 * spelt `infinity`, case does not matter, and a number beyond the largest float is an error instead of an infinity.
 */
export function parseFloat64(text: string): number | undefined {
  const infinite = infinity.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return NaN;
  if (!decimal.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A number as Prometheus writes it. */
function formatFloat64(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

/** A metric to be written: its samples all bear its name. */
export interface WrittenMetric {
  readonly name: string;
  readonly type?: MetricType;
  readonly help?: string;
  readonly samples: readonly { readonly labels?: LabelMap; readonly value: number }[];
}

/** Metrics in the text format, names outside the old alphabet in quotes. */
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

/** A series as the text format writes it: `http_requests{code="200"}`, `{"my.metric", code="200"}`. */
function formatSeries(name: string, labels: LabelMap): string {
  if (!isMetricName(name, 'legacy')) {
    return labels.size === 0 ? `{${quoteValue(name)}}` : `{${quoteValue(name)}, ${formatLabels(labels).slice(1)}`;
  }
  return labels.size === 0 ? name : `${name}${formatLabels(labels)}`;
}
