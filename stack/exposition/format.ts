import type { MetricType } from './family.ts';
import { formatFloat64 } from './float.ts';
import { formatLabels, type Labels, quoteValue } from './identity.ts';
import { isMetricName } from './names.ts';

/** A metric to be written: its samples all bear its name. */
export interface WrittenMetric {
  readonly name: string;
  readonly type?: MetricType;
  readonly help?: string;
  readonly samples: readonly { readonly labels?: Labels; readonly value: number }[];
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
export function formatSeries(name: string, labels: Labels): string {
  if (!isMetricName(name, 'legacy')) {
    return labels.size === 0 ? `{${quoteValue(name)}}` : `{${quoteValue(name)}, ${formatLabels(labels).slice(1)}`;
  }
  return labels.size === 0 ? name : `${name}${formatLabels(labels)}`;
}
